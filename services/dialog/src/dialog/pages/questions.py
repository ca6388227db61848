"""Pages where a youth asks anonymously and gets her receipt code."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from servicekit.crypto import b64
from servicekit.delivery.outbox import UnitOfWork
from servicekit.idempotency import KeyReusedError, once
from servicekit.web.form import new_form
from servicekit.web.sessions import SessionNow
from servicekit.web.submission import Submission, Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import Translation, mark
from webkit.pages import Pages

from dialog.domain.persondata import PersonData, find_person_data
from dialog.domain.questions import TEXT_MOST, QuestionsFullError, TooManyQuestionsError
from dialog.handlers.questions import AskQuestion, QuestionDesk, ask_question
from dialog.handlers.receipts import ReceiptTypoError, browser_hash, receipt_code, receipt_hash
from dialog.pages.question_desk import Desk, Look, StateNow, state_now
from dialog.pages.words import AGES, FINDS, TOPICS, named
from dialog.queries.questions import QuestionState, is_acute

router = APIRouter(default_response_class=HTMLResponse)

UNWRITTEN: Mapping[str, str] = {"text": "", "topic": "other", "age": "unknown", "publish": "no"}
YES_NO = ("yes", "no")
WRITE_SOMETHING = mark("Skriv litt om det du lurer på. Et par ord er nok, for eksempel «Jeg vet ikke hvordan jeg skal si det».")
TOO_LONG = mark(
    "Teksten er for lang: %(length)s tegn. Kort den ned til %(most)s, eller del den i to spørsmål. Det du skrev, står her ennå."
)
CHOOSE = mark("Velg ett av svarene.")
SENT_BEFORE = mark("Du har alt sendt ett spørsmål herfra. Er dette et nytt spørsmål, kan du sende det nå.")
POINTS_TO_HER = frozenset({PersonData.NATIONAL_ID, PersonData.PHONE, PersonData.EMAIL})
"""What she is asked about before she sends it. Not what looks like a user name: "på snap er alle slemme" does."""
LOOK_AGAIN = mark("Teksten kan vise hvem du er. Ta det bort, eller kryss av for å sende den slik den er.")
NOT_ALIKE = mark("Det er ikke helt likt koden over. Se over tegn for tegn.")


@dataclass(slots=True)
class Asked:
    """The form as she filled it in, and what is missing."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    finds: list[str] = field(default_factory=list)
    """What may show who she is, where she hasn't been asked yet."""


@router.get("/spor")
async def show_form(request: Request, desk: Desk, look: Look, state: StateNow, session: SessionNow) -> HTMLResponse:
    asked = Asked(dict(UNWRITTEN))
    if state.is_full:
        return _refusal(request, look, desk, asked, session, waiting=state.waiting)
    return _form(request, look, desk, state, asked, session)


@router.post("/spor")
async def ask(request: Request, begin: Transaction, desk: Desk, look: Look, submitted: Submitted) -> HTMLResponse:
    asked = read_question(submitted.fields, look.translation(request))
    if not asked.errors and not submitted.flag("seen"):
        look_again(asked, desk, look.translation(request))
    if not asked.errors:
        try:
            return await _send(request, begin, desk, look, submitted, asked)
        except KeyReusedError:
            asked.errors["text"] = look.translation(request)(SENT_BEFORE)
        except QuestionsFullError as full:
            return _refusal(request, look, desk, asked, submitted.session, waiting=full.waiting)
        except TooManyQuestionsError:
            return _refusal(request, look, desk, asked, submitted.session)
    return _form(request, look, desk, await state_now(begin, desk), asked, submitted.session, status=422)


@router.post("/spor/sjekk")
async def check_code(request: Request, begin: Transaction, desk: Desk, look: Look, submitted: Submitted) -> HTMLResponse:
    """Whether she wrote the code down as it is shown, or says that she has it. Changes nothing: the page carries the code's key."""
    code = receipt_code(desk.service_key, submitted.key)
    shown = receipt_hash(desk.service_key, code)
    async with begin() as uow:
        acute = await is_acute(uow.connection, shown)
    try:
        same = hmac.compare_digest(receipt_hash(desk.service_key, submitted.fields.get("code", "")), shown)
    except ReceiptTypoError:
        same = False
    errors = {} if same else {"code": look.translation(request)(NOT_ALIKE)}
    state = await state_now(begin, desk)
    if submitted.fields.get("do") == "keep" and not submitted.fields.get("code"):
        return _receipt(request, look, submitted, code, state, acute=acute, kept=True)
    return _receipt(request, look, submitted, code, state, acute=acute, checked=same, errors=errors)


def read_question(fields: Mapping[str, str], say: Translation) -> Asked:
    """What she wrote is kept, whatever is wrong with it."""
    asked = Asked({name: fields.get(name, otherwise) for name, otherwise in UNWRITTEN.items()})
    text = asked.values["text"]
    if not any(letter.isprintable() and not letter.isspace() for letter in text):
        asked.errors["text"] = say(WRITE_SOMETHING)
    elif len(text) > TEXT_MOST:
        asked.errors["text"] = say(TOO_LONG, length=len(text), most=TEXT_MOST)
    for name, offered in (("topic", TOPICS), ("age", AGES), ("publish", YES_NO)):
        if asked.values[name] not in offered:
            asked.errors[name], asked.values[name] = say(CHOOSE), UNWRITTEN[name]
    return asked


def look_again(asked: Asked, desk: QuestionDesk, say: Translation) -> None:
    """She believes that somebody can call her, or forgot that she is anonymous. Nothing stands between an acute text and its reader."""
    text = asked.values["text"]
    finds = find_person_data(text) & POINTS_TO_HER
    if finds and not desk.words.match(text):
        asked.finds, asked.errors["seen"] = [FINDS[find] for find in sorted(finds)], say(LOOK_AGAIN)


async def _send(request: Request, begin: Transaction, desk: QuestionDesk, look: Pages, submitted: Submission, asked: Asked) -> HTMLResponse:
    code = receipt_code(desk.service_key, submitted.key)
    command = AskQuestion(
        receipt_hash(desk.service_key, code),
        browser_hash(desk.service_key, submitted.session.id_hash),
        asked.values["topic"],
        asked.values["age"],
        look.language(request),
        asked.values["text"],
        asked.values["publish"] == "yes",
    )
    async with begin() as uow:
        outcome = await once(uow, submitted.key, submitted.fingerprint(), partial(_take, command, uow, desk))
    return _receipt(request, look, submitted, code, await state_now(begin, desk), acute=outcome["acute"] == "yes")


async def _take(command: AskQuestion, uow: UnitOfWork, desk: QuestionDesk) -> dict[str, str]:
    question = await ask_question(command, uow, desk)
    return {"acute": "yes" if question.acute else "no"}


def _form(
    request: Request, look: Pages, desk: QuestionDesk, state: QuestionState, asked: Asked, session: SessionNow, status: int = 200
) -> HTMLResponse:
    say = look.translation(request)
    return look.render(
        request,
        "questions/ask.html",
        status,
        state=state,
        limits=desk.limits,
        values=asked.values,
        errors=asked.errors,
        finds=asked.finds,
        form=new_form(session),
        topics=named(TOPICS, say),
        ages=named(AGES, say),
        text_most=TEXT_MOST,
    )


def _refusal(
    request: Request, look: Pages, desk: QuestionDesk, asked: Asked, session: SessionNow, waiting: int | None = None
) -> HTMLResponse:
    """Full (with numbers), or asked too often; what she wrote stays on the page."""
    return look.render(
        request,
        "questions/full.html",
        429 if waiting is None else 503,
        headers={"Retry-After": "3600"},
        waiting=waiting,
        too_many=waiting is None,
        limits=desk.limits,
        values=asked.values,
        form=new_form(session),
    )


def _receipt(
    request: Request,
    look: Pages,
    submitted: Submission,
    code: str,
    state: QuestionState,
    *,
    acute: bool,
    checked: bool = False,
    kept: bool = False,
    errors: Mapping[str, str] | None = None,
) -> HTMLResponse:
    return look.render(
        request,
        "questions/receipt.html",
        code=code,
        acute=acute,
        checked=checked,
        kept=kept,
        typed=submitted.fields.get("code", "")[:60] if errors else "",
        errors=errors or {},
        state=state,
        form=new_form(submitted.session),
        key=b64(submitted.key),
    )

"""Pages that a receipt code opens: the answer, and the ways to rate it, take it off the open pages or delete it.

The code travels in the body of each form and is kept nowhere: on a phone that others use, the next one finds an empty field.
"""

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from servicekit.problems import Problem
from servicekit.web.form import new_form
from servicekit.web.sessions import SessionNow
from servicekit.web.submission import Submission, Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import Translation, mark

from dialog.domain.questions import TooManyCodesError
from dialog.handlers import questions as handlers
from dialog.handlers.questions import DeleteQuestion, OpenAnswer, RateAnswer, WithdrawPublication
from dialog.handlers.receipts import CHARACTERS, ReceiptTypoError, browser_hash, receipt_hash
from dialog.pages.question_desk import Desk, Look, act_once, state_now

router = APIRouter(default_response_class=HTMLResponse)

KEPT = 60
"""Characters of a mistyped code that stay in the field."""
NOT_TYPED = mark("Skriv koden først. Den har 28 tegn i grupper på fire.")
WRONG_LENGTH = mark("Koden har 28 tegn, og her står det %(characters)s. Se etter om noe er glemt eller kommet med to ganger.")
MISTYPED = mark("Koden ser ikke riktig ut. Antall tegn stemmer, men minst ett av dem er feil eller byttet om.")


@router.get("/svar")
async def show_field(request: Request, look: Look, session: SessionNow) -> HTMLResponse:
    return look.render(request, "questions/code.html", values={"code": ""}, errors={}, form=new_form(session))


@router.post("/svar")
async def show_answer(request: Request, begin: Transaction, desk: Desk, look: Look, submitted: Submitted) -> HTMLResponse:
    """The answer; one page for all codes that open none, whether unknown, unanswered or deleted."""
    typed = submitted.fields.get("code", "")
    try:
        command = OpenAnswer(receipt_hash(desk.service_key, typed), _browser(desk.service_key, submitted))
        async with begin() as uow:
            own = await handlers.open_answer(command, uow, desk)
    except ReceiptTypoError as typo:
        errors = {"code": _said(look.translation(request), typo.characters)}
        values = {"code": typed[:KEPT]}
        return look.render(request, "questions/code.html", 422, values=values, errors=errors, form=new_form(submitted.session))
    except TooManyCodesError as error:
        raise Problem(429) from error
    form = new_form(submitted.session)
    if own is None:
        return look.render(request, "questions/waiting.html", state=await state_now(begin, desk), code=typed, form=form)
    return look.render(request, "questions/answer.html", own=own, code=typed, form=form)


@router.post("/svar/hjalp")
async def rate(request: Request, begin: Transaction, desk: Desk, look: Look, submitted: Submitted) -> HTMLResponse:
    helpful = submitted.choice("helpful", ("yes", "no")) == "yes"
    command = RateAnswer(_hash(desk.service_key, submitted), helpful)
    async with begin() as uow:
        await act_once(uow, submitted, partial(handlers.rate_answer, command, uow))
    return _done(request, look, submitted, "rated")


@router.post("/svar/avpubliser")
async def withdraw(request: Request, begin: Transaction, desk: Desk, look: Look, submitted: Submitted) -> HTMLResponse:
    command = WithdrawPublication(_hash(desk.service_key, submitted), _browser(desk.service_key, submitted))
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(handlers.withdraw_publication, command, uow, desk))
    except TooManyCodesError as error:
        raise Problem(429) from error
    return _done(request, look, submitted, "withdrawn")


@router.post("/svar/slett")
async def delete(request: Request, begin: Transaction, desk: Desk, look: Look, submitted: Submitted) -> HTMLResponse:
    recall = submitted.choice("recall", ("yes", "no")) == "yes"
    command = DeleteQuestion(_hash(desk.service_key, submitted), _browser(desk.service_key, submitted), recall)
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(handlers.delete_question, command, uow, desk))
    except TooManyCodesError as error:
        raise Problem(429) from error
    return _done(request, look, submitted, "deleted", recalled=recall)


def _said(say: Translation, characters: int) -> str:
    if characters == CHARACTERS:
        return say(MISTYPED)
    return say(WRONG_LENGTH, characters=characters) if characters else say(NOT_TYPED)


def _browser(service_key: bytes, submitted: Submission) -> bytes:
    return browser_hash(service_key, submitted.session.id_hash)


def _hash(service_key: bytes, submitted: Submission) -> bytes:
    """Of the code that our own page put into the form."""
    try:
        return receipt_hash(service_key, submitted.fields.get("code", ""))
    except ReceiptTypoError as error:
        raise Problem(422, fields={"code": "mistyped"}) from error


def _done(request: Request, look: Look, submitted: Submission, what: str, **context: Any) -> HTMLResponse:
    code = submitted.fields.get("code", "")
    form = new_form(submitted.session)
    return look.render(request, "questions/done.html", what=what, code=code, form=form, **{"recalled": False, **context})

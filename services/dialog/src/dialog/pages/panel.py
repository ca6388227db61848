"""The panel's desk: the queue, one question, what one can do with it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.web.form import new_form
from servicekit.web.sessions import StaffMember, StaffSession
from servicekit.web.submission import InvalidInputError, Submission, Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import Translation, mark
from webkit.pages import Pages

from dialog.domain.questions import (
    AlreadyAnsweredError,
    AlreadyPublishedError,
    Answerer,
    AssignedElsewhereError,
    NotAssignedError,
    NotForPublishingError,
    SecondReaderError,
    StaffRole,
)
from dialog.handlers.answers import AssignQuestion, HandBackQuestion, MarkAcute, assign_question, hand_back_question, mark_acute
from dialog.handlers.questions import QuestionDesk
from dialog.pages.chat_desk import not_hers
from dialog.pages.question_desk import Desk, Look, act_once
from dialog.pages.words import AGES, LANGUAGES, TOPICS
from dialog.queries.questions import approval_queue, panel_question, panel_queue
from dialog.store.questions import QuestionNotFoundError

QUEUE = "/ansatt/sporsmal"
REFRESH = 60
"""Seconds after which the list asks again."""
router = APIRouter(prefix=QUEUE, default_response_class=HTMLResponse)

WORDS = {"topics": TOPICS, "ages": AGES, "languages": LANGUAGES}
REASONS: dict[type[Exception], tuple[int, str]] = {
    QuestionNotFoundError: (404, mark("Spørsmålet finnes ikke lenger. Den som spurte, kan ha slettet det.")),
    AssignedElsewhereError: (409, mark("En annen virksomhet har tatt dette spørsmålet.")),
    AlreadyAnsweredError: (409, mark("Spørsmålet er besvart i mellomtiden.")),
    NotAssignedError: (409, mark("Ta spørsmålet før du svarer på det.")),
    SecondReaderError: (409, mark("En kollega skal lese dette før det sendes.")),
    NotForPublishingError: (409, mark("Dette kan ikke publiseres: Den som spurte, har ikke sagt ja, eller har ombestemt seg.")),
    AlreadyPublishedError: (409, mark("Dette er publisert fra før.")),
}
"""What stops one at the desk: status and text."""
WRONG = {
    "missing": mark("Skriv noe her."),
    "too_long": mark("Teksten er for lang. Høyst %(most)s tegn."),
}
"""What can be wrong with a text."""
MISSING = {
    "answer": mark("Skriv svaret."),
    "profession": mark("Skriv yrket ditt."),
    "note": mark("Skriv en kommentar."),
    "title": mark("Skriv en tittel."),
    "question": mark("Skriv spørsmålet."),
}
"""What is missing, by field: two errors beside each other aren't alike."""


async def answerer_of(session: StaffSession) -> Answerer:
    """Who is at the desk; 403 without a role of the panel."""
    if not session.roles & set(StaffRole):
        raise not_hers(session)
    return Answerer(session.subject, session.organisation, session.roles)


AtDesk = Annotated[Answerer, Depends(answerer_of)]


@router.get("")
async def show_queue(request: Request, begin: Transaction, look: Look, session: StaffSession, answerer: AtDesk) -> HTMLResponse:
    async with begin() as uow:
        now = await uow.now()
        queue = await panel_queue(uow.connection, answerer, now)
        approvals = await approval_queue(uow.connection, answerer, now) if answerer.is_editor else []
    return look.render(
        request,
        "panel/list.html",
        refresh=REFRESH,
        queue=queue,
        approvals=approvals,
        is_editor=answerer.is_editor,
        organisation_name=session.organisation_name,
        form=new_form(session),
        words=WORDS,
    )


@router.get("/{question_id}")
async def show_question(
    question_id: UUID, request: Request, begin: Transaction, desk: Desk, look: Look, session: StaffSession, answerer: AtDesk
) -> HTMLResponse:
    return await question_page(request, begin, desk, look, session, answerer, question_id)


@router.post("/{question_id}/ta")
async def take(question_id: UUID, request: Request, begin: Transaction, look: Look, answerer: AtDesk, submitted: Submitted) -> Response:
    command = AssignQuestion(question_id, answerer)
    return await attempt(request, begin, look, submitted, partial(assign_question, command), page_of(question_id))


@router.post("/{question_id}/haster")
async def mark_as_acute(
    question_id: UUID, request: Request, begin: Transaction, look: Look, answerer: AtDesk, submitted: Submitted
) -> Response:
    command = MarkAcute(question_id, answerer)
    return await attempt(request, begin, look, submitted, partial(mark_acute, command), page_of(question_id))


@router.post("/{question_id}/legg-tilbake")
async def hand_back(
    question_id: UUID, request: Request, begin: Transaction, look: Look, answerer: AtDesk, submitted: Submitted
) -> Response:
    command = HandBackQuestion(question_id, answerer)
    return await attempt(request, begin, look, submitted, partial(hand_back_question, command), QUEUE)


def page_of(question_id: UUID) -> str:
    """Where a question is read at the desk."""
    return f"{QUEUE}/{question_id}"


async def attempt(
    request: Request,
    begin: Begin,
    look: Pages,
    submitted: Submission,
    act: Callable[[UnitOfWork], Awaitable[object]],
    then: str,
    text: str = "",
) -> Response:
    """Act once and go to `then`; if that can't be, say why and give back what was written."""
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(act, uow))
    except tuple(REASONS) as error:
        return stopped(request, look, error, text)
    return RedirectResponse(then, 303)


def stopped(request: Request, look: Pages, error: Exception, text: str = "") -> HTMLResponse:
    """Why it can't be, and what was written."""
    status, reason = REASONS[type(error)]
    return look.render(request, "panel/conflict.html", status, reason=look.translation(request)(reason), text=text)


async def question_page(
    request: Request,
    begin: Begin,
    desk: QuestionDesk,
    look: Pages,
    session: StaffMember,
    answerer: Answerer,
    question_id: UUID,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """One question as staff read it, with what was written in the form, if anything."""
    try:
        async with begin() as uow:
            found = await panel_question(uow.connection, question_id, answerer, desk.vault, await uow.now())
    except tuple(REASONS) as error:
        return stopped(request, look, error, (values or {}).get("answer", ""))
    return look.render(
        request,
        "panel/question.html",
        422 if errors else 200,
        found=found,
        is_ours=found.question.organisation == answerer.organisation,
        is_editor=answerer.is_editor,
        wrote_it=found.question.drafted_by == answerer.subject,
        values={"answer": found.answer, "profession": "", "note": ""} | dict(values or {}),
        errors=errors or {},
        form=partial(new_form, session),
        words=WORDS,
    )


def read_texts(submitted: Submission, say: Translation, **most: int) -> tuple[dict[str, str], dict[str, str]]:
    """The texts of a form, each of at most so many characters, and what is wrong with them by name."""
    values, errors = {}, {}
    for name, limit in most.items():
        values[name] = submitted.fields.get(name, "")
        try:
            submitted.text(name, limit)
        except InvalidInputError as error:
            errors[name] = say(MISSING.get(name, WRONG["missing"]) if error.code == "missing" else WRONG[error.code], most=limit)
    return values, errors

"""The editor's desk: answers and articles that can be taken away, articles that wait for a review."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.idempotency import KeyReusedError, once
from servicekit.problems import Problem
from servicekit.web.form import new_form
from servicekit.web.sessions import StaffMember, StaffSession
from servicekit.web.submission import Submission, Submitted
from servicekit.web.transaction import Transaction

from info.domain import AnswerGoneError, AnswerNotFoundError, ArticleNotFoundError, local_date
from info.handlers import (
    MarkReviewed,
    RestoreArticle,
    WithdrawAnswer,
    WithdrawArticle,
    mark_reviewed,
    restore_article,
    withdraw_answer,
    withdraw_article,
)
from info.pages import Look, page_number, words
from info.queries import reading

ROLE = "info_editor"
MOST_PAGES = 1000
router = APIRouter(prefix="/ansatt", default_response_class=HTMLResponse)


@router.get("", summary="The editor's desk")
async def desk(request: Request, begin: Transaction, look: Look, staff: StaffSession, svar: str = "1", artikler: str = "1") -> HTMLResponse:
    """Two lists, each with its own page number in the address."""
    _editor(staff)
    async with begin() as uow:
        answers = await reading.newest_answers(uow.connection, page_number(svar, MOST_PAGES))
        articles = await reading.longest_unreviewed(uow.connection, page_number(artikler, MOST_PAGES))
        withheld = await reading.withheld_articles(uow.connection)
        today = local_date(await uow.now())
    return look.render(
        request,
        "desk.html",
        answers=answers,
        articles=articles,
        withheld=withheld,
        today=today,
        staff=staff,
        new_form=lambda: new_form(staff),
        **words(request, look),
    )


@router.get("/svar/{publication_id}/trekk", summary="Asks before a published answer is taken away for good")
async def ask(publication_id: UUID, request: Request, begin: Transaction, look: Look, staff: StaffSession) -> HTMLResponse:
    _editor(staff)
    try:
        async with begin() as uow:
            answer = await reading.answer(uow.connection, publication_id)
    except AnswerGoneError as error:
        raise Problem(410) from error
    except AnswerNotFoundError as error:
        raise Problem(404) from error
    return look.render(request, "withdraw.html", answer=answer, form=new_form(staff))


@router.post("/svar/{publication_id}/trekk", summary="Take a published answer away, for good")
async def withdraw(publication_id: UUID, begin: Transaction, staff: StaffSession, submitted: Submitted) -> RedirectResponse:
    _editor(staff)

    async def act(uow: UnitOfWork) -> None:
        await withdraw_answer(WithdrawAnswer(publication_id), uow)

    return await _once(begin, submitted, act)


@router.post("/artikkel/{publication_id}/trekk", summary="Take an article away until an editor puts it back")
async def withdraw_text(publication_id: UUID, begin: Transaction, staff: StaffSession, submitted: Submitted) -> RedirectResponse:
    _editor(staff)

    async def act(uow: UnitOfWork) -> None:
        await withdraw_article(WithdrawArticle(publication_id, withheld=True), uow)

    return await _once(begin, submitted, act)


@router.post("/artikkel/{publication_id}/legg-ut", summary="Put back an article that an editor took away")
async def restore(publication_id: UUID, begin: Transaction, staff: StaffSession, submitted: Submitted) -> RedirectResponse:
    _editor(staff)

    async def act(uow: UnitOfWork) -> None:
        await restore_article(RestoreArticle(publication_id), uow)

    return await _once(begin, submitted, act)


@router.post("/artikkel/{publication_id}/gjennomgatt", summary="Vouch for an article as it stands")
async def review(publication_id: UUID, begin: Transaction, staff: StaffSession, submitted: Submitted) -> RedirectResponse:
    _editor(staff)

    async def act(uow: UnitOfWork) -> None:
        await mark_reviewed(MarkReviewed(publication_id, local_date(await uow.now())), uow)

    return await _once(begin, submitted, act)


def _editor(staff: StaffMember) -> None:
    if ROLE not in staff.roles:
        raise Problem(403, "no_role")


async def _once(begin: Begin, submitted: Submission, act: Callable[[UnitOfWork], Awaitable[None]]) -> RedirectResponse:
    """The same form sent twice acts once and leads back to the desk both times."""
    try:
        async with begin() as uow:

            async def outcome() -> dict[str, str]:
                await act(uow)
                return {}

            await once(uow, submitted.key, submitted.fingerprint(), outcome)
    except (AnswerNotFoundError, ArticleNotFoundError) as error:
        raise Problem(404) from error
    except KeyReusedError as error:
        raise Problem(409) from error
    return RedirectResponse("/ansatt", 303)

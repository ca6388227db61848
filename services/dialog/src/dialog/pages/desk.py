"""The helpers' desk: on duty or not, who waits, which chats have lost their helper, the chats at hand."""

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from servicekit.delivery.outbox import UnitOfWork
from servicekit.problems import Problem
from servicekit.web.form import new_form
from servicekit.web.sessions import BrowserSession, SessionNow
from servicekit.web.submission import InvalidInputError, Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import mark

from dialog.domain.availability import MOST_AT_ONCE, NoFreePlaceError, NotOnDutyError, UnknownServiceError
from dialog.domain.chats import ChatClosedError, ChatNotFoundError, ChatTakenError, HelperPresentError
from dialog.domain.retention import Retention
from dialog.handlers.availability import GoOnDuty, SetRetention, TakeBreak, go_on_duty, note_desk, set_retention, take_break
from dialog.handlers.chats import TakeChat, take_chat
from dialog.handlers.presence import TakeOverChat, note_helper, take_over_chat
from dialog.pages.chat_desk import RETENTIONS, URGENCIES, AtWork, Helper
from dialog.pages.question_desk import Look, act_once
from dialog.pages.words import AGES, LANGUAGES, TOPICS
from dialog.queries.availability import duty_now, own_chat_services, ratings_of
from dialog.queries.chats import waiting_chats
from dialog.queries.presence import lost_chats, own_talks

router = APIRouter(prefix="/ansatt", default_response_class=HTMLResponse)

REFRESH = 8
"""Seconds after which the queue asks again without script; also a helper's sign of life."""
REFUSALS: dict[type[Exception], str] = {
    ChatTakenError: mark("Noen andre tok samtalen, eller den som ventet, gikk ut av køen."),
    ChatClosedError: mark("Samtalen ble avsluttet før du rakk å ta over."),
    HelperPresentError: mark("Hjelperen er tilbake, eller en kollega har tatt over."),
    NotOnDutyError: mark("Du må være på vakt for å ta en samtale."),
    NoFreePlaceError: mark("Du har så mange samtaler som du sa du kan ha."),
}


@router.get("/samtaler")
async def queue(request: Request, begin: Transaction, look: Look, helper: AtWork, session: SessionNow) -> Response:
    async with begin() as uow:
        await note_desk(helper.id, uow)
        await note_helper(helper.id, uow)
    return await _queue(request, begin, look, helper, session)


@router.post("/vakt")
async def begin_duty(begin: Transaction, helper: AtWork, submitted: Submitted) -> Response:
    capacity = submitted.choice("capacity", [str(number) for number in range(1, MOST_AT_ONCE + 1)])
    command = GoOnDuty(helper.id, helper.organisation, submitted.uuid("service"), int(capacity))
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(go_on_duty, command, uow))
    except UnknownServiceError as error:
        raise InvalidInputError("service", "unknown_choice") from error
    return RedirectResponse("/ansatt/samtaler", 303)


@router.post("/pause")
async def pause(begin: Transaction, helper: AtWork, submitted: Submitted) -> Response:
    async with begin() as uow:
        await act_once(uow, submitted, partial(take_break, TakeBreak(helper.id), uow))
    return RedirectResponse("/ansatt/samtaler", 303)


@router.post("/tjenester/{service_id}/lagring")
async def choose_retention(begin: Transaction, helper: AtWork, submitted: Submitted, service_id: UUID) -> Response:
    """The provider's promise; a supervisor's choice."""
    if not helper.is_supervisor:
        raise Problem(403)
    retention = Retention(submitted.choice("retention", list(Retention)))
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(set_retention, SetRetention(helper.organisation, service_id, retention), uow))
    except UnknownServiceError as error:
        raise Problem(404) from error
    return RedirectResponse("/ansatt/samtaler", 303)


@router.post("/samtaler/{chat_id}/ta")
async def take(request: Request, begin: Transaction, look: Look, helper: AtWork, submitted: Submitted, chat_id: UUID) -> Response:
    """One wins. The others learn that it's gone, not to whom."""
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(take_chat, TakeChat(chat_id, helper.id, helper.organisation), uow))
    except ChatNotFoundError as error:
        raise Problem(404) from error
    except tuple(REFUSALS) as refusal:
        return await _queue(request, begin, look, helper, submitted.session, 409, notice=REFUSALS[type(refusal)])
    return RedirectResponse(f"/ansatt/samtaler/{chat_id}", 303)


@router.post("/samtaler/{chat_id}/over")
async def take_over(request: Request, begin: Transaction, look: Look, helper: AtWork, submitted: Submitted, chat_id: UUID) -> Response:
    """A colleague goes on where a helper was lost. One wins here too."""
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(take_over_chat, TakeOverChat(chat_id, helper.id, helper.organisation), uow))
    except ChatNotFoundError as error:
        raise Problem(404) from error
    except tuple(REFUSALS) as refusal:
        return await _queue(request, begin, look, helper, submitted.session, 409, notice=REFUSALS[type(refusal)])
    return RedirectResponse(f"/ansatt/samtaler/{chat_id}", 303)


async def _queue(
    request: Request,
    begin: Transaction,
    look: Look,
    helper: Helper,
    session: BrowserSession,
    status: int = 200,
    *,
    notice: str = "",
) -> HTMLResponse:
    async with begin() as uow:
        shown = await desk_now(uow, helper)
        rated = await ratings_of(uow.connection, list(shown["names"])) if helper.is_supervisor else {}
    return look.render(
        request,
        "desk/queue.html",
        status,
        refresh=REFRESH,
        helper=helper,
        notice=notice,
        chosen=None,
        ratings=[(shown["names"][service], yes, total) for service, (yes, total) in rated.items()],
        capacities=[(number, str(number)) for number in range(1, MOST_AT_ONCE + 1)],
        retentions=RETENTIONS,
        form=partial(new_form, session),
        **shown,
        **queue_words(),
    )


async def desk_now(uow: UnitOfWork, helper: Helper) -> dict[str, Any]:
    """What the desk shows: duty, queue, lost chats, own chats."""
    now = await uow.now()
    services = await own_chat_services(uow.connection, helper.organisation)
    waiting = await waiting_chats(uow.connection, helper.organisation)
    lost = await lost_chats(uow.connection, helper.organisation, now)
    return {
        "duty": await duty_now(uow.connection, helper.id),
        "services": services,
        "names": {service.entry.service_id: service.entry.name for service in services},
        "waiting": [(chat, chat.waited_seconds(now)) for chat in waiting],
        "queue_length": len(waiting),
        "longest": max((chat.waited_seconds(now) for chat in waiting), default=0),
        "own": await own_talks(uow.connection, helper.id, now),
        "lost": [chat for chat in lost if chat.helper != helper.id],
        "lost_count": sum(chat.helper != helper.id for chat in lost),
    }


async def owned_now(uow: UnitOfWork, helper: Helper) -> dict[str, Any]:
    """What stands around a talk: the own chats, and how many others need somebody."""
    now = await uow.now()
    waiting = await waiting_chats(uow.connection, helper.organisation)
    lost = await lost_chats(uow.connection, helper.organisation, now)
    return {
        "own": await own_talks(uow.connection, helper.id, now),
        "queue_length": len(waiting),
        "longest": max((chat.waited_seconds(now) for chat in waiting), default=0),
        "lost_count": sum(chat.helper != helper.id for chat in lost),
    }


def queue_words() -> dict[str, Any]:
    return {"topics": TOPICS, "ages": AGES, "urgencies": URGENCIES, "spoken_in": LANGUAGES}

"""Pages where a youth chats with a helper: choose, wait, talk, end, delete."""

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from contracts.codes import AgeBand, Language, TopicCode, Urgency
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from servicekit.idempotency import KeyReusedError, once
from servicekit.web.form import new_form
from servicekit.web.sessions import BrowserSession, SessionNow, save
from servicekit.web.submission import Submission, Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import Translation, mark

from dialog.domain.availability import QueueFullError, ServiceClosedError, UnknownServiceError
from dialog.domain.chats import LONGEST_MESSAGE, Author, Chat, ChatClosedError, ChatNotFoundError, ChatState, ChatTakenError, OpenChatError
from dialog.handlers.chats import (
    DeleteChat,
    EndChat,
    LeaveQueue,
    RateChat,
    RequestChat,
    SayInChat,
    delete_chat_now,
    end_chat,
    leave_queue,
    rate_chat,
    request_chat,
)
from dialog.handlers.presence import note_presence
from dialog.handlers.receipts import browser_hash
from dialog.pages.chat_desk import CHAT, RETENTIONS, ChatDesk, Chats, OwnChat, RequiredChat, hours_today, send_message, wrong_message
from dialog.pages.question_desk import Look, act_once
from dialog.pages.words import AGES, TOPICS, named
from dialog.queries.availability import ChatService, chat_services
from dialog.queries.chats import messages_after, proposal_of, wait_of
from dialog.queries.directory import help_service
from dialog.queries.presence import standing

router = APIRouter(default_response_class=HTMLResponse)

REFRESH = 10
"""Seconds after which the waiting page asks again."""
UNFILLED = {"service": "", "topic": "other", "age": "unknown", "urgent": ""}
CHOOSE = mark("Velg ett av svarene.")
CHOOSE_SERVICE = mark("Velg hvem du vil snakke med.")
JUST_CLOSED = mark("Tjenesten du valgte, stengte akkurat. Velg en annen, eller prøv en av de andre måtene.")
JUST_FULL = mark("Køen du valgte, ble akkurat full. Velg en annen, eller prøv igjen om litt.")


@dataclass(slots=True)
class Asked:
    """The form as she filled it in, and what is missing."""

    values: dict[str, str] = field(default_factory=lambda: dict(UNFILLED))
    errors: dict[str, str] = field(default_factory=dict)
    notice: str = ""


@router.get("/chat")
async def choose(request: Request, begin: Transaction, look: Look, session: SessionNow, chat: OwnChat) -> Response:
    """Who answers, what they keep and what they can't promise, before she writes a word."""
    if chat is not None and chat.state.is_open:
        return RedirectResponse(_place_of(chat), 303)
    return await _choice(request, begin, look, session, Asked())


@router.post("/chat")
async def ask(request: Request, begin: Transaction, desk: Chats, look: Look, submitted: Submitted) -> Response:
    say = look.translation(request)
    asked = read_request(submitted, say)
    if asked.errors:
        return await _choice(request, begin, look, submitted.session, asked, 422)
    command = RequestChat(
        browser_hash(desk.service_key, submitted.session.id_hash),
        UUID(asked.values["service"]),
        TopicCode(asked.values["topic"]),
        AgeBand(asked.values["age"]),
        Language(look.language(request)),
        Urgency.TODAY if asked.values["urgent"] else Urgency.ROUTINE,
    )
    try:
        await _request(begin, desk, submitted, command)
    except (ServiceClosedError, UnknownServiceError):
        asked.notice = say(JUST_CLOSED)
        return await _choice(request, begin, look, submitted.session, asked, 409)
    except QueueFullError:
        asked.notice = say(JUST_FULL)
        return await _choice(request, begin, look, submitted.session, asked, 503)
    except KeyReusedError:
        pass  # she has one already: show it
    return RedirectResponse("/chat/venter", 303)


@router.get("/chat/venter")
async def wait(request: Request, begin: Transaction, look: Look, session: SessionNow, chat: OwnChat) -> Response:
    """Her place and an honest guess. Renews itself, by a stream where there is script, unless she stopped it."""
    if chat is None:
        return _gone(request, look)
    if chat.state is not ChatState.WAITING:
        return RedirectResponse("/chat/samtale", 303)
    async with begin() as uow:
        await note_presence(chat.id, uow)
        waits = await wait_of(uow.connection, chat)
        service = await help_service(uow.connection, chat.service_id)
        others = [other for other in await chat_services(uow.connection) if other.takes_chats and other.entry.service_id != chat.service_id]
    return look.render(
        request,
        "chats/waiting.html",
        refresh=REFRESH,
        wait=waits,
        service=service,
        retention=look.translation(request)(RETENTIONS[chat.retention]),
        others=others,
        form=new_form(session),
    )


@router.post("/chat/forlat")
async def leave(begin: Transaction, submitted: Submitted, chat: RequiredChat) -> Response:
    """A helper may have come first, or she left before: her page says which."""
    async with begin() as uow:
        await act_once(uow, submitted, partial(leave_queue, LeaveQueue(chat.id), uow), ChatTakenError)
    return RedirectResponse("/chat/samtale", 303)


@router.get("/chat/samtale")
async def talk(request: Request, begin: Transaction, desk: Chats, look: Look, session: SessionNow, chat: OwnChat) -> Response:
    if chat is None:
        return _gone(request, look)
    if chat.state is ChatState.WAITING:
        return RedirectResponse("/chat/venter", 303)
    return await _talk(request, begin, desk, look, session, chat)


@router.post("/chat/samtale")
async def send(request: Request, begin: Transaction, desk: Chats, look: Look, submitted: Submitted, chat: OwnChat) -> Response:
    text = submitted.fields.get("text", "")
    if chat is None:
        return _gone(request, look, text)
    wrong = await send_message(begin, desk, submitted, SayInChat(chat.id, text))
    if wrong is None:
        return RedirectResponse("/chat/samtale#siste", 303)
    if wrong is ChatNotFoundError:
        return _gone(request, look, text)
    error = wrong_message(wrong, look.translation(request))
    return await _talk(request, begin, desk, look, submitted.session, chat, 409 if wrong is ChatClosedError else 422, text, error)


@router.post("/chat/avslutt")
async def end(begin: Transaction, submitted: Submitted, chat: RequiredChat) -> Response:
    """The helper may have ended it first: the same page."""
    async with begin() as uow:
        await act_once(uow, submitted, partial(end_chat, EndChat(chat.id), uow), ChatClosedError)
    return RedirectResponse("/chat/samtale", 303)


@router.post("/chat/hjalp")
async def rate(begin: Transaction, submitted: Submitted, chat: RequiredChat) -> Response:
    """Whether it helped. While it's open, and a second time, nothing changes: her page shows which."""
    command = RateChat(chat.id, helpful=submitted.choice("helpful", ("yes", "no")) == "yes")
    async with begin() as uow:
        await act_once(uow, submitted, partial(rate_chat, command, uow), ChatClosedError)
    return RedirectResponse("/chat/samtale", 303)


@router.post("/chat/slett")
async def delete(request: Request, begin: Transaction, look: Look, submitted: Submitted, chat: OwnChat) -> Response:
    """Gone at once. A second time it's gone already, and the page says the same."""
    if chat is not None:
        async with begin() as uow:
            await act_once(uow, submitted, partial(delete_chat_now, DeleteChat(chat.id), uow))
            submitted.session.state.pop(CHAT, None)
            await save(uow, submitted.session)
    return look.render(request, "chats/over.html", what="deleted")


def read_request(submitted: Submission, say: Translation) -> Asked:
    """What she chose is kept, whatever is wrong with it."""
    asked = Asked({name: submitted.fields.get(name, otherwise) for name, otherwise in UNFILLED.items()})
    try:
        UUID(asked.values["service"])
    except ValueError:
        asked.errors["service"], asked.values["service"] = say(CHOOSE_SERVICE), ""
    for name, offered in (("topic", TOPICS), ("age", AGES)):
        if asked.values[name] not in offered:
            asked.errors[name], asked.values[name] = say(CHOOSE), UNFILLED[name]
    return asked


async def _request(begin: Transaction, desk: ChatDesk, submitted: Submission, command: RequestChat) -> None:
    async with begin() as uow:

        async def act() -> dict[str, str]:
            with suppress(OpenChatError):  # she has one already: show it
                submitted.session.state[CHAT] = str((await request_chat(command, uow, desk.vault)).id)
                await save(uow, submitted.session)
            return {}

        await once(uow, submitted.key, submitted.fingerprint(), act)


async def _choice(
    request: Request, begin: Transaction, look: Look, session: BrowserSession, asked: Asked, status: int = 200
) -> HTMLResponse:
    async with begin() as uow:
        services = await chat_services(uow.connection)
        now = await uow.now()
    say = look.translation(request)
    return look.render(
        request,
        "chats/choose.html",
        status,
        headers={"Retry-After": "120"} if status == 503 else None,
        services=services,
        open_services=[service for service in services if service.takes_chats],
        options=[(service.entry.service_id, service.entry.name, _about(service, say)) for service in services if service.takes_chats],
        hours={service.entry.service_id: hours_today(service.entry, now) for service in services},
        topics=named(TOPICS, say),
        ages=named(AGES, say),
        values=asked.values,
        errors=asked.errors,
        notice=asked.notice,
        form=new_form(session),
    )


async def _talk(
    request: Request,
    begin: Transaction,
    desk: ChatDesk,
    look: Look,
    session: BrowserSession,
    chat: Chat,
    status: int = 200,
    text: str = "",
    error: str = "",
) -> HTMLResponse:
    if chat.state in (ChatState.ABANDONED, ChatState.UNANSWERED):
        return look.render(request, "chats/over.html", what=chat.state.value)
    async with begin() as uow:
        messages = await messages_after(uow.connection, chat.id, 0, desk.vault)
        await note_presence(chat.id, uow, messages[-1].number if messages else 0)
        stands = await standing(uow.connection, chat, Author.YOUTH, await uow.now())
        proposal = await proposal_of(uow.connection, chat.id, desk.vault)
        service = await help_service(uow.connection, chat.service_id)
    return look.render(
        request,
        "chats/talk.html",
        status,
        chat=chat,
        messages=messages,
        proposed=proposal is not None,
        reader=Author.YOUTH,
        stands=stands,
        live=False,
        service=service,
        retention=look.translation(request)(RETENTIONS[chat.retention]),
        text=text,
        error=error,
        most=LONGEST_MESSAGE,
        form=partial(new_form, session),
    )


def _gone(request: Request, look: Look, text: str = "") -> HTMLResponse:
    """No chat in this browser: what never was looks like what is deleted. What she wrote stays on the page."""
    return look.render(request, "chats/gone.html", 404, text=text)


def _place_of(chat: Chat) -> str:
    return "/chat/venter" if chat.state is ChatState.WAITING else "/chat/samtale"


def _about(service: ChatService, say: Translation) -> str:
    """What one knows before choosing: the wait, and what is kept."""
    wait = service.wait_minutes or 1
    first = say(mark("Ledig nå.")) if wait <= 1 else say(mark("Omtrent %(minutes)s minutter å vente."), minutes=wait)
    return f"{first} {say(RETENTIONS[service.provider.retention])}"

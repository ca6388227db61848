"""The streams of the two sides of a chat: its messages in order, and how it stands."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from servicekit.service import Transaction

from dialog.domain.chats import Author, Chat, ChatNotFoundError, ChatState
from dialog.handlers.chats import note_presence
from dialog.pages.chat_desk import AtWork, Chats, RequiredChat, WorkChat
from dialog.pages.question_desk import Look
from dialog.pages.streams import Glance, Start, follow
from dialog.queries.chats import Message, find_chat, find_own_chat, messages_after, proposal_of

router = APIRouter(default_response_class=EventSourceResponse, include_in_schema=False)


@router.get("/chat/strom", response_class=EventSourceResponse)
async def stream_for_youth(
    request: Request, begin: Transaction, desk: Chats, look: Look, chat: RequiredChat, last: Start
) -> AsyncIterator[ServerSentEvent]:
    said = ""

    async def glance(last: int) -> Glance:
        nonlocal said
        async with begin() as uow:
            await note_presence(chat.id, uow)
            try:
                now = await find_chat(uow.connection, chat.id)
                new = await messages_after(uow.connection, chat.id, last, desk.vault)
                proposed = await proposal_of(uow.connection, chat.id, desk.vault) is not None
            except ChatNotFoundError:
                return _gone(last)
        status = look.fragment(request, "chats/status.html", chat=now, proposed=proposed, live=True)
        events = _events(look, request, new, Author.YOUTH, status if status != said else "")
        said = status
        return _glance(now, events, new, last)

    async for event in follow(request, chat.id, last, glance):
        yield event


@router.get("/ansatt/samtaler/{chat_id}/strom", response_class=EventSourceResponse)
async def stream_for_helper(
    request: Request, begin: Transaction, desk: Chats, look: Look, helper: AtWork, chat: WorkChat, last: Start
) -> AsyncIterator[ServerSentEvent]:
    said = ""

    async def glance(last: int) -> Glance:
        nonlocal said
        async with begin() as uow:
            try:
                now = await find_own_chat(uow.connection, chat.id, helper.id, helper.organisation)
            except ChatNotFoundError:
                return _gone(last)
            new = await messages_after(uow.connection, chat.id, last, desk.vault)
        status = look.fragment(request, "desk/status.html", chat=now)
        events = _events(look, request, new, Author.HELPER, status if status != said else "")
        said = status
        return _glance(now, events, new, last)

    async for event in follow(request, chat.id, last, glance):
        yield event


def _events(look: Look, request: Request, new: list[Message], reader: Author, status: str) -> list[ServerSentEvent]:
    said = [
        ServerSentEvent(id=str(message.number), raw_data=look.fragment(request, "chats/message.html", message=message, reader=reader))
        for message in new
    ]
    return [*said, ServerSentEvent(event="status", raw_data=status)] if status else said


def _glance(chat: Chat, events: list[ServerSentEvent], new: list[Message], last: int) -> Glance:
    over = chat.state is not ChatState.ACTIVE
    if over:
        events.append(ServerSentEvent(event="over", raw_data=""))
    return Glance(events, new[-1].number if new else last, over)


def _gone(last: int) -> Glance:
    return Glance([ServerSentEvent(event="over", raw_data="")], last, over=True)

"""The streams of the two sides of a chat, of the queue's page, and of the helpers' desk: what is new, in order."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from servicekit.web.form import new_form
from servicekit.web.sessions import StaffSession
from servicekit.web.transaction import Transaction

from dialog.domain.chats import Author, ChatNotFoundError, ChatState
from dialog.domain.presence import STREAM_HOLDS
from dialog.handlers.availability import note_desk
from dialog.handlers.presence import note_helper, note_presence, note_reading
from dialog.pages.chat_desk import AtWork, ChatDesk, Chats, RequiredChat, WorkChat
from dialog.pages.desk import desk_now, owned_now, queue_words
from dialog.pages.question_desk import Look
from dialog.pages.streams import Glance, follow
from dialog.queries.availability import own_chat_services
from dialog.queries.chats import Message, find_chat, find_own_chat, messages_after, proposal_of, wait_of
from dialog.queries.directory import help_service
from dialog.queries.presence import own_talks, standing

router = APIRouter(default_response_class=EventSourceResponse, include_in_schema=False)


def start_of(request: Request, etter: Annotated[int, Query(ge=0)] = 0) -> int:
    """The last message that the browser has: from `Last-Event-ID` when it comes again, else as the page says."""
    seen = request.headers.get("last-event-id", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else etter


Start = Annotated[int, Depends(start_of)]


@dataclass(slots=True)
class Said:
    """Pieces of a page that were sent; a piece goes out when it changed."""

    pieces: dict[str, str] = field(default_factory=dict)

    def changed(self, name: str, text: str) -> list[ServerSentEvent]:
        if self.pieces.get(name) == text:
            return []
        self.pieces[name] = text
        return [ServerSentEvent(event=name, raw_data=text)]


OVER = ServerSentEvent(event="over", raw_data="")


@router.get("/chat/venter/strom", response_class=EventSourceResponse)
async def stream_of_wait(request: Request, begin: Transaction, look: Look, chat: RequiredChat) -> AsyncIterator[ServerSentEvent]:
    """Her place as it changes; `over` when there is something else to see."""
    said = Said()

    async def glance() -> Glance:
        async with begin() as uow:
            await note_presence(chat.id, uow, holds=STREAM_HOLDS)
            try:
                now = await find_chat(uow.connection, chat.id)
            except ChatNotFoundError:
                return Glance([OVER], over=True)
            if now.state is not ChatState.WAITING:
                return Glance([OVER], over=True)
            waits = await wait_of(uow.connection, now)
            service = await help_service(uow.connection, now.service_id)
        return Glance(said.changed("status", look.fragment(request, "chats/place.html", wait=waits, service=service)))

    async for event in follow(request, [chat.id, chat.service_id], glance):
        yield event


@router.get("/chat/strom", response_class=EventSourceResponse)
async def stream_for_youth(
    request: Request, begin: Transaction, desk: Chats, look: Look, chat: RequiredChat, start: Start
) -> AsyncIterator[ServerSentEvent]:
    said, last = Said(), start

    async def glance() -> Glance:
        nonlocal last
        async with begin() as uow:
            try:
                now = await find_chat(uow.connection, chat.id)
                new = await messages_after(uow.connection, chat.id, last, desk.vault)
                proposed = await proposal_of(uow.connection, chat.id, desk.vault) is not None
            except ChatNotFoundError:
                return Glance([OVER], over=True)
            last = new[-1].number if new else last
            await note_presence(chat.id, uow, last, STREAM_HOLDS)
            stands = await standing(uow.connection, now, Author.YOUTH, await uow.now())
        over = now.state is not ChatState.ACTIVE
        shown: dict[str, Any] = {"chat": now, "stands": stands, "reader": Author.YOUTH}
        events = [
            *_messages(look, request, new, Author.YOUTH),
            *said.changed("status", look.fragment(request, "chats/status.html", proposed=proposed, live=True, **shown)),
            *said.changed("foot", look.fragment(request, "chats/foot.html", **shown)),
        ]
        return Glance([*events, OVER] if over else events, over)

    async for event in follow(request, [chat.id], glance):
        yield event


@router.get("/ansatt/samtaler/strom", response_class=EventSourceResponse)
async def stream_of_desk(
    request: Request, begin: Transaction, look: Look, helper: AtWork, session: StaffSession
) -> AsyncIterator[ServerSentEvent]:
    """The queue and the own chats, for the desk's front page."""
    said = Said()
    form = partial(new_form, session)

    async def glance() -> Glance:
        async with begin() as uow:
            await note_desk(helper.id, uow)
            await note_helper(helper.id, uow, STREAM_HOLDS)
            now = await desk_now(uow, helper)
        shown = {**now, **queue_words(), "form": form}
        return Glance(
            [
                *said.changed("queue", look.fragment(request, "desk/waiting.html", **shown)),
                *said.changed("lost", look.fragment(request, "desk/lost.html", **shown)),
                *said.changed("own", look.fragment(request, "desk/own.html", chosen=None, **shown)),
                *said.changed("count", look.fragment(request, "desk/count.html", **shown)),
            ]
        )

    async with begin() as uow:
        ids = [each.entry.service_id for each in await own_chat_services(uow.connection, helper.organisation)]
        ids += [talk.chat.id for talk in await own_talks(uow.connection, helper.id, await uow.now())]
    async for event in follow(request, ids, glance):
        yield event


@dataclass(slots=True)
class HelperPage:
    """What the page of a helper with several talks has been sent."""

    request: Request
    begin: Transaction
    desk: ChatDesk
    look: Look
    helper: AtWork
    chosen: UUID
    lasts: dict[UUID, int]
    said: Said = field(default_factory=Said)

    async def glance(self) -> Glance:
        async with self.begin() as uow:
            await note_desk(self.helper.id, uow)
            await note_helper(self.helper.id, uow, STREAM_HOLDS)
            events: list[ServerSentEvent] = []
            closed = 0
            for chat_id in self.lasts:
                new, over = await self._talk(uow, chat_id)
                events += new
                closed += over
            owned = await owned_now(uow, self.helper)
        shown = {**owned, **queue_words()}
        events += self.said.changed("own", self.look.fragment(self.request, "desk/own.html", chosen=self.chosen, **shown))
        events += self.said.changed("count", self.look.fragment(self.request, "desk/count.html", **shown))
        over = closed == len(self.lasts)
        return Glance([*events, OVER] if over else events, over)

    async def _talk(self, uow: Any, chat_id: UUID) -> tuple[list[ServerSentEvent], bool]:
        """What is new in one talk, and whether it's over or no longer this helper's."""
        name: Callable[[str], str] = (lambda event: event) if chat_id == self.chosen else (lambda event: f"{event}-{chat_id}")
        try:
            now = await find_own_chat(uow.connection, chat_id, self.helper.id, self.helper.organisation)
        except ChatNotFoundError:
            return self.said.changed(name("status"), self.look.fragment(self.request, "desk/not_yours.html")), True
        new = (
            await messages_after(uow.connection, chat_id, self.lasts[chat_id], self.desk.vault)
            if now.messages > self.lasts[chat_id]
            else []
        )
        self.lasts[chat_id] = new[-1].number if new else self.lasts[chat_id]
        if chat_id == self.chosen:
            await note_reading(chat_id, uow, self.lasts[chat_id], STREAM_HOLDS)
        stands = await standing(uow.connection, now, Author.HELPER, await uow.now())
        shown: dict[str, Any] = {"chat": now, "stands": stands, "reader": Author.HELPER}
        return [
            *_messages(self.look, self.request, new, Author.HELPER, name("message")),
            *self.said.changed(name("status"), self.look.fragment(self.request, "desk/status.html", **shown)),
            *self.said.changed(name("foot"), self.look.fragment(self.request, "chats/foot.html", **shown)),
        ], now.state is not ChatState.ACTIVE


@router.get("/ansatt/samtaler/{chat_id}/strom", response_class=EventSourceResponse)
async def stream_for_helper(
    request: Request, begin: Transaction, desk: Chats, look: Look, helper: AtWork, chat: WorkChat, start: Start, ved: str = ""
) -> AsyncIterator[ServerSentEvent]:
    """The chosen talk and those beside it (`ved`: `<chat>.<last number>,...`), over one connection: browsers have six."""
    lasts = {chat.id: start, **{each: last for each, last in beside(ved) if each != chat.id}}
    page = HelperPage(request, begin, desk, look, helper, chat.id, lasts)
    async for event in follow(request, lasts, page.glance):
        yield event


def beside(written: str) -> list[tuple[UUID, int]]:
    """Chats and their last numbers as the page wrote them; what can't be read is left out."""
    found = []
    for part in written.split(",")[:10]:
        chat, _, last = part.partition(".")
        if last.isascii() and last.isdigit() and len(last) < 10:
            try:
                found.append((UUID(chat), int(last)))
            except ValueError:
                continue
    return found


def _messages(look: Look, request: Request, new: list[Message], reader: Author, name: str = "message") -> list[ServerSentEvent]:
    """Only the chosen talk's have an id to go on from; the others' are numbered in their markup, and seen twice shown once."""
    return [
        ServerSentEvent(
            event=None if name == "message" else name,
            id=str(message.number) if name == "message" else None,
            raw_data=look.fragment(request, "chats/message.html", message=message, reader=reader),
        )
        for message in new
    ]

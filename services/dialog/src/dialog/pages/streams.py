"""New messages as they are written: server-sent events, woken by PostgreSQL. The database tells ids, never text."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI, Query, Request
from fastapi.sse import ServerSentEvent
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dialog.store.chats import CHANNEL

LIFE = 120.0
"""Seconds after which a stream ends; the browser comes again at once, and whoever is logged out by then doesn't get in."""
LOOK_AGAIN = 10.0
"""Seconds after which one looks though nothing was told, should a word of the database be lost."""
BACK_OFF = 1.0
RETRY = 1000
"""Milliseconds that a browser waits before it comes again."""

log = structlog.get_logger("streams")


class Bell:
    """Wakes the streams of a chat in this process."""

    def __init__(self) -> None:
        self._ears: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def heard(self, chat_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happened to the chat."""
        ear = asyncio.Event()
        self._ears[chat_id].add(ear)
        try:
            yield ear
        finally:
            self._ears[chat_id].discard(ear)
            if not self._ears[chat_id]:
                del self._ears[chat_id]

    def ring(self, chat_id: UUID) -> None:
        for ear in self._ears.get(chat_id, ()):
            ear.set()

    def ring_all(self) -> None:
        """Something may have been missed."""
        for chat_id in tuple(self._ears):
            self.ring(chat_id)


@dataclass(frozen=True, slots=True)
class Glance:
    """What a stream has to say now, and whether that was the last."""

    events: list[ServerSentEvent]
    last: int
    """Number of the newest message."""
    over: bool = False


Look = Callable[[int], Awaitable[Glance]]
"""Number of the last message that the browser has -> what is new."""


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[None]:
    """Background of the web application: one connection that hears the database for all streams."""
    app.state.bell = Bell()
    task = asyncio.create_task(_listen(app.state.engine, app.state.bell))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def start_of(request: Request, etter: Annotated[int, Query(ge=0)] = 0) -> int:
    """The last message that the browser has: from `Last-Event-ID` when it comes again, else as the page says."""
    seen = request.headers.get("last-event-id", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else etter


Start = Annotated[int, Depends(start_of)]


async def follow(request: Request, chat_id: UUID, last: int, look: Look) -> AsyncIterator[ServerSentEvent]:
    """Events of a chat until it's over, the process stops, or LIFE is up."""
    bell: Bell = request.app.state.bell
    stopping: asyncio.Event = request.app.state.stopping
    ends = time.monotonic() + LIFE
    yield ServerSentEvent(retry=RETRY, comment="open")
    with bell.heard(chat_id) as rung:
        while not stopping.is_set() and time.monotonic() < ends:
            rung.clear()
            glance = await look(last)
            last = glance.last
            for event in glance.events:
                yield event
            if glance.over:
                return
            await _either(rung, stopping, min(LOOK_AGAIN, max(0.0, ends - time.monotonic())))


async def _either(rung: asyncio.Event, stopping: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.ensure_future(event.wait()) for event in (rung, stopping)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _listen(engine: AsyncEngine, bell: Bell) -> None:
    while True:
        try:
            async with engine.connect() as connection:
                await _hear(connection, bell)
        except Exception as error:  # the database is away: streams look by themselves until it's back
            log.warning("not listening for chats", exc_info=error)
        await asyncio.sleep(BACK_OFF)


async def _hear(connection: AsyncConnection, bell: Bell) -> None:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    gone = asyncio.Event()

    def heard(_driver: object, _pid: int, _channel: str, payload: str) -> None:
        bell.ring(UUID(payload))

    driver.add_termination_listener(lambda _: gone.set())
    await driver.add_listener(CHANNEL, heard)
    bell.ring_all()
    try:
        await gone.wait()
    finally:
        await connection.invalidate()  # a connection that listens must not go back to the pool

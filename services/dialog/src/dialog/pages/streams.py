"""New messages as they are written: server-sent events, woken by PostgreSQL. The database tells ids, never text."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from fastapi import FastAPI, Request
from fastapi.sse import ServerSentEvent
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dialog.domain.presence import LOOKS_EVERY
from dialog.store.chats import CHANNEL

LIFE = 60.0
"""Seconds after which a stream ends; the browser comes again at once, and whoever is logged out by then doesn't get in.
A phone that lost its network without a word counts as there for so long at most."""
LOOK_AGAIN = LOOKS_EVERY.total_seconds()
"""Seconds after which one looks though nothing was told: being away tells nothing, and a word of the database may be lost."""
BACK_OFF = 1.0
RETRY = 1000
"""Milliseconds that a browser waits before it comes again."""

log = structlog.get_logger("streams")


class Bell:
    """Wakes the streams of a chat, or of a service's queue, in this process."""

    def __init__(self) -> None:
        self._ears: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def heard(self, ids: Iterable[UUID]) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happened to one of them."""
        ear, listened = asyncio.Event(), set(ids)
        for each in listened:
            self._ears[each].add(ear)
        try:
            yield ear
        finally:
            for each in listened:
                self._ears[each].discard(ear)
                if not self._ears[each]:
                    del self._ears[each]

    def ring(self, told: UUID) -> None:
        for ear in self._ears.get(told, ()):
            ear.set()

    def ring_all(self) -> None:
        """Something may have been missed."""
        for each in tuple(self._ears):
            self.ring(each)


@dataclass(frozen=True, slots=True)
class Glance:
    """What a stream has to say now, and whether that was the last."""

    events: list[ServerSentEvent]
    over: bool = False


Look = Callable[[], Awaitable[Glance]]
"""Remembers what the browser has, and says what is new."""


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


async def follow(request: Request, ids: Iterable[UUID], look: Look) -> AsyncIterator[ServerSentEvent]:
    """Events of chats and queues until it's over, the process stops, or LIFE is up."""
    bell: Bell = request.app.state.bell
    stopping: asyncio.Event = request.app.state.stopping
    ends = time.monotonic() + LIFE
    yield ServerSentEvent(retry=RETRY, comment="open")
    with bell.heard(ids) as rung:
        while not stopping.is_set() and time.monotonic() < ends:
            rung.clear()
            glance = await look()
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

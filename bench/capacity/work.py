"""The pieces of work that a day consists of, done as people do them: pages, chats, open streams, journeys behind the login."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from uuid import uuid4

import asyncpg
import httpx
from contracts.codes import Language, PageClass
from contracts.info import UsageCount, UsageCounted
from servicekit.database import create_engine
from servicekit.delivery.outbox import beginner

from bench.pages_load import Connections, arrivals, at_rate, errors
from bench.pages_mix import addresses, asks
from deploy.local.journey.cast import CHAT_HELPER, cast
from deploy.local.journey.history import make_history
from deploy.local.journey.people import Helper, Youth, fine
from deploy.local.platform import Platform
from deploy.testing import until

SECOND_HELPER = "helper-2"
AT_ONCE = 5
"""Talks of one helper."""
FACTS_AT_ONCE, FACTS_SECONDS = 100, 120.0
AGES, TOPICS = ("13_15", "16_17"), ("mental_health", "body", "sexuality", "bullying")


class WorkError(RuntimeError):
    """Something wasn't answered, so its cost means nothing."""


async def read_pages(platform: Platform, pages: int, per_second: float, seed: int) -> None:
    """So many open pages, through the gateway, at a steady rate."""
    known = await addresses(platform.urls["info"])
    host = httpx.URL(platform.urls["info"]).netloc.decode()
    doors = Connections(platform.addresses.gateway_port)
    seconds = pages / per_second
    answers = await at_rate(doors.send, asks(known, pages, host, seed), arrivals(per_second, seconds, seed))
    await doors.close()
    if failed := errors(answers):
        raise WorkError(f"{failed} of {len(answers)} pages weren't answered")


async def chat(platform: Platform, chats: int) -> None:
    """So many chats, one after the other: asked for, taken, two messages each way, ended."""
    helper = Helper(platform.urls)
    await helper.goes_on_duty(CHAT_HELPER, cast().chat_service, AT_ONCE)
    for number in range(chats):
        youth = await request(platform, number)
        talk = await helper.takes_next()
        await youth.waits_for_helper()
        for text in ("Hei, har du tid?", "Det er noe på skolen."):
            await youth.says(text)
            await helper.answers(talk, "Ja. Så bra at du skriver.")
        await youth.ends_chat()
        await youth.leaves()
    await helper.ends_shift()
    await helper.leaves()


async def messages(platform: Platform, number: int) -> None:
    """So many messages of one youth in one talk: each a form that is sent and the page that comes back. The talk itself comes on top."""
    helper = Helper(platform.urls)
    await helper.goes_on_duty(CHAT_HELPER, cast().chat_service, AT_ONCE)
    youth = await request(platform, 0)
    await helper.takes_next()
    page = await youth.waits_for_helper()
    for _ in range(number):
        page = fine(await youth.browser.submit(page.form("/chat/samtale"), {"text": "Det er noe på skolen."}))
    await youth.ends_chat()
    await youth.leaves()
    await helper.ends_shift()
    await helper.leaves()


async def facts(platform: Platform, number: int) -> None:
    """So many facts, committed a hundred at a time: the relay tells them, Kafka keeps them, reporting counts them. Until it has."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    counted = (UsageCount(page_class=PageClass.ARTICLE, language=Language.BOKMAL, count=1),)
    engine = create_engine(platform.dsn("info"), "bench", pool_size=1)
    try:
        before = await _applied(platform)
        for first in range(0, number, FACTS_AT_ONCE):
            async with beginner(engine, "info")() as uow:
                for bucket in (uuid4() for _ in range(min(FACTS_AT_ONCE, number - first))):
                    uow.tell(UsageCounted(bucket_id=bucket, bucket_start=hour, bucket_seconds=3600, counts=counted), key=bucket, sequence=1)

        async def heard() -> bool:
            return await _applied(platform) - before >= number

        await until(heard, seconds=FACTS_SECONDS)
    finally:
        await engine.dispose()


async def _applied(platform: Platform) -> int:
    connection = await asyncpg.connect(platform.dsn("reporting"))
    try:
        return int(await connection.fetchval("select count(*) from inbox"))
    finally:
        await connection.close()


async def request(platform: Platform, number: int) -> Youth:
    """A youth who has asked for a chat and waits."""
    youth = Youth(platform.urls)
    await youth.asks_to_chat(cast().chat_service, TOPICS[number % len(TOPICS)], AGES[number % len(AGES)])
    return youth


async def journeys(platform: Platform, number: int) -> None:
    """So many youths from the search to an appointment, a handoff each."""
    await make_history(platform.urls, number, lambda _text: None)


@dataclass
class Streams:
    """Open pages that hold a stream: youths in the queue, and talks with a page open at each side."""

    platform: Platform
    waiting: int
    talking: int
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    dropped: int = 0

    async def __aenter__(self) -> Self:
        helpers = [Helper(self.platform.urls), Helper(self.platform.urls)]
        for person, helper in zip((CHAT_HELPER, SECOND_HELPER), helpers, strict=True):
            await helper.goes_on_duty(person, cast().chat_service, AT_ONCE)
            self._stack.push_async_callback(helper.leaves)
            self._stack.push_async_callback(helper.ends_shift)
        for number in range(self.talking):
            youth, helper = await self._youth(number), helpers[number % 2]
            talk = await helper.takes_next()
            await youth.waits_for_helper()
            self._stack.push_async_callback(youth.ends_chat)
            self._hold(youth, "/chat/strom")
            self._hold(helper, httpx.URL(talk.url).path + "/strom")
        for number in range(self.waiting):
            youth = await self._youth(number)
            self._stack.push_async_callback(youth.leaves_queue)
            self._hold(youth, "/chat/venter/strom")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        if self.dropped:
            raise WorkError(f"{self.dropped} streams were refused")

    async def _youth(self, number: int) -> Youth:
        youth = await request(self.platform, number)
        self._stack.push_async_callback(youth.leaves)
        return youth

    def _hold(self, person: Youth | Helper, path: str) -> None:
        self._tasks.append(asyncio.create_task(self._read(person, path)))

    async def _read(self, person: Youth | Helper, path: str) -> None:
        """As a browser does: when a stream ends, it comes again after a second."""
        while True:
            async with person.browser.stream(self.platform.urls["dialog"] + path) as answer:
                if answer.status_code != httpx.codes.OK:
                    self.dropped += 1
                    return
                async for _ in answer.aiter_bytes():
                    pass
            await asyncio.sleep(1)

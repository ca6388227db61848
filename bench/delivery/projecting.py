"""Reporting's own projections, by batch beside event by event."""

from functools import partial
from uuid import UUID, uuid4

import asyncpg
from contracts.codes import AgeBand, ChatOutcome, Language, TopicCode
from contracts.dialog import ChatAccepted, ChatEnded, ChatRequested
from contracts.event import Event
from reporting.consumers import HANDLERS
from servicekit.delivery.outbox import Begin

from bench.delivery.one_by_one import one_by_one
from bench.delivery.parts import Parts
from bench.delivery.stream import Keyed, by_batch, produce
from bench.delivery.timing import compared, in_turns
from bench.results import Progress, Result

NAME = "projections by batch"
UNIT = "events/s"
CHATS = 5000
FEW = 500
SHARE = 30.0


def _events() -> list[Keyed]:
    ids, service = [uuid4() for _ in range(CHATS)], uuid4()
    return [*((chat, place, event) for place in (1, 2, 3) for chat in ids if (event := _event(place, chat, service)))]


def _event(place: int, chat: UUID, service: UUID) -> Event:
    if place == 1:
        return ChatRequested(
            chat_id=chat,
            service_id=service,
            topic_code=next(iter(TopicCode)),
            age_band=next(iter(AgeBand)),
            language=next(iter(Language)),
        )
    if place == 2:
        return ChatAccepted(chat_id=chat, waited_seconds=chat.int % 3000)
    return ChatEnded(chat_id=chat, outcome=next(iter(ChatOutcome)), lasted_minutes=12)


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """Reporting reads chats from request to end, counts their steps and how long they waited."""
    events = _events()
    await produce(parts, "dialog", events)
    async with parts.database("reporting") as database:
        measures = {
            "floor": partial(one_by_one, parts, "reporting", database.begin, HANDLERS, FEW),
            "ours": partial(_counted, parts, database.dsn, database.begin, len(events)),
        }
        found = await in_turns(measures, rounds=5)
    result = compared(NAME, UNIT, found["ours"], found["floor"], at_least=SHARE)
    progress(f"{NAME}: {result.figure:.0f}/s, event by event {result.floor:.0f}/s")
    return [result]


async def _counted(parts: Parts, dsn: str, begin: Begin, events: int) -> float:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("truncate counts, waits")
        measured = await by_batch(parts, "reporting", dsn, begin, HANDLERS, events)
        counted = await connection.fetchval("select sum(count) from counts")
        waited = await connection.fetchval("select sum(count) from waits")
    finally:
        await connection.close()
    if (counted, waited) != (events, CHATS):
        raise RuntimeError(f"{counted} steps of {events} and {waited} waits of {CHATS} were counted")
    return measured

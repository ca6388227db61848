"""A durable command at its handler, state and fact committed, beside the same statements by bare asyncpg."""

import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import asyncpg
from contracts.event import Envelope
from contracts.info import ArticleWithdrawn
from servicekit.database import create_engine
from servicekit.delivery.outbox import Begin, beginner

from bench.delivery.articles import prepare, withdraw
from bench.delivery.parts import Parts, connected
from bench.delivery.timing import compared, in_turns, rate
from bench.results import Progress, Result

CONNECTIONS = {1: 0.5, 8: 0.33, 16: 0.33}
"""Connections -> share of the floor that is promised."""
SECONDS, ROUNDS = 0.25, 12
UNIT = "commands/s"

_STATE = "update bench_articles set told = told + 1 where id = $1 returning told"
_FACT = """with told as (insert into outbox (topic, key, headers, value, time) values ($1, $2, $3::text::jsonb, $4, $5))
select pg_notify('outbox', '')"""


def name(connections: int) -> str:
    """What the result is called."""
    return f"durable command, {connections} connection{'s' if connections > 1 else ''}"


async def bare(connection: asyncpg.Connection, article: UUID, row: tuple[object, ...]) -> None:
    """State and fact, everything made ready beforehand."""
    async with connection.transaction():
        await connection.fetchval(_STATE, article)
        await connection.execute(_FACT, *row)


def bare_row(article: UUID) -> tuple[object, ...]:
    """The columns of a fact about an article, as the handler would write them."""
    now = datetime.now(UTC).replace(microsecond=0)
    headers = json.dumps(Envelope(uuid4(), ArticleWithdrawn.type, "info", now, 1).headers())
    return ArticleWithdrawn.topic, str(article), headers, ArticleWithdrawn(publication_id=article).model_dump_json().encode(), now


async def _command(begin: Begin, article: UUID) -> None:
    async with begin() as uow:
        await withdraw(article, uow)


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """At 1, 8 and 16 connections, each worker with an article of its own."""
    dsn = await parts.dsn("info")
    articles = await prepare(dsn)
    results = []
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(dsn)) for _ in range(max(CONNECTIONS))]
        engine = create_engine(dsn, "bench", pool_size=max(CONNECTIONS))
        stack.push_async_callback(engine.dispose)
        begin = beginner(engine, "info")
        for count, share in CONNECTIONS.items():
            floor = [partial(bare, connections[n], articles[n], bare_row(articles[n])) for n in range(count)]
            ours = [partial(_command, begin, articles[n]) for n in range(count)]
            await rate(ours, 0.3)
            await rate(floor, 0.3)
            found = await in_turns({"floor": partial(rate, floor, SECONDS), "ours": partial(rate, ours, SECONDS)}, ROUNDS)
            results.append(compared(name(count), UNIT, found["ours"], found["floor"], at_least=share))
            progress(f"{results[-1].name}: {results[-1].figure:.0f}/s, bare {results[-1].floor:.0f}/s")
    return results

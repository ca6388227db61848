"""A consumer with inbox and effect, by batch beside event by event; both with the same handler, both read the same events."""

from functools import partial
from uuid import uuid4

import asyncpg
from contracts.dialog import AnswerRecalled
from servicekit.delivery.inbox import Handlers

from bench.delivery.articles import count, prepare
from bench.delivery.one_by_one import one_by_one
from bench.delivery.parts import Parts
from bench.delivery.stream import by_batch, produce
from bench.delivery.timing import compared, in_turns
from bench.results import Progress, Result
from deploy.testing.databases import Database

NAME = "consumer by batch"
UNIT = "events/s"
EVENTS, KEYS = 6000, 200
FEW = 500
"""Events that the slow way gets through in a reasonable time."""
SHARE = 6.0
HANDLERS: Handlers = {AnswerRecalled: count}


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """Info reads what dialog told about publications; each key's events must come in order."""
    keys = [uuid4() for _ in range(KEYS)]
    await produce(parts, "dialog", [(keys[n % KEYS], n // KEYS + 1, AnswerRecalled(publication_id=keys[n % KEYS])) for n in range(EVENTS)])
    async with parts.database("info") as database:
        await prepare(database.dsn)
        measures = {
            "floor": partial(one_by_one, parts, "info", database.begin, HANDLERS, FEW),
            "ours": partial(_ordered, parts, database),
        }
        found = await in_turns(measures, rounds=5)
    result = compared(NAME, UNIT, found["ours"], found["floor"], at_least=SHARE)
    progress(f"{NAME}: {result.figure:.0f}/s, event by event {result.floor:.0f}/s; order per key kept")
    return [result]


async def _ordered(parts: Parts, database: Database) -> float:
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute("truncate bench_effects")
        measured = await by_batch(parts, "info", database.dsn, database.begin, HANDLERS, EVENTS)
        times, inversions, keys = await connection.fetchrow("select sum(times), sum(inversions), count(*) from bench_effects")
    finally:
        await connection.close()
    if (times, inversions, keys) != (EVENTS, 0, KEYS):
        raise RuntimeError(f"{times} of {EVENTS} effects, {inversions} out of order, {keys} of {KEYS} keys")
    return measured

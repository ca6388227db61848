"""What a table's size costs: a million receipts, and an outbox through which a million facts have gone, beside empty ones."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID, uuid4

import asyncpg
from contracts.info import ArticleWithdrawn
from servicekit.delivery.inbox import apply
from servicekit.delivery.lanes import abandon
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.delivery.record import Record
from servicekit.delivery.relay import WINDOW, Relay

from bench.delivery.articles import prepare
from bench.delivery.parts import Parts, connected
from bench.delivery.relaying import drain, fill
from bench.delivery.timing import compared, in_turns
from bench.results import Progress, Result
from deploy.testing.records import record_of

ROWS = 1_000_000
KEYS_SHARE = 10
"""Receipts per key."""
INBOX, OUTBOX = "inbox beside many receipts", "relay after many facts"
SHARE = 0.9
BATCH = 500
COLD, WARM, COUNTED = 5, 20, 60
"""Batches right after a checkpoint, more until most pages were written once since, and those that count; each on both sides in turn."""
WAVES = 5

_RECEIPTS = """insert into inbox (consumer, event_id, received_at)
select 'reporting', gen_random_uuid(), now() - n * interval '1 second' from generate_series(1, $1::int) as n"""
_KEYS = """insert into inbox_keys (consumer, topic, key, last_sequence, applied_at)
select 'reporting', $1, gen_random_uuid()::text, 1, now() from generate_series(1, $2::int)"""
_SENT = "delete from outbox where position = any (array(select position from outbox order by position limit $1))"
_TIDY = ("vacuum analyze inbox", "vacuum analyze inbox_keys")
_BYTES = "select pg_total_relation_size('inbox') + pg_total_relation_size('inbox_keys')"


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """Two databases side by side, one of them full or used."""
    dsns = [await parts.dsn("info", name) for name in ("bench_small", "bench_large")]
    for dsn in dsns:
        await prepare(dsn)
    return [await _inbox(parts, dsns[1], progress), await _outbox(parts, dsns, progress)]


async def _inbox(parts: Parts, large: str, progress: Progress) -> Result:
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connected(large))
        began = time.perf_counter()
        await connection.execute(_RECEIPTS, ROWS)
        await connection.execute(_KEYS, ArticleWithdrawn.topic, ROWS // KEYS_SHARE)
        for statement in _TIDY:
            await connection.execute(statement)
        size = await connection.fetchval(_BYTES)
        progress(f"{ROWS:,} receipts made in {time.perf_counter() - began:.0f} s: {size / 2**20:.0f} MB")
        begins = [(await stack.enter_async_context(parts.database("info", name))).begin for name in ("bench_small", "bench_large")]
        measures = {"small": partial(_apply, begins[0]), "large": partial(_apply, begins[1])}
        await asyncio.to_thread(parts.postgres.run, lambda admin: admin.execute("checkpoint"))
        cold = await in_turns(measures, COLD)
        await in_turns(measures, WARM)
        found = await in_turns(measures, COUNTED)
    first = statistics.median(cold["large"]) / statistics.median(cold["small"])
    each = size / ROWS
    raw = {"rows": ROWS, "bytes_per_receipt": each, "ratio_after_checkpoint": first}
    result = compared(INBOX, "events/s", found["large"], found["small"], at_least=SHARE, **raw)
    ten = f"ten million receipts would take {each * 1e7 / 2**30:.1f} GB of disk"
    progress(f"{INBOX}: {result.ratio:.2f}x, {first:.2f}x right after a checkpoint; {ten}")
    return result


async def _apply(begin: Begin) -> float:
    records = _records([uuid4() for _ in range(BATCH // 5)])
    began = time.perf_counter()
    await apply(begin, "reporting", records, {ArticleWithdrawn: _nothing})
    return BATCH / (time.perf_counter() - began)


async def _nothing(_event: ArticleWithdrawn, _uow: UnitOfWork) -> None:
    """An effect would hide what receipts and order cost."""


def _records(keys: Sequence[UUID]) -> list[Record]:
    return [record_of(ArticleWithdrawn(publication_id=key), key=key, sequence=n) for n in range(1, 6) for key in keys]


async def _use(connection: asyncpg.Connection) -> None:
    """Facts come and go, as the relay takes them: the oldest first, a window at a time."""
    for _ in range(WAVES):
        await fill(connection, ROWS // WAVES)
        for _ in range(0, ROWS // WAVES, WINDOW):
            await connection.execute(_SENT, WINDOW)


async def _outbox(parts: Parts, dsns: Sequence[str], progress: Progress) -> Result:
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(dsn)) for dsn in dsns]
        began = time.perf_counter()
        await _use(connections[1])
        size = await connections[1].fetchval("select pg_total_relation_size('outbox')")
        progress(f"{ROWS:,} facts came and went in {time.perf_counter() - began:.0f} s: {size / 2**20:.0f} MB of table")
        await connections[1].execute("vacuum analyze outbox")  # as autovacuum does after every 1,000 dead rows
        await asyncio.to_thread(parts.postgres.run, lambda admin: admin.execute("checkpoint"))
        relays = [Relay(parts.settings("info", dsn)) for dsn in dsns]
        for relay in relays:
            stack.push_async_callback(abandon, await relay._ready_producer())
        measures = {
            "small": partial(drain, relays[0], connections[0], 10_000),
            "large": partial(drain, relays[1], connections[1], 10_000),
        }
        await in_turns(measures, rounds=2)
        found = await in_turns(measures, rounds=6)
    result = compared(OUTBOX, "facts/s", found["large"], found["small"], at_least=SHARE, rows=ROWS, table_bytes=size)
    progress(f"{OUTBOX}: {result.ratio:.2f}x")
    return result

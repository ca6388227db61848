"""The relay, from committed to acknowledged and forgotten, beside a bare producer and beside claim, send and mark row by row."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import groupby
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from servicekit.delivery.lanes import BATCH_BYTES, abandon
from servicekit.delivery.relay import WINDOW, Relay

from bench.delivery.articles import prepare
from bench.delivery.parts import Parts, connected
from bench.delivery.timing import compared, in_turns
from bench.results import Progress, Result
from deploy.testing import golden_examples

NAME = "relay, commit to acknowledged"
UNIT = "facts/s"
FACTS, KEYS = 20_000, 1000
FEW = 200
"""Facts that the slow way gets through in a reasonable time."""
EXAMPLE = golden_examples("info.article.published.v1")[0]

FILL = """insert into {table} (topic, key, headers, value, time)
select $1, md5((n % $2)::text)::uuid::text, $3::text::jsonb || jsonb_build_object('ce_id', gen_random_uuid()::text,
  'ce_sequence', (n / $2 + 1)::text), $4, date_trunc('second', now())
from generate_series(0, $5::int - 1) as n"""
_CLAIM = """select position, topic, key, headers, value, time from bench_rows where sent_at is null
order by position limit 1 for update skip locked"""
_MARK = "update bench_rows set sent_at = now() where position = $1"
_READ = "select position, topic, key, headers, value, time from outbox order by position"


async def fill(connection: asyncpg.Connection, count: int, table: str = "outbox") -> None:
    """So many facts about articles, in one commit."""
    value = json.dumps(EXAMPLE.data).encode()
    await connection.execute(FILL.format(table=table), EXAMPLE.topic, KEYS, json.dumps(EXAMPLE.headers), value, count)


def producer_of(parts: Parts, compression: str | None = "gzip") -> AIOKafkaProducer:
    """A bare producer with the relay's settings."""
    return AIOKafkaProducer(
        **parts.kafka.access("info").aiokafka,
        acks="all",
        enable_idempotence=True,
        compression_type=compression,
        max_batch_size=BATCH_BYTES,
    )


async def drain(relay: Relay, connection: asyncpg.Connection, count: int = FACTS) -> float:
    """Facts per second of the relay."""
    await fill(connection, count)
    began, done = time.perf_counter(), 0
    while done < count:
        done += await relay.round(connection)
    return done / (time.perf_counter() - began)


async def _bare(producer: AIOKafkaProducer, rows: Sequence[dict[str, Any]]) -> float:
    """Facts per second when everything is at hand and nothing has to be remembered: the relay's batches, partitions side by side."""
    began = time.perf_counter()
    for begins in range(0, len(rows), WINDOW):
        window = sorted(rows[begins : begins + WINDOW], key=lambda row: row["partition"])
        lanes = [(partition, list(lane)) for partition, lane in groupby(window, key=lambda row: row["partition"])]
        await asyncio.gather(*(_lane(producer, partition, lane) for partition, lane in lanes))
    return len(rows) / (time.perf_counter() - began)


async def _lane(producer: AIOKafkaProducer, partition: int, lane: Sequence[dict[str, Any]]) -> None:
    builder = producer.create_batch()
    for row in lane:
        if builder.append(**row["record"]) is None:
            await (await producer.send_batch(builder, EXAMPLE.topic, partition=partition))
            builder = producer.create_batch()
            builder.append(**row["record"])
    await (await producer.send_batch(builder, EXAMPLE.topic, partition=partition))


def _ready(row: asyncpg.Record, partitions: int) -> dict[str, Any]:
    headers = [(name, text.encode()) for name, text in json.loads(row["headers"]).items()]
    record = {"timestamp": int(row["time"].timestamp() * 1000), "key": row["key"].encode(), "value": row["value"], "headers": headers}
    return {"partition": int(row["key"][:4], 16) % partitions, "record": record}


async def _row_by_row(producer: AIOKafkaProducer, connection: asyncpg.Connection) -> float:
    await connection.execute("truncate bench_rows")
    await fill(connection, FEW, "bench_rows")
    began = time.perf_counter()
    for _ in range(FEW):
        async with connection.transaction():
            row = await connection.fetchrow(_CLAIM)
            headers = [(name, text.encode()) for name, text in json.loads(row["headers"]).items()]
            await producer.send_and_wait(row["topic"], row["value"], key=row["key"].encode(), headers=headers)
            await connection.execute(_MARK, row["position"])
    return FEW / (time.perf_counter() - began)


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """20,000 facts of 1,000 keys at a time, on the topic's three partitions."""
    dsn = await parts.dsn("info")
    await prepare(dsn)
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connected(dsn))
        bare = await stack.enter_async_context(producer_of(parts))
        unpacked = await stack.enter_async_context(producer_of(parts, None))
        packed_relay, unpacked_relay = (Relay(parts.settings("info", dsn)) for _ in range(2))
        stack.push_async_callback(abandon, await packed_relay._ready_producer())
        unpacked_relay._producer = await stack.enter_async_context(producer_of(parts, None))
        await connection.execute("truncate outbox")
        await fill(connection, FACTS)
        rows = [_ready(row, len(await bare.partitions_for(EXAMPLE.topic))) for row in await connection.fetch(_READ)]
        await connection.execute("truncate outbox")
        measures = {
            "bare": partial(_bare, bare, rows),
            "relay": partial(drain, packed_relay, connection),
            "bare unpacked": partial(_bare, unpacked, rows),
            "relay unpacked": partial(drain, unpacked_relay, connection),
            "row by row": partial(_row_by_row, bare, connection),
        }
        found = await in_turns(measures)
    results = [
        compared(NAME, UNIT, found["relay"], found["bare"], at_least=0.4),
        compared("relay beside row by row", UNIT, found["relay"], found["row by row"], at_least=20),
        compared("relay with gzip beside without", UNIT, found["relay"], found["relay unpacked"], at_least=0.8),
        compared("bare producer with gzip beside without", UNIT, found["bare"], found["bare unpacked"]),
    ]
    progress(f"{NAME}: {results[0].figure:.0f}/s, bare {results[0].floor:.0f}/s, row by row {results[1].floor:.0f}/s")
    return results

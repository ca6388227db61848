"""What Kafka brings that is no event of ours is parked or ignored, counted, said in one line without payload; it delays no other key."""

import asyncio
import gzip
import os
import signal
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from contracts.info import ArticleWithdrawn
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.parking import parked_events, parked_keys
from servicekit.delivery.unpacking import MOST_UNPACKED, GuardedRecords, RefusedBatch
from structlog.testing import capture_logs

from deploy.testing import record_of, until

TOPIC = ArticleWithdrawn.topic
BOMB = 265 * 1000 * 1000
"""Zeros that pack to just under the topics' 256 kB."""
MEMORY_MB = 96
"""What reading a bomb may add to a reader's memory at most."""


@pytest.fixture
async def producer(kafka):
    made = AIOKafkaProducer(
        **kafka.access("info").aiokafka, acks="all", compression_type="gzip", max_batch_size=2**29, max_request_size=2**29
    )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def group():
    return f"reporting-{uuid4()}"


async def bomb_of(producer: AIOKafkaProducer):
    """A packed batch of one record. Packing it takes seconds."""
    builder = producer.create_batch()
    builder.append(timestamp=int(time.time() * 1000), key=b"bomb", value=bytes(BOMB))
    await asyncio.to_thread(builder.close)
    return builder


async def send(producer: AIOKafkaProducer, article, *sequences: int) -> None:
    for sequence in sequences:
        record = record_of(ArticleWithdrawn(publication_id=article), key=article, sequence=sequence)
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        await producer.send_and_wait(TOPIC, record.value, key=record.key.encode(), headers=headers, partition=0)


def peak_mb(pid: int) -> int:
    """The most memory that a process has held."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


async def test_a_batch_that_unpacks_to_hundreds_of_megabytes_is_parked_within_bounds(reader, articles, kafka, producer, group):
    """INVARIANT: one hostile batch takes little memory, is parked at its place, and what comes behind it flows."""
    before, after = uuid4(), uuid4()
    await send(producer, before, 1)
    script = str(Path(__file__).with_name("slow_reader.py"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        script,
        reader.dsn,
        group,
        stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, **kafka.access("reporting").environment},
    )
    try:
        await until(lambda: _has(articles, reader, before, 1), seconds=60)
        calm = peak_mb(process.pid)
        bomb = await bomb_of(producer)
        await (await producer.send_batch(bomb, TOPIC, partition=0))
        await send(producer, after, 1, 2)
        await until(lambda: _has(articles, reader, after, 2), seconds=60)
        peak = peak_mb(process.pid)
        print(f"calm {calm} MB, peak {peak} MB")  # noqa: T201
        assert peak - calm < MEMORY_MB
        assert process.returncode is None
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with reader.engine.connect() as connection:
        [key] = [key for key in await parked_keys(connection, group) if key.key.startswith(f"{TOPIC}/0/")]
        [event] = await parked_events(connection, group, key.key)
    assert (event.reason, event.bytes) == ("unreadable", 0)


BAD = (
    {"value": b"no json"},
    {"value": b"[]"},
    {"ce_source": b"dialog"},
    {"ce_type": b"\xff"},
    {"ce_sequence": b"-1"},
)


async def _seconds(sending: Coroutine[None, None, None], condition: Callable[[], Awaitable[bool]]) -> float:
    """From the first record sent to the last one applied."""
    began = time.monotonic()
    await sending
    await until(condition, seconds=20)
    return time.monotonic() - began


async def _has(articles, reader, article, times: int) -> bool:
    return await articles.effects(reader, article) == (times, 0)


def records_of(value: bytes, codec_number: int = 1, packed: bytes | None = None) -> bytes:
    """The bytes of a batch in Kafka's format 2, with one record."""
    body = b"\x00\x00\x00\x01" + _varint(len(value)) + value + b"\x00"
    record = _varint(len(body)) + body
    payload = packed if packed is not None else gzip.compress(record)
    rest = struct.pack(">hiqqqhii", codec_number, 0, 0, 0, -1, -1, -1, 1) + payload
    return struct.pack(">qiibI", 7, len(rest) + 9, 0, 2, 0) + rest


def _varint(number: int) -> bytes:
    number <<= 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def test_a_batch_of_ordinary_size_is_read_as_ever():
    records = GuardedRecords(records_of(os.urandom(100_000)) * 3)
    for _ in range(3):
        assert records.has_next()
        [record] = records.next_batch()
        assert (record.offset, len(record.value)) == (7, 100_000)
    assert not records.has_next()


@pytest.mark.parametrize(
    "data",
    [
        records_of(bytes(MOST_UNPACKED + 1)),
        records_of(b"", packed=b"no gzip at all" * 1000),
        records_of(b"", packed=os.urandom(100), codec_number=4),
    ],
    ids=["unpacks to too much", "can't be unpacked", "codec"],
)
def test_a_batch_that_must_not_be_unpacked_is_one_unreadable_record_and_the_next_is_read(data):
    """INVARIANT: no batch stops its partition, and its place is known."""
    with capture_logs() as lines:
        records = GuardedRecords(data + records_of(b"fine"))
        refused = records.next_batch()
    assert isinstance(refused, RefusedBatch)
    [record] = refused
    assert (record.offset, record.key, record.value, refused.next_offset) == (7, None, None, 8)
    assert [line["event"] for line in lines] == ["batch refused"]
    [fine] = records.next_batch()
    assert fine.value == b"fine"


async def test_bad_records_delay_the_other_keys_of_their_partition_by_less_than_a_second(
    reader, articles, kafka, producer, settings, running, group
):
    """INVARIANT: not JSON, wrong schema, unknown source, replayed id, reversed sequence: others are applied within a second."""
    fine = uuid4()
    reading = Consumer(
        "reporting", settings(reader.dsn, kafka.access("reporting")), reader.begin, {ArticleWithdrawn: articles.on_withdrawn}, group=group
    )
    with capture_logs() as lines:
        async with running(reading):
            await send(producer, fine, 1)
            await until(lambda: _has(articles, reader, fine, 1), seconds=60)
            bad: list[str] = []

            async def among(changes: Iterable[dict[str, bytes]], *sequences: int) -> None:
                for change in changes:
                    key = uuid4()
                    bad.append(str(key))
                    record = record_of(ArticleWithdrawn(publication_id=key), key=key, sequence=1)
                    headers = {name: value.encode() for name, value in record.headers.items()} | change
                    value = headers.pop("value", record.value)
                    await producer.send(TOPIC, value, key=record.key.encode(), headers=list(headers.items()), partition=0)
                await send(producer, fine, *sequences)

            calm = await _seconds(among([{}] * len(BAD), 2, 3, 4, 5, 6), lambda: _has(articles, reader, fine, 6))
            bad.clear()
            among_bad = await _seconds(among(BAD, 7, 5, 6, 7, 8), lambda: _has(articles, reader, fine, 8))
    print(f"calm {calm:.2f} s, among bad records {among_bad:.2f} s")  # noqa: T201
    assert among_bad < calm + 1
    async with reader.engine.connect() as connection:
        waiting = {key.key: key.reason for key in await parked_keys(connection, group)}
    assert [waiting[key] for key in bad] == ["ValidationError", "ValidationError", "wrong_source", "unreadable", "unreadable"]
    assert str(fine) not in waiting
    assert [line["reason"] for line in lines if line["event"] == "key parked"] == [waiting[key] for key in bad]

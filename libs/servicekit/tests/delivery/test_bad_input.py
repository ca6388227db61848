"""What Kafka brings that is no event of ours is parked or ignored, counted, said in one line without payload; it delays no other key."""

import asyncio
import gzip
import importlib
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
from aiokafka.codec import gzip_encode
from aiokafka.record import default_records
from contracts.info import ArticleWithdrawn
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.parking import parked_events, parked_keys
from servicekit.delivery.unpacking import MOST_UNPACKED, GuardedRecords
from structlog.testing import capture_logs

from deploy.testing import Standstill, record_of, until

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
    """A packed batch of one record. Packing it takes seconds: level 1, at which our relays pack, leaves more than a topic takes."""
    builder = producer.create_batch()
    builder.append(timestamp=int(time.time() * 1000), key=b"bomb", value=bytes(BOMB))
    packing = importlib.import_module(default_records.DefaultRecordBatchBuilder.__module__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vars(packing), "gzip_encode", gzip_encode)
        await asyncio.to_thread(builder._build)
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
    {"ce_time": None},
)


async def _seconds(sending: Coroutine[None, None, None], condition: Callable[[], Awaitable[bool]]) -> float:
    """From the first record sent to the last one applied."""
    with Standstill() as still:
        began = time.monotonic()
        await sending
        await until(condition, seconds=20)
        took = time.monotonic() - began
    return took - still.seconds


async def _has(articles, reader, article, times: int) -> bool:
    return await articles.effects(reader, article) == (times, 0)


def record_in_batch(value: bytes, headers: bytes = b"\x00", place: int = 0) -> bytes:
    """A record of a batch, with the key `k`."""
    body = b"\x00\x00" + _varint(place) + _varint(1) + b"k" + _varint(len(value)) + value + headers
    return _varint(len(body)) + body


def batch_of(payload: bytes, codec_number: int = 1, count: int = 1) -> bytes:
    """The bytes of a batch in Kafka's format 2 that begins at offset 7."""
    rest = struct.pack(">hiqqqhii", codec_number, count - 1, 0, 0, -1, -1, -1, count) + payload
    return struct.pack(">qiibI", 7, len(rest) + 9, 0, 2, 0) + rest


def packed(payload: bytes, *, second_begins: int = 0) -> bytes:
    """By gzip, also in two members: readers put them together."""
    parts = [payload[:second_begins], payload[second_begins:]]
    return b"".join(gzip.compress(part) for part in parts if part)


def _varint(number: int) -> bytes:
    number <<= 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


FINE = batch_of(packed(record_in_batch(b"fine")))
TOO_MUCH = record_in_batch(bytes(MOST_UNPACKED + 1))
STRANGE_NAME = b"\x02" + _varint(2) + b"\xff\xfe" + _varint(1) + b"x"
"""Headers of a record: one, with a name that is no text."""


@pytest.mark.parametrize("second_begins", [0, 50])
def test_a_batch_of_ordinary_size_is_read_as_ever(second_begins):
    ordinary = packed(record_in_batch(os.urandom(100_000)), second_begins=second_begins)
    records = GuardedRecords(batch_of(ordinary) * 2 + batch_of(record_in_batch(os.urandom(100_000)), codec_number=0))
    for _ in range(3):
        assert records.has_next()
        [record] = records.next_batch()
        assert (record.offset, record.key, len(record.value)) == (7, b"k", 100_000)
    assert not records.has_next()


@pytest.mark.parametrize(
    "data",
    [
        batch_of(packed(TOO_MUCH)),
        batch_of(packed(TOO_MUCH, second_begins=20)),
        batch_of(b"no gzip"),
        batch_of(packed(record_in_batch(b"cut"))[:-9]),
        batch_of(packed(record_in_batch(b"followed")) + b"by something"),
        batch_of(os.urandom(100), codec_number=4),
        batch_of(packed(record_in_batch(b"alone")), count=2),
    ],
    ids=["too much", "too much in two members", "no gzip", "cut short", "something behind it", "codec", "a record too few"],
)
def test_a_batch_that_must_not_be_unpacked_is_one_unreadable_record_and_the_next_is_read(data):
    """INVARIANT: no batch stops its partition, and its place is known."""
    with capture_logs() as lines:
        records = GuardedRecords(data + FINE)
        refused = records.next_batch()
        *_, record = refused
    assert (record.offset, record.key, record.value) == (refused.next_offset - 1, None, None)
    assert [line["event"] for line in lines] == ["batch refused"]
    [fine] = records.next_batch()
    assert fine.value == b"fine"


def test_a_header_whose_name_is_no_text_makes_one_record_unreadable_and_no_other():
    """INVARIANT: what aiokafka can't read keeps its place, key and value, and what stands behind it in the same batch is read."""
    payload = record_in_batch(b"a") + record_in_batch(b"b", STRANGE_NAME, place=1) + record_in_batch(b"c", place=2)
    for batch in (batch_of(packed(payload), count=3), batch_of(payload, codec_number=0, count=3)):
        read = GuardedRecords(batch + FINE).next_batch()
        assert [(record.offset, record.key, record.value, len(record.headers)) for record in read] == [
            (7, b"k", b"a", 0),
            (8, b"k", b"b", 0),
            (9, b"k", b"c", 0),
        ]


def with_something_behind(payload: bytes, _level: int | None = None) -> bytes:
    return gzip.compress(payload) + b"something"


class StrangeName(str):
    """A header's name that isn't UTF-8."""

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


async def send_hostile(producer: AIOKafkaProducer, monkeypatch: pytest.MonkeyPatch, how: str) -> int:
    """A batch that a broker takes; aiokafka's own reader begins at it again and again. Its offset."""
    batch = producer.create_batch()
    if how == "name":
        batch._builder = default_records._DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 2**20)
        batch.append(timestamp=int(time.time() * 1000), key=b"hostile", value=b"x", headers=[(StrangeName(), b"x")])
    else:
        batch.append(timestamp=int(time.time() * 1000), key=b"hostile", value=bytes(1000), headers=[])
    packing = importlib.import_module(default_records.DefaultRecordBatchBuilder.__module__)
    with monkeypatch.context() as patch:
        patch.setitem(vars(packing), "gzip_encode", with_something_behind)
        return (await (await producer.send_batch(batch, TOPIC, partition=0))).offset


@pytest.mark.parametrize(("how", "kept_under"), [("name", "hostile"), ("something behind it", f"{TOPIC}/0/{{}}")])
async def test_what_a_broker_takes_and_the_client_cannot_read_stops_nothing(
    reader, articles, kafka, producer, settings, running, group, monkeypatch, how, kept_under
):
    """INVARIANT: a record that the client itself fails at is parked as well, and the service reads on."""
    fine = uuid4()
    await send(producer, fine, 1)
    place = await send_hostile(producer, monkeypatch, how)
    await send(producer, fine, 2)
    reading = Consumer(
        "reporting", settings(reader.dsn, kafka.access("reporting")), reader.begin, {ArticleWithdrawn: articles.on_withdrawn}, group=group
    )
    async with running(reading):
        await until(lambda: _has(articles, reader, fine, 2), seconds=30)
    async with reader.engine.connect() as connection:
        [waiting] = await parked_keys(connection, group)
    assert (waiting.key, waiting.reason) == (kept_under.format(place), "unreadable")


async def test_bad_records_delay_the_other_keys_of_their_partition_by_less_than_a_second(
    reader, articles, kafka, producer, settings, running, group
):
    """INVARIANT: no JSON, wrong schema, unknown source, no value, replayed id, reversed sequence: others are applied within a second."""
    fine = uuid4()
    reading = Consumer(
        "reporting", settings(reader.dsn, kafka.access("reporting")), reader.begin, {ArticleWithdrawn: articles.on_withdrawn}, group=group
    )
    with capture_logs() as lines:
        async with running(reading):
            await send(producer, fine, 1)
            await until(lambda: _has(articles, reader, fine, 1), seconds=60)
            bad: list[str] = []

            async def among(changes: Iterable[dict[str, bytes | None]], *sequences: int) -> None:
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
    assert [waiting[key] for key in bad] == ["ValidationError", "ValidationError", "wrong_source", *["unreadable"] * 3]
    assert str(fine) not in waiting
    assert [line["reason"] for line in lines if line["event"] == "key parked"] == [waiting[key] for key in bad]

"""What Kafka delivers is applied once and in order, through failures of the database, of Kafka and of the reader itself."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from contracts.catalogue import TOPICS
from contracts.info import ArticleWithdrawn
from prometheus_client import REGISTRY
from servicekit.delivery import consumer as consuming
from servicekit.delivery import metrics
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.inbox import apply
from servicekit.delivery.lanes import _partition
from servicekit.delivery.parking import parked_events
from servicekit.delivery.relay import Relay
from sqlalchemy.exc import DBAPIError

from deploy.kafka.topics import ensure_topics
from deploy.local.kafka import LocalKafka
from deploy.local.processes import free_ports
from deploy.testing import record_of, until

TOPIC = ArticleWithdrawn.topic


class DeadlockError(Exception):
    sqlstate = "40P01"


@pytest.fixture
async def producer(kafka):
    made = AIOKafkaProducer(**kafka.access("info").aiokafka, acks="all", enable_idempotence=True)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def group():
    return f"reporting-{uuid4()}"


@pytest.fixture
def create(reader, kafka, settings, articles, group):
    def create(bootstrap: str | None = None) -> Consumer:
        where = settings(reader.dsn, bootstrap or kafka.access("reporting"))
        return Consumer("reporting", where, reader.begin, {ArticleWithdrawn: articles.on_withdrawn}, group=group)

    return create


async def send(producer: AIOKafkaProducer, article: UUID, *sequences: int, times: int = 1) -> None:
    """All in one batch."""
    acks = []
    for sequence in sequences:
        record = record_of(ArticleWithdrawn(publication_id=article), key=article, sequence=sequence)
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        acks += [await producer.send(TOPIC, record.value, key=record.key.encode(), headers=headers) for _ in range(times)]
    await asyncio.gather(*acks)


@pytest.fixture
def applied(articles, reader):
    """Whether an article's events had so many effects, all in order."""

    def applied(article: UUID, times: int):
        async def condition() -> bool:
            return await articles.effects(reader, article) == (times, 0)

        return condition

    return applied


async def test_a_fact_has_one_effect_in_another_service(database, articles, kafka, settings, create, running, applied, producer):
    """INVARIANT: state, fact and effect agree; what Kafka delivers twice changes nothing."""
    [article] = await articles.create(database)
    async with running(Relay(database.engine, settings(database.dsn, kafka.access("info")))), running(create()):
        for _ in range(3):
            async with database.begin() as uow:
                await articles.withdraw(uow, article)
        await until(applied(article, 3))
        await send(producer, article, 4, times=3)
        await send(producer, article, 2, 5)
        await until(applied(article, 5))


async def test_what_cannot_be_read_is_parked_and_the_rest_flows(create, running, producer, reader, applied, group, monkeypatch):
    """INVARIANT: nothing that Kafka delivers is skipped in silence, nor does it stop the partition."""
    monkeypatch.setattr(consuming, "WATCH_SECONDS", 0.5)
    fine, strange = uuid4(), str(uuid4())
    await producer.send_and_wait(TOPIC, b"?", key=strange.encode(), headers=[("ce_type", b"\xff\xfe")])
    await producer.send_and_wait(TOPIC, None, key=strange.encode())
    await send(producer, fine, 1, 2)

    async def both_parked() -> bool:
        async with reader.engine.connect() as connection:
            reasons = [event.reason for event in await parked_events(connection, group, strange)]
        return sorted(reasons) == ["behind_a_parked_event", "unreadable"]

    async def seen_outside() -> bool:
        lags = [REGISTRY.get_sample_value("stegvis_consumer_lag", {"topic": TOPIC, "partition": str(number)}) for number in range(3)]
        return lags == [0, 0, 0] and REGISTRY.get_sample_value("stegvis_parked_events", {"topic": TOPIC}) == 2

    async with running(create()):
        await until(both_parked)
        await until(applied(fine, 2))
        await until(seen_outside)


async def test_a_database_that_is_away_delays_but_loses_nothing(create, running, producer, applied, monkeypatch):
    """INVARIANT: an event that could not be applied comes again."""
    failures = iter(range(3))

    async def sometimes(*arguments, **options):
        if next(failures, None) is not None:
            raise ConnectionRefusedError
        await apply(*arguments, **options)

    monkeypatch.setattr(consuming, "apply", sometimes)
    keys = [uuid4() for _ in range(10)]
    for key in keys:
        await send(producer, key, 1, 2, 3)
    async with running(create()):
        for key in keys:
            await until(applied(key, 3))
        assert next(failures, None) is None


def key_of(partition: int) -> UUID:
    return next(key for key in iter(uuid4, None) if _partition(str(key), TOPICS[TOPIC].partitions) == partition)


async def test_only_the_partition_that_fails_waits(create, running, producer, articles, applied, reader, monkeypatch):
    """INVARIANT: one key that fails for a while delays its partition, and no other."""
    monkeypatch.setattr(consuming, "MOST_ATTEMPTS", 10**6)
    stuck, fine = key_of(0), key_of(1)
    articles.failing = lambda article: DBAPIError("", {}, DeadlockError()) if article == stuck else None
    async with running(create()) as reading:
        await send(producer, stuck, 1)
        await send(producer, fine, 1)
        for sequence in range(2, 6):
            await send(producer, fine, sequence)
            await until(applied(fine, sequence), seconds=30)
        assert await articles.effects(reader, stuck) is None
        assert await reading.part.is_live()
        articles.failing = lambda _: None
        await send(producer, stuck, 2)
        await until(applied(stuck, 2), seconds=30)


async def test_an_event_that_keeps_failing_is_parked_after_some_attempts(
    create, running, producer, articles, applied, reader, group, monkeypatch
):
    monkeypatch.setattr(consuming, "MOST_ATTEMPTS", 2)
    stuck, fine = key_of(0), key_of(0)
    articles.failing = lambda article: DBAPIError("", {}, DeadlockError()) if article == stuck else None

    async def parked() -> bool:
        async with reader.engine.connect() as connection:
            return len(await parked_events(connection, group, str(stuck))) == 2

    async with running(create()):
        await send(producer, stuck, 1, 2)
        await send(producer, fine, 1)
        await until(parked)
        await until(applied(fine, 1))


@pytest.mark.parametrize("error", [TimeoutError(), DBAPIError("", {}, DeadlockError())], ids=["time out", "deadlock"])
async def test_an_event_that_always_fails_as_if_it_could_pass_is_tried_six_times(
    create, running, producer, articles, applied, reader, group, monkeypatch, error
):
    """INVARIANT: at most six attempts; others of its partition and of the rest wait for no more than those."""
    monkeypatch.setattr(consuming, "FIRST_BACK_OFF", 0.02)
    stuck, fine, elsewhere = key_of(0), key_of(0), key_of(1)
    tries = []

    def failing(article: UUID) -> Exception | None:
        tries.append(article)
        return error if article == stuck else None

    articles.failing = failing
    for key in (stuck, elsewhere, fine):
        await send(producer, key, 1)
    async with running(create()):
        await until(applied(fine, 1))
        await until(applied(elsewhere, 1))
    async with reader.engine.connect() as connection:
        assert [event.reason for event in await parked_events(connection, group, str(stuck))] == [type(error).__name__]
    assert tries.count(stuck) == 6


async def test_offsets_are_committed_after_the_effect_and_a_stop_loses_nothing(create, running, producer, applied):
    """INVARIANT: what was applied before a stop is not read again, what wasn't is."""
    article = uuid4()
    await send(producer, article, 1, 2)
    async with running(create()):
        await until(applied(article, 2))
    await send(producer, article, 3)
    before = metrics.ignored.labels("duplicate")._value.get()
    async with running(create()):
        await until(applied(article, 3))
    assert metrics.ignored.labels("duplicate")._value.get() == before


async def test_a_frozen_consumer_that_thaws_applies_nothing_twice(create, running, producer, reader, kafka, applied, group):
    """INVARIANT: the inbox, not the group's membership, decides what is applied."""
    keys = [uuid4() for _ in range(6)]
    for key in keys:
        await send(producer, key, 1, 2, 3)
    script = str(Path(__file__).with_name("slow_reader.py"))
    frozen = await asyncio.create_subprocess_exec(
        sys.executable,
        script,
        reader.dsn,
        group,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **kafka.access("reporting").environment},
    )
    try:
        assert frozen.stdout is not None
        assert await asyncio.wait_for(frozen.stdout.readline(), 60) == b"in hand\n"
        frozen.send_signal(signal.SIGSTOP)
        async with running(create()):
            for key in keys:
                await until(applied(key, 3), seconds=30)
            frozen.send_signal(signal.SIGCONT)
            for sequence in (4, 5):
                for key in keys:
                    await send(producer, key, sequence)
            for key in keys:
                await until(applied(key, 5), seconds=30)
    finally:
        frozen.kill()
        await frozen.wait()


async def test_a_consumer_starts_without_kafka_and_reads_when_it_comes(create, running, applied):
    """INVARIANT: Kafka being down doesn't stop a service from starting."""
    [port] = free_ports(1)
    bootstrap = f"127.0.0.1:{port}"
    article = uuid4()
    kafka = LocalKafka(ports=[port])
    try:
        async with running(create(bootstrap)) as reading:
            assert await reading.part.is_live()
            await asyncio.to_thread(kafka.start)
            await ensure_topics(bootstrap)
            producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
            await producer.start()
            await send(producer, article, 1)
            await producer.stop()
            await until(applied(article, 1), seconds=40)
    finally:
        await asyncio.to_thread(kafka.stop)

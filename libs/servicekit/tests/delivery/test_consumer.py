"""What Kafka delivers is applied once and in order, through failures of the database, of Kafka and of the reader itself."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import TopicPartition as KafkaPosition
from confluent_kafka.admin import AdminClient, OffsetSpec
from contracts.catalogue import TOPICS
from contracts.info import ArticleWithdrawn
from prometheus_client import REGISTRY
from servicekit.delivery import consumer as consuming
from servicekit.delivery import metrics, patience
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.inbox import apply
from servicekit.delivery.lanes import _partition
from servicekit.delivery.parking import parked_events
from servicekit.delivery.relay import Relay
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

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
    async with running(Relay(settings(database.dsn, kafka.access("info")))), running(create()):
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
    monkeypatch.setattr(patience, "MOST_ATTEMPTS", 10**6)
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
    monkeypatch.setattr(patience, "MOST_ATTEMPTS", 2)
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
    monkeypatch.setattr(patience, "FIRST_BACK_OFF", 0.02)
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


async def test_what_fails_behind_an_event_that_is_given_up_has_attempts_of_its_own(
    create, running, producer, articles, applied, reader, group, monkeypatch
):
    """INVARIANT: nobody's patience ends with another one's: a lock that is held too long parks no key that was tried once."""
    monkeypatch.setattr(patience, "FIRST_BACK_OFF", 0.02)
    before, stuck, unlucky, behind = (key_of(0) for _ in range(4))
    failures = {stuck: 10**6, unlucky: 3}

    def failing(article: UUID) -> Exception | None:
        failures[article] = failures.get(article, 0) - 1
        return DBAPIError("", {}, DeadlockError()) if failures[article] >= 0 else None

    articles.failing = failing
    for key in (before, stuck, unlucky, behind):
        await send(producer, key, 1)
    async with running(create()):
        for key in (before, unlucky, behind):
            await until(applied(key, 1))
    async with reader.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from parked_events")) == 1
        assert len(await parked_events(connection, group, str(stuck))) == 1


async def test_an_outage_uses_up_nobodys_attempts(reader, kafka, settings, running, producer, articles, applied, group, monkeypatch):
    """INVARIANT: no key is parked because the database was away, nor because of what happens once when it is back."""
    monkeypatch.setattr(patience, "FIRST_BACK_OFF", 0.02)
    monkeypatch.setattr(patience, "LONGEST_BACK_OFF", 0.05)
    article, asked, tried = uuid4(), 0, 0

    @asynccontextmanager
    async def begin():
        nonlocal asked
        asked += 1
        if asked <= 20:
            raise ConnectionRefusedError
        async with reader.begin() as uow:
            yield uow

    def failing(_: UUID) -> Exception | None:
        nonlocal tried
        tried += 1
        return DBAPIError("", {}, DeadlockError()) if tried == 1 else None

    articles.failing = failing
    await send(producer, article, 1)
    where = settings(reader.dsn, kafka.access("reporting"))
    async with running(Consumer("reporting", where, begin, {ArticleWithdrawn: articles.on_withdrawn}, group=group)):
        await until(applied(article, 1))
    assert (asked > 20, tried) == (True, 2)


async def test_an_event_whose_handler_ends_its_own_transaction_each_time_is_parked_at_last(
    reader, kafka, settings, running, producer, articles, applied, group, monkeypatch
):
    """INVARIANT: nothing holds up its partition for ever while the database is there; it takes minutes, since networks fail so too."""
    monkeypatch.setattr(patience, "FIRST_BACK_OFF", 0.001)
    monkeypatch.setattr(patience, "LONGEST_BACK_OFF", 0.01)
    broken, fine, tries = key_of(0), key_of(0), 0

    async def on_withdrawn(event, uow):
        nonlocal tries
        if event.publication_id == broken:
            tries += 1
            (await uow.connection.get_raw_connection()).driver_connection.terminate()
        await articles.on_withdrawn(event, uow)

    for key in (broken, fine):
        await send(producer, key, 1)
    where = settings(reader.dsn, kafka.access("reporting"))
    async with running(Consumer("reporting", where, reader.begin, {ArticleWithdrawn: on_withdrawn}, group=group)):
        await until(applied(fine, 1), seconds=30)
    async with reader.engine.connect() as connection:
        assert [event.reason for event in await parked_events(connection, group, str(broken))] == ["TransactionBrokenError"]
    assert tries == patience.MOST_BREAKS


async def test_records_that_kafka_deleted_before_they_were_read_are_told(create, running, producer, applied, kafka):
    """INVARIANT: what is gone is known, also of keys that no gap can show."""
    first, gone, there = (key_of(0) for _ in range(3))
    await send(producer, first, 1)
    async with running(create()):
        await until(applied(first, 1))
    before = metrics.gone_unread.labels(TOPIC)._value.get()
    for key in (gone, gone, there):
        await send(producer, key, 1)
    admin = AdminClient(kafka.admin.librdkafka)
    [deleted] = admin.delete_records([KafkaPosition(TOPIC, 0, _begins(admin) + 3)], request_timeout=30).values()
    deleted.result()
    with capture_logs() as lines:
        async with running(create()):
            await until(applied(there, 1))
    [line] = [line for line in lines if line["event"] == "records were gone before they were read"]
    assert (line["log_level"], line["topic"], line["partition"], line["rows"]) == ("error", TOPIC, 0, 2)
    assert metrics.gone_unread.labels(TOPIC)._value.get() == before + 2


def _begins(admin: AdminClient) -> int:
    """The oldest offset of the topic's first partition."""
    [asked] = admin.list_offsets({KafkaPosition(TOPIC, 0): OffsetSpec.earliest()}).values()
    return asked.result().offset


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

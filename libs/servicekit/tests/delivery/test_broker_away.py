"""The broker dies and comes back in mid-stream: nothing is lost, doubled or turned around."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from contracts.info import ArticleWithdrawn
from servicekit.delivery import consumer as consuming
from servicekit.delivery import relay as relaying
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.relay import Relay
from sqlalchemy import text

from deploy.kafka.access import Access
from deploy.kafka.topics import ensure_topics
from deploy.local.kafka import LocalKafka
from deploy.testing import readers, record_of, until

TIMES = 30
AWAY_SECONDS = 25.0
"""Long enough for several rounds to be given up, each with its producer."""
WRITERS, PAUSE = 8, 0.04
"""About 150 facts a second: in that time as many as dialog tells in ten minutes of a crisis day (6 a second)."""
SLOWEST_COMMAND = 10.0


@pytest.fixture
def broker(tmp_path):
    cluster = LocalKafka(datadir=tmp_path).start()
    asyncio.run(ensure_topics(cluster.bootstrap))
    yield cluster
    cluster.stop()


async def test_a_broker_that_dies_and_comes_back_delays_but_loses_nothing(
    broker, database, reader, articles, settings, running, monkeypatch
):
    """INVARIANT: a command that was answered has its effect once, in order, though the broker died meanwhile."""
    monkeypatch.setattr(relaying, "ROUND_SECONDS", 1.0)  # rounds are given up while the broker is away
    ids = await articles.create(database, 10)
    handlers = {ArticleWithdrawn: articles.on_withdrawn}
    consumer = Consumer("reporting", settings(reader.dsn, broker.bootstrap), reader.begin, handlers)

    async def write(article: UUID) -> None:
        for _ in range(TIMES):
            async with database.begin() as uow:
                await articles.withdraw(uow, article)

    async def effects(least: int) -> bool:
        async with reader.engine.connect() as connection:
            return await connection.scalar(text("select coalesce(sum(times), 0) from effects")) >= least

    async def stuck(least: int) -> bool:
        async with database.engine.connect() as connection:
            return await connection.scalar(text("select count(*) from outbox")) >= least

    async with running(Relay(settings(database.dsn, broker.bootstrap))), running(consumer):
        await write(ids[0])
        await until(lambda: effects(5), seconds=20)
        broker.kill()
        await asyncio.gather(*(write(article) for article in ids[1:]))
        await until(lambda: stuck(100))
        await asyncio.to_thread(broker.restart)
        for article in ids:
            await until(lambda article=article: _all_in_order(articles, reader, article), seconds=40)


async def test_a_broker_that_dies_between_an_effect_and_its_offset_leaves_the_consumer_live(
    broker, reader, articles, settings, running, monkeypatch
):
    """INVARIANT: a neighbour that is away is noticed and restarts nobody; once it is back the offset is known without another event."""
    for name, seconds in {"WATCH_SECONDS": 0.3, "UNPOLLED_SECONDS": 3.0, "STALLED_SECONDS": 3.0, "COMMIT_SECONDS": 1.0}.items():
        monkeypatch.setattr(consuming, name, seconds)
    article, died = uuid4(), asyncio.Event()

    async def on_withdrawn(event, uow):
        await articles.on_withdrawn(event, uow)
        broker.kill()
        died.set()

    consumer = Consumer("reporting", settings(reader.dsn, broker.bootstrap), reader.begin, {ArticleWithdrawn: on_withdrawn})
    record = record_of(ArticleWithdrawn(publication_id=article), key=article, sequence=1)
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(
        ArticleWithdrawn.topic,
        record.value,
        key=record.key.encode(),
        headers=[(name, value.encode()) for name, value in record.headers.items()],
    )
    await producer.stop()
    async with running(consumer):
        await asyncio.wait_for(died.wait(), 30)
        await until(lambda: _in_order(articles, reader, article, 1))
        for _ in range(12):
            assert await consumer.is_live()
            await asyncio.sleep(0.5)
        assert consumer.stalled_seconds(ArticleWithdrawn.topic) > 3
        await asyncio.to_thread(broker.restart)
        kafka = Access(broker.bootstrap)
        async with readers.admin(kafka) as client:
            ends = await readers.ends_of(kafka, ["reporting"])

            async def has_caught_up() -> bool:
                return not await readers.is_behind(client, "reporting", ends)

            await until(has_caught_up, seconds=40)
        await until(lambda: _is_calm(consumer), seconds=40)


async def test_kafka_is_away_for_long_under_load(broker, database, reader, articles, settings, running):
    """INVARIANT: commands go on, what they tell waits in the outbox and nowhere else, and afterwards each fact has its effect, in order."""
    ids = await articles.create(database, WRITERS * 5)
    told = dict.fromkeys(ids, 0)
    slowest, ended = 0.0, asyncio.Event()
    consumer = Consumer("reporting", settings(reader.dsn, broker.bootstrap), reader.begin, {ArticleWithdrawn: articles.on_withdrawn})

    async def write(own: list[UUID]) -> None:
        nonlocal slowest
        while not ended.is_set():
            for article in own:
                began = time.perf_counter()
                async with database.begin() as uow:
                    told[article] = await articles.withdraw(uow, article)
                slowest = max(slowest, time.perf_counter() - began)
                await asyncio.sleep(PAUSE)

    async def waiting() -> int:
        async with database.engine.connect() as connection:
            return await connection.scalar(text("select count(*) from outbox"))

    async def has_effect() -> bool:
        async with reader.engine.connect() as connection:
            return (await connection.scalar(text("select count(*) from effects"))) > 0

    async with running(Relay(settings(database.dsn, broker.bootstrap))), running(consumer):
        writing = asyncio.gather(*(write(ids[n::WRITERS]) for n in range(WRITERS)))
        try:
            await until(has_effect, seconds=20)
            broker.kill()
            before = sum(told.values())
            await asyncio.sleep(AWAY_SECONDS)
            gathered = sum(told.values()) - before
            assert await waiting() > gathered - WRITERS > 500  # some are being committed
            await asyncio.to_thread(broker.restart)
            await asyncio.sleep(2)
        finally:
            ended.set()
        await writing
        for article, times in told.items():
            await until(lambda article=article, times=times: _in_order(articles, reader, article, times), seconds=60)
    assert await waiting() == 0
    assert slowest < SLOWEST_COMMAND


async def _is_calm(consumer: Consumer) -> bool:
    return consumer.stalled_seconds(ArticleWithdrawn.topic) == 0


async def _in_order(articles, reader, article: UUID, times: int) -> bool:
    return await articles.effects(reader, article) == (times, 0)


async def _all_in_order(articles, reader, article: UUID) -> bool:
    return await _in_order(articles, reader, article, TIMES)

"""The broker dies and comes back in mid-stream: nothing is lost, doubled or turned around."""

import asyncio
from uuid import UUID

import pytest
from contracts.info import ArticleWithdrawn
from servicekit.delivery import relay as relaying
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.relay import Relay
from servicekit.testing import until
from sqlalchemy import text

from deploy.kafka.topics import ensure_topics
from deploy.local.kafka import LocalKafka

TIMES = 30


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

    async with running(Relay(database.engine, settings(database.dsn, broker.bootstrap))), running(consumer):
        await write(ids[0])
        await until(lambda: effects(5), seconds=20)
        broker.kill()
        await asyncio.gather(*(write(article) for article in ids[1:]))
        await until(lambda: stuck(100))
        await asyncio.to_thread(broker.restart)
        for article in ids:
            await until(lambda article=article: _all_in_order(articles, reader, article), seconds=40)


async def _all_in_order(articles, reader, article: UUID) -> bool:
    return await articles.effects(reader, article) == (TIMES, 0)

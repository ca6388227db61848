"""An event that takes its reader's database down each time it is applied: it is not told from an outage, and does little harm."""

import asyncio
import os
import signal
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from contracts.info import ArticleWithdrawn
from servicekit.delivery import patience
from servicekit.delivery.consumer import Consumer
from sqlalchemy import text
from structlog.testing import capture_logs

from deploy.local.postgres import LocalPostgres
from deploy.testing import Templates, record_of, until
from deploy.testing.databases import opened

TOPIC = ArticleWithdrawn.topic


async def send(kafka, *keys: UUID) -> list[int]:
    """One batch, one partition; the events' offsets."""
    async with AIOKafkaProducer(**kafka.access("info").aiokafka, acks="all", linger_ms=200) as producer:
        sent = []
        for key in keys:
            record = record_of(ArticleWithdrawn(publication_id=key), key=key, sequence=1)
            headers = [(name, value.encode()) for name, value in record.headers.items()]
            sent.append(await producer.send(TOPIC, record.value, key=record.key.encode(), headers=headers, partition=0))
        return [(await one).offset for one in sent]


async def test_an_event_that_takes_the_database_down_is_named_and_holds_up_nothing_before_it(
    prepare, articles, settings, kafka, running, monkeypatch
):
    """INVARIANT: nothing is parked while the database goes away, whoever is at fault; what can be applied is."""
    monkeypatch.setattr(patience, "LONGEST_BACK_OFF", 1.0)
    before, bad, behind = (uuid4() for _ in range(3))
    harmless = asyncio.Event()

    async def on_withdrawn(event, uow):
        if event.publication_id == bad and not harmless.is_set():
            os.kill(await uow.connection.scalar(text("select pg_backend_pid()")), signal.SIGKILL)
        await articles.on_withdrawn(event, uow)

    _, offset, _ = await send(kafka, before, bad, behind)
    cluster = await asyncio.to_thread(LocalPostgres().start)
    try:
        async with Templates(cluster.dsn).copy("own", prepare) as dsn, opened("reporting", dsn) as reader:
            where = settings(dsn, kafka.access("reporting"))
            consumer = Consumer("reporting", where, reader.begin, {ArticleWithdrawn: on_withdrawn}, group=f"reporting-{uuid4()}")

            async def has_effect(article: UUID) -> bool:
                try:
                    return await articles.effects(reader, article) == (1, 0)
                except Exception:  # it is down just now
                    return False

            async def is_named() -> bool:
                return lines[-1:] != [] and lines[-1]["event"] == "events wait" and lines[-1]["offset"] == offset

            with capture_logs() as lines:
                async with running(consumer):
                    await until(lambda: has_effect(before), seconds=60)
                    await until(is_named, seconds=30)
                    assert not await has_effect(behind)
                    harmless.set()
                    await until(lambda: has_effect(behind), seconds=60)
            assert await has_effect(bad)
            assert [line["event"] for line in lines if line["event"] == "key parked"] == []
    finally:
        await asyncio.to_thread(cluster.stop)

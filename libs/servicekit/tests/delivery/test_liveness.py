"""A process that no longer does its work says so, and one that is asked to stop does, in time and without loss."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from contracts.info import ArticleWithdrawn
from servicekit.delivery import consumer as consuming
from servicekit.delivery import metrics
from servicekit.delivery.consumer import Consumer

from deploy.local.processes import free_ports
from deploy.testing import Standstill, record_of, until

TOPIC = ArticleWithdrawn.topic


@pytest.fixture
async def producer(kafka):
    made = AIOKafkaProducer(**kafka.access("info").aiokafka, acks="all")
    await made.start()
    yield made
    await made.stop()


async def send(producer: AIOKafkaProducer, article: UUID, *sequences: int) -> None:
    for sequence in sequences:
        record = record_of(ArticleWithdrawn(publication_id=article), key=article, sequence=sequence)
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        await producer.send_and_wait(TOPIC, record.value, key=record.key.encode(), headers=headers)


@pytest.mark.parametrize("limit", ["UNPOLLED_SECONDS", "STALLED_SECONDS"])
async def test_a_consumer_whose_handler_hangs_is_not_live_until_it_goes_on(
    reader, articles, kafka, settings, running, producer, monkeypatch, limit
):
    """INVARIANT: a partition with records that nobody applies is noticed; an HTTP server that answers proves nothing."""
    monkeypatch.setattr(consuming, "WATCH_SECONDS", 0.1)
    released, seen = asyncio.Event(), asyncio.Event()

    async def hang(event, uow):
        if event.publication_id == article:
            seen.set()
            await released.wait()
        await articles.on_withdrawn(event, uow)

    article, before = uuid4(), [uuid4() for _ in range(30)]
    for each in before:
        await send(producer, each, 1)
    where = settings(reader.dsn, kafka.access("reporting"))
    async with running(Consumer("reporting", where, reader.begin, {ArticleWithdrawn: hang}, group=f"reporting-{uuid4()}")) as reading:
        await until(lambda: _nothing_waits(reading.part), seconds=60)  # each partition has been idle, and is so seen
        await send(producer, article, 1)
        await asyncio.wait_for(seen.wait(), 60)
        assert await reading.part.is_live()
        monkeypatch.setattr(consuming, limit, 1.0)
        await until(lambda: _is(reading.part, False), seconds=30)
        if limit == "STALLED_SECONDS":
            await until(lambda: _stalled(reading.part), seconds=30)
        released.set()
        await until(lambda: _is(reading.part, True), seconds=30)
        await until(lambda: _flows(reading.part), seconds=30)


async def _stalled(consumer: Consumer) -> bool:
    return consumer.stalled_seconds(TOPIC) > 1


async def _flows(consumer: Consumer) -> bool:
    return consumer.stalled_seconds(TOPIC) == 0


async def _nothing_waits(consumer: Consumer) -> bool:
    return len(consumer._progress) >= 3 and all(progress.waits_since is None for progress in consumer._progress.values())


async def _is(consumer: Consumer, live: bool) -> bool:
    return await consumer.is_live() is live


async def test_sigterm_ends_streams_commits_and_leaves_within_ten_seconds(reader, articles, kafka, producer, settings, running, group):
    """INVARIANT: a deploy loses and doubles nothing: what is in hand is finished and committed, also while streams are open."""
    article = uuid4()
    port, internal = free_ports(2)
    script = str(Path(__file__).with_name("draining.py"))
    where = os.environ | kafka.access("reporting").environment
    process = await asyncio.create_subprocess_exec(sys.executable, script, reader.dsn, str(port), str(internal), group, env=where)
    try:
        async with httpx.AsyncClient(timeout=30) as client:
            await until(lambda: _listens(port), seconds=60)
            streams = [asyncio.create_task(_read(client, f"http://127.0.0.1:{port}/{path}")) for path in ("polite", "stubborn")]
            await send(producer, article, *range(1, 31))
            await until(lambda: _some(articles, reader, article), seconds=60)
            with Standstill() as still:
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), 40) == 0
                took = time.monotonic() - began
            polite, _ = await asyncio.gather(*streams)
        print(f"stopped in {took:.1f} s")  # noqa: T201
        assert took - still.seconds < 10
        assert polite.endswith("bye")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    before = metrics.ignored.labels("duplicate")._value.get()
    where = settings(reader.dsn, kafka.access("reporting"))
    async with running(Consumer("reporting", where, reader.begin, {ArticleWithdrawn: articles.on_withdrawn}, group=group)):
        await until(lambda: _all(articles, reader, article), seconds=60)
    assert metrics.ignored.labels("duplicate")._value.get() == before


@pytest.fixture
def group():
    return f"reporting-{uuid4()}"


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _read(client: httpx.AsyncClient, url: str) -> str:
    said = ""
    try:
        async with client.stream("GET", url) as response:
            async for part in response.aiter_text():
                said += part
    except httpx.TransportError:
        pass
    return said


async def _some(articles, reader, article) -> bool:
    return await articles.effects(reader, article) is not None


async def _all(articles, reader, article) -> bool:
    return await articles.effects(reader, article) == (30, 0)

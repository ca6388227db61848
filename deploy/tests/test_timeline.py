"""What the walk sees of Kafka."""

import asyncio

import pytest

from deploy.kafka.access import Access
from deploy.kafka.topics import ensure_topics
from deploy.local.journey.timeline import Watch
from deploy.local.kafka import LocalKafka


def test_who_watches_can_stop_while_the_broker_is_away(tmp_path):
    async def watch_and_stop(kafka: LocalKafka) -> int:
        watch = Watch(kafka.access)
        await watch.start()
        kafka.kill()
        for _ in range(5):
            await watch.new(wait_ms=200)
        await watch.stop()
        return len(watch.told)

    kafka = LocalKafka(datadir=tmp_path).start()
    try:
        asyncio.run(ensure_topics(kafka.bootstrap))
        assert asyncio.run(watch_and_stop(kafka)) == 0
    finally:
        kafka.stop()


async def test_who_is_broken_off_while_stopping_is_broken_off(monkeypatch):
    watch = Watch(Access("127.0.0.1:1"))
    monkeypatch.setattr(watch._consumer, "stop", lambda: asyncio.sleep(60))
    stopping = asyncio.create_task(watch.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping

"""What the walk sees of Kafka."""

import asyncio

from deploy.kafka.topics import ensure_topics
from deploy.local.journey.timeline import Watch
from deploy.local.kafka import LocalKafka


def test_who_watches_can_stop_while_the_broker_is_away(tmp_path):
    async def watch_and_stop(kafka: LocalKafka) -> None:
        watch = Watch(kafka.access)
        await watch.start()
        kafka.kill()
        for _ in range(5):
            await watch.new(wait_ms=200)
        await watch.stop()

    kafka = LocalKafka(datadir=tmp_path).start()
    try:
        asyncio.run(ensure_topics(kafka.bootstrap))
        asyncio.run(watch_and_stop(kafka))
    finally:
        kafka.stop()

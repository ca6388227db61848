"""What a reader does when its partitions change: forgets what it hasn't committed, and says what Kafka no longer had for it.

A gap in a key doesn't show a key of which everything is gone.
"""

import asyncio
from collections.abc import Callable, Collection

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from servicekit.delivery import metrics

LOOK_SECONDS = 5.0
"""How long a look may hold up a new assignment."""

log = structlog.get_logger("consumer")


class Reassigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Looks at each partition that a consumer is given: records behind its group's offset whose retention is over were never read."""

    def __init__(self, consumer: Callable[[], AIOKafkaConsumer], forget: Callable[[], None]) -> None:
        self._consumer, self._forget = consumer, forget

    async def on_partitions_revoked(self, _: Collection[TopicPartition]) -> None:
        """All are taken away each time, also those that come back."""
        self._forget()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Count what is gone, and say so in a line for each partition. A group that has read nothing yet has missed nothing."""
        consumer = self._consumer()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                oldest = await consumer.beginning_offsets(list(assigned)) if assigned else {}
                read = {partition: await consumer.committed(partition) for partition, offset in oldest.items() if offset}
        except (KafkaError, TimeoutError) as error:
            log.warning("what is gone can't be looked at", reason=type(error).__name__)
            return
        for partition, offset in read.items():
            if offset is not None and offset < oldest[partition]:
                records = oldest[partition] - offset
                metrics.gone_unread.labels(partition.topic).inc(records)
                log.error("records were gone before they were read", topic=partition.topic, partition=partition.partition, rows=records)

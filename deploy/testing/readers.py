"""How far those who read Kafka are: where their topics end, and up to where each of them has committed."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from contracts.catalogue import TOPICS, topics_read_by

from deploy.kafka.access import Access

Ends = Mapping[TopicPartition, int]
"""Partition -> the offset behind its last record."""


@asynccontextmanager
async def admin(kafka: Access) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that may look at every group."""
    client = AIOKafkaAdminClient(**kafka.aiokafka)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def ends_of(kafka: Access, services: Iterable[str]) -> Ends:
    """Where everything ends now that one of these services reads."""
    topics = {name for service in services for name in topics_read_by(service)}
    partitions = [TopicPartition(name, number) for name in topics for number in range(TOPICS[name].partitions)]
    if not partitions:
        return {}
    consumer = AIOKafkaConsumer(**kafka.aiokafka, enable_auto_commit=False)
    await consumer.start()
    try:
        ends: Ends = await consumer.end_offsets(partitions)
        return ends
    finally:
        await consumer.stop()


async def is_behind(client: AIOKafkaAdminClient, service: str, ends: Ends) -> bool:
    """Whether there are records before these ends that a service (its own consumer group) hasn't committed, so may not have applied."""
    own = {place: end for place, end in ends.items() if place.topic in topics_read_by(service)}
    done = await client.list_consumer_group_offsets(service) if own else {}
    return any(end > (done[place].offset if place in done else 0) for place, end in own.items())

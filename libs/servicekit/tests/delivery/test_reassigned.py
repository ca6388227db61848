"""Partitions go to another process and come back: what that one has committed meanwhile stands."""

import asyncio
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from contracts.catalogue import TOPICS, topics_read_by
from contracts.info import ArticleWithdrawn
from servicekit.delivery import consumer as consuming
from servicekit.delivery import patience
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.lanes import _partition

from deploy.testing import readers, record_of, until

TOPIC = ArticleWithdrawn.topic
ALL = sorted(TopicPartition(topic, number) for topic in topics_read_by("reporting") for number in range(TOPICS[topic].partitions))
GOES, STAYS = [next(partition for partition in ALL[n::2] if partition.topic == TOPIC) for n in range(2)]
"""Of two processes, the one whose name comes first is given every other partition, from the first one on."""


@pytest.fixture
async def send(kafka):
    """Sends the first event of a new key to a partition: the key, and the offset behind the event."""
    producer = AIOKafkaProducer(**kafka.access("info").aiokafka, acks="all")
    await producer.start()

    async def send(partition: TopicPartition) -> tuple[UUID, int]:
        key = next(key for key in iter(uuid4, None) if _partition(str(key), TOPICS[TOPIC].partitions) == partition.partition)
        record = record_of(ArticleWithdrawn(publication_id=key), key=key, sequence=1)
        headers = [(name, value.encode()) for name, value in record.headers.items()]
        return key, (await producer.send_and_wait(TOPIC, record.value, key=record.key.encode(), headers=headers)).offset + 1

    yield send
    await producer.stop()


class Reader:
    """A consumer whose handler waits until it may go on."""

    def __init__(self, reader, articles, kafka, settings) -> None:
        self.group, self.began, self.may_go_on = f"reporting-{uuid4()}", asyncio.Event(), asyncio.Event()
        self._articles, handlers = articles, {ArticleWithdrawn: self._on_withdrawn}
        self.consumer = Consumer("reporting", settings(reader.dsn, kafka.access("reporting")), reader.begin, handlers, group=self.group)

    async def _on_withdrawn(self, event, uow) -> None:
        self.began.set()
        await self.may_go_on.wait()
        await self._articles.on_withdrawn(event, uow)

    @property
    def client(self) -> AIOKafkaConsumer:
        [subscriber] = self.consumer._broker.subscribers
        return subscriber.consumer

    async def fail_to_commit(self) -> None:
        """Goes on, and its commit fails once."""
        client, failed = self.client, asyncio.Event()

        async def fail(_):
            del client.commit
            failed.set()
            raise KafkaError

        client.commit = fail
        self.may_go_on.set()
        await asyncio.wait_for(failed.wait(), 30)


@pytest.mark.parametrize("what", ["not committed", "in hand", "failing"])
async def test_what_was_not_committed_is_forgotten_with_its_partition(reader, articles, kafka, settings, running, send, monkeypatch, what):
    """INVARIANT: a group never goes back behind what one of its processes has committed, not even to read it again."""
    monkeypatch.setattr(consuming, "WATCH_SECONDS", 600.0)  # nobody looks meanwhile
    monkeypatch.setattr(patience, "FIRST_BACK_OFF", 600.0)  # what waits for its next try stays where it is
    reading = Reader(reader, articles, kafka, settings)
    async with running(reading.consumer), readers.admin(kafka.admin) as admin:
        key, _ = await send(GOES)
        await asyncio.wait_for(reading.began.wait(), 30)
        if what == "not committed":
            await reading.fail_to_commit()
        async with _other(kafka, reading.group) as other:
            await until(lambda: _has(other, GOES), seconds=30)
            await until(lambda: _has(reading.client, STAYS, but=GOES), seconds=30)
            _, end = await send(GOES)
            await other.commit({GOES: end})
        await until(lambda: _is_at(reading.client, GOES, end), seconds=30)
        if what == "failing":
            articles.failing = lambda article: ConnectionResetError() if article == key else None
        reading.may_go_on.set()
        _, behind = await send(STAYS)

        async def committed() -> dict[TopicPartition, int]:
            return {place: known.offset for place, known in (await admin.list_consumer_group_offsets(reading.group)).items()}

        async def went_on() -> bool:
            return (await committed()).get(STAYS) == behind

        await until(went_on, seconds=30)
        assert (await committed())[GOES] == end
        assert await _is_at(reading.client, GOES, end)


@asynccontextmanager
async def _other(kafka, group: str):
    """Another process of the group, whose name comes first."""
    how = kafka.access("reporting").aiokafka | {"client_id": "0", "group_id": group, "enable_auto_commit": False}
    other = AIOKafkaConsumer(*topics_read_by("reporting"), **how)
    await other.start()
    try:
        yield other
    finally:
        await other.stop()


async def _has(client: AIOKafkaConsumer, partition: TopicPartition, but: TopicPartition | None = None) -> bool:
    return partition in client.assignment() and but not in client.assignment()


async def _is_at(client: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> bool:
    return await _has(client, partition) and await client.position(partition) == offset

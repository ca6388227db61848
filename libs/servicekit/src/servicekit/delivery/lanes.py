"""Sends facts in order: one batch of a partition at a time, each written as a whole or not at all."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    UnknownError,
)
from aiokafka.partitioner import murmur2
from pydantic_core import from_json

from servicekit import crash
from servicekit.delivery.packing import pack_quickly

BATCH_BYTES = 131_072
"""Facts are sent together up to this size (before compression); topics take batches of 256 kB."""
LARGEST_FACT = 240_000
"""Bytes of one fact with key and headers. A larger one is not even tried: the broker would refuse it."""
METADATA_SECONDS = 2.0
REQUEST_TIMEOUT_MS = 5_000

log = structlog.get_logger("relay")

_OF_ONE_RECORD = (MessageSizeTooLargeError, CorruptRecordException, InvalidTimestampError, PolicyViolationError, UnknownError)
"""Errors that may be one record's fault; all others concern the partition or the broker."""


class Fact(NamedTuple):
    """A row of the outbox."""

    position: int
    topic: str
    key: str
    headers: str
    """A JSON object."""
    value: bytes
    time: datetime

    @property
    def place(self) -> str:
        """What is held back when the fact can't be sent: its key on its topic."""
        return f"{self.topic} {self.key}"


@dataclass(slots=True)
class Outcome:
    """What became of the facts of one round."""

    acked: list[int] = field(default_factory=list)
    """Positions that every in-sync replica has."""
    reached: dict[tuple[str, int], int] = field(default_factory=dict)
    """Partition -> offset of its last acknowledged fact."""
    held: set[str] = field(default_factory=set)
    """Places that must wait: a fact of theirs was refused."""
    late: set[str] = field(default_factory=set)
    """Places whose partition didn't answer in time."""
    broken: bool = False
    """The producer can't be used any more: after a refused batch, an idempotent one is out of step with the broker."""
    careful: set[tuple[str, int]] = field(default_factory=set)
    """Partitions whose facts must be sent one by one, to find the one that is refused."""


def create_producer(options: dict[str, Any]) -> AIOKafkaProducer:
    """A producer that loses and doubles nothing while it lives: acknowledged by all, idempotent. Not started yet."""
    pack_quickly()
    return AIOKafkaProducer(
        **options,
        acks="all",
        enable_idempotence=True,
        compression_type="gzip",
        max_batch_size=BATCH_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=60_000,
    )


async def abandon(producer: AIOKafkaProducer) -> None:
    """Make sure that what this producer holds is never sent later, behind its successor's back; then close it.

    `stop()` would wait for ever for what can't be delivered, and leave the sender alive if that wait is cut short.
    """
    task = producer._sender.sender_task
    if task is not None:
        task.cancel()
        await asyncio.wait({task}, timeout=REQUEST_TIMEOUT_MS / 1000)
    accumulator = producer._message_accumulator
    for batch in chain(accumulator._pending_batches, *accumulator._batches.values()):
        batch.future.cancel()
    with suppress(Exception):
        await asyncio.wait_for(producer.stop(), REQUEST_TIMEOUT_MS / 1000)


async def send(producer: AIOKafkaProducer, facts: Sequence[Fact], careful: set[tuple[str, int]], seconds: float) -> Outcome:
    """Send facts, oldest first. Partitions go side by side; a partition stops at its first failure. Returns after `seconds` at most."""
    outcome = Outcome()
    lanes = await _lanes(producer, facts, outcome)
    tasks = [
        asyncio.create_task(_send_lane(producer, lane, rows, lane in careful, outcome), name=str(lane)) for lane, rows in lanes.items()
    ]
    if not tasks:
        return outcome
    _, late = await asyncio.wait(tasks, timeout=seconds)
    if late:
        for task in late:
            task.cancel()
        await asyncio.wait(late)
        outcome.broken = True
        done = set(outcome.acked)
        names = {task.get_name() for task in late}
        outcome.late = {fact.place for lane, rows in lanes.items() if str(lane) in names for fact in rows if fact.position not in done}
    return outcome


async def _lanes(producer: AIOKafkaProducer, facts: Sequence[Fact], outcome: Outcome) -> dict[tuple[str, int], list[Fact]]:
    """Facts by partition. A topic that the broker doesn't know holds back its own keys only."""
    counts: dict[str, int] = {}
    for topic in {fact.topic for fact in facts}:
        try:
            counts[topic] = len(await asyncio.wait_for(producer.partitions_for(topic), METADATA_SECONDS))
        except (KafkaError, TimeoutError) as error:
            log.error("topic can't be reached", topic=topic, reason=type(error).__name__)
    lanes: dict[tuple[str, int], list[Fact]] = {}
    for fact in facts:
        if fact.topic not in counts:
            outcome.held.add(fact.place)
        elif len(fact.value) + len(fact.headers) > LARGEST_FACT:
            log.error("fact is too large", topic=fact.topic)
            outcome.held.add(fact.place)
        elif not outcome.held or fact.place not in outcome.held:
            lanes.setdefault((fact.topic, _partition(fact.key, counts[fact.topic])), []).append(fact)
    return lanes


@lru_cache(8192)
def _partition(key: str, count: int) -> int:
    """The partition that every Kafka client chooses for a key (Java's DefaultPartitioner). It takes 4 µs, as long as all the rest."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % count)


async def _send_lane(producer: AIOKafkaProducer, lane: tuple[str, int], facts: list[Fact], one_by_one: bool, outcome: Outcome) -> None:
    topic, partition = lane
    for batch, members in _batches(producer, facts, 1 if one_by_one else len(facts)):
        try:
            acknowledgement = await producer.send_batch(batch, topic, partition=partition)
            await crash.reach_sent()
            begins = (await acknowledgement).offset
        except Exception as error:
            outcome.broken = True
            if isinstance(error, _OF_ONE_RECORD) and len(members) > 1:
                outcome.careful.add(lane)
            else:
                outcome.held |= {fact.place for fact in (members if isinstance(error, _OF_ONE_RECORD) else facts)}
                log.error("fact was refused", topic=topic, partition=partition, reason=type(error).__name__)
            return
        outcome.acked += [fact.position for fact in members]
        if begins >= 0:  # -1: the broker had the batch already and no longer says where
            outcome.reached[lane] = begins + len(members) - 1


def _batches(producer: AIOKafkaProducer, facts: Iterable[Fact], most: int) -> Iterator[tuple[Any, list[Fact]]]:
    """Built one after the other, as the lane asks for them."""
    builder, members = producer.create_batch(), list[Fact]()
    for fact in facts:
        if len(members) >= most or not _append(builder, fact):
            builder.close()
            yield builder, members
            builder, members = producer.create_batch(), []
            _append(builder, fact)
        members.append(fact)
    if members:
        builder.close()
        yield builder, members


def _append(builder: Any, fact: Fact) -> bool:
    headers = [(name, value.encode()) for name, value in from_json(fact.headers).items()]
    timestamp = int(fact.time.timestamp() * 1000)
    return builder.append(timestamp=timestamp, key=fact.key.encode(), value=fact.value, headers=headers) is not None

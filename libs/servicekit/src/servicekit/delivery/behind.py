"""What others know of a service and its own store, restored to an earlier time, doesn't: found on its topics, parked by key.

Only the owner writes a topic, and its relay notes in the database how far it got. So what stands behind that place, and isn't in the
restored outbox either, was told by a future that the restore took away. Its keys must not go on by themselves: they would give numbers
a second time that others have heard already. Their new facts stay in the outbox until a person decides.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.catalogue import TOPICS, topics_owned_by, topics_read_by
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from servicekit.delivery.inbox import TopicKey
from servicekit.delivery.kafka_access import client_options
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.delivery.parking import TOLD, Decision, audit
from servicekit.delivery.record import Record
from servicekit.delivery.replay import NothingParkedError, Outcome
from servicekit.settings import ServiceSettings

REASON = "store_is_behind"
POLL_MS = 200

_RELAYED = text('select topic, partition, "offset" from relayed')
_WAITING = text("select headers ->> 'ce_id' as id from outbox")
_SENT = text("delete from outbox where headers ->> 'ce_id' = any(cast(:ids as text[]))")
_REACHED = text(
    """insert into relayed (topic, partition, "offset")
    select * from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:offsets as bigint[])) as r(topic, partition, "offset")
    on conflict (topic, partition) do update set "offset" = excluded."offset\""""
)
_PARK = text(
    """insert into parked_events
      (consumer, event_id, topic, key, sequence, type, headers, value, reason, partition, "offset", parked_at)
    values (:consumer, :event_id, :topic, :key, :sequence, :type, '{}', '', :reason, :partition, :offset, :now) on conflict do nothing"""
)
_SETTLED = text(
    """with last as (
      select topic, key, (array_agg(type order by sequence desc))[1] as known, count(*) as events from parked_events
      where consumer = :told group by topic, key),
    waits as (
      select topic, key, (array_agg(headers ->> 'ce_type' order by position desc))[1] as waiting from outbox group by topic, key)
    select topic, key from last join waits using (topic, key) where known = waiting"""
)
_KNOWN = text(
    "select count(*) as events, min(sequence) as first from parked_events where consumer = :told and topic = :topic and key = :key"
)
_HOLD_BACK = text("lock table outbox in share row exclusive mode")
_DROP = text("delete from outbox where topic = :topic and key = :key")
_RENUMBER = text(
    """update outbox set headers = headers || jsonb_build_object('ce_sequence',
      cast(cast(headers ->> 'ce_sequence' as bigint) + :by as text)) where topic = :topic and key = :key"""
)
_GO_ON = text(
    """insert into renumbered as r (topic, key, by) values (:topic, :key, :by)
    on conflict (topic, key) do update set by = r.by + excluded.by"""
)
_UNPARK = text("delete from parked_events where consumer = :told and topic = :topic and key = :key")


class TopicsForgotError(Exception):
    """A topic is shorter than what this store has told: it isn't the topic that it was."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Facts of one key that others know and this store doesn't."""

    topic: str
    key: str
    sequences: list[int]
    types: list[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What stands on a service's topics behind what its store knew."""

    records: list[Record]
    ends: dict[TopicPartition, int]
    """Next offset of each partition."""


async def read_told(service: str, settings: ServiceSettings, connection: AsyncConnection) -> Told:
    """Reads the service's own topics, with its own principal. Raises KafkaError, TopicsForgotError."""
    partitions = _partitions(topics_owned_by(service))
    if not partitions:
        return Told([], {})
    known = {TopicPartition(row.topic, row.partition): row.offset + 1 for row in await connection.execute(_RELAYED)}
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = dict(await consumer.end_offsets(partitions))
        if forgot := [place.topic for place, offset in known.items() if place in ends and offset > ends[place]]:
            raise TopicsForgotError(f"{', '.join(sorted(set(forgot)))}: shorter than what was told on it")
        behind = [place for place, end in ends.items() if end > known.get(place, 0)]
        consumer.assign(behind)
        for place in behind:
            consumer.seek(place, known.get(place, 0))
        records: list[Record] = []
        while [place for place in behind if await consumer.position(place) < ends[place]]:
            for batch in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                records += [Record.of(raw) for raw in batch]
        return Told(records, ends)
    finally:
        await consumer.stop()


async def park_unknown(uow: UnitOfWork, told: Told) -> list[Unknown]:
    """Parks the keys of which others know more; what the restored outbox still holds and Kafka has is taken out of it."""
    waiting = set(await uow.connection.scalars(_WAITING))
    there = {str(record.id) for record in told.records}
    await uow.connection.execute(_SENT, {"ids": sorted(waiting & there)})
    unknown = {record.id: record for record in told.records if record.received and str(record.id) not in waiting}
    rows = [await _row(uow, record) for record in sorted(unknown.values(), key=lambda record: (record.key, record.sequence))]
    if rows:
        await uow.connection.execute(_PARK, rows)
    if told.ends:
        places = {"topics": [place.topic for place in told.ends], "partitions": [place.partition for place in told.ends]}
        await uow.connection.execute(_REACHED, places | {"offsets": [end - 1 for end in told.ends.values()]})
    return _by_key(unknown.values())


async def settle(uow: UnitOfWork) -> set[TopicKey]:
    """Lets go of keys of which the last that others know is the last that waits here too: deleted there and, read back, here."""
    settled = {(row.topic, row.key) for row in await uow.connection.execute(_SETTLED, {"told": TOLD})}
    for topic, key in settled:
        await uow.connection.execute(_DROP, {"topic": topic, "key": key})
        await uow.connection.execute(_UNPARK, {"told": TOLD, "topic": topic, "key": key})
    return settled


async def release(begin: Begin, place: TopicKey, decision: Decision, *, skip: bool) -> Outcome:
    """Lets a key go on behind what others know: what waits is told with numbers behind that or, with `skip`, isn't told at all.

    Raises NothingParkedError.
    """
    async with begin() as uow:
        await uow.connection.execute(_HOLD_BACK)  # who tells meanwhile waits, and then sees the new number
        which: dict[str, Any] = {"topic": place[0], "key": place[1]}
        events, first = (await uow.connection.execute(_KNOWN, which | {"told": TOLD})).one()
        if not events:
            raise NothingParkedError
        dropped = (await uow.connection.execute(_DROP, which)).rowcount if skip else 0
        by = events - dropped
        told = (await uow.connection.execute(_RENUMBER, which | {"by": by})).rowcount
        if first > 1 or told or dropped:  # else the store has no such aggregate
            await uow.connection.execute(_GO_ON, which | {"by": by})
        await uow.connection.execute(_UNPARK, which | {"told": TOLD})
        await audit(uow, decision, TOLD, topic=place[0], key=place[1], applied=told, skipped=dropped)
    return Outcome(*place, applied=told, skipped=dropped, left=0, stops_at=None)


async def read_again(service: str, settings: ServiceSettings) -> None:
    """Moves the service's consumer group to the beginning of what Kafka keeps: the inbox ignores what its store has applied.

    Raises KafkaError, also while a process of the service still reads.
    """
    if not topics_read_by(service):
        return
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=service, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = _partitions(topics_read_by(service))
        consumer.assign(partitions)
        await consumer.commit(dict(await consumer.beginning_offsets(partitions)))
    finally:
        with suppress(Exception):
            await consumer.stop()


def _partitions(topics: Iterable[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(TOPICS[topic].partitions)]


async def _row(uow: UnitOfWork, record: Record) -> Mapping[str, object]:
    """Without what the fact says: that stays on Kafka."""
    names = ("topic", "key", "sequence", "type", "partition", "offset")
    about = {name: getattr(record, name) for name in names}
    return about | {"consumer": TOLD, "event_id": record.id, "reason": REASON, "now": await uow.now()}


def _by_key(records: Iterable[Record]) -> list[Unknown]:
    found: dict[TopicKey, list[Record]] = {}
    for record in sorted(records, key=lambda record: (record.topic, record.key, record.sequence)):
        found.setdefault((record.topic, record.key), []).append(record)
    return [Unknown(*place, [one.sequence for one in facts], [one.type for one in facts]) for place, facts in found.items()]

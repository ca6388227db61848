"""Keys that can't go on: the event that failed and every later one of its key wait here, in order, for a person."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from servicekit.delivery.outbox import UnitOfWork
from servicekit.delivery.record import Record

_PARK = text(
    """insert into parked_events
      (consumer, event_id, topic, key, sequence, type, headers, value, reason, partition, "offset", parked_at)
    values (:consumer, :event_id, :topic, :key, :sequence, :type, cast(cast(:headers as text) as jsonb), :value, :reason,
      :partition, :offset, :now)
    on conflict do nothing"""
)
_LIST = text(
    """select topic, key, count(*) as events, min(parked_at) as since,
      (array_agg(reason order by parked_at, partition, "offset"))[1] as reason,
      (array_agg(type order by parked_at, partition, "offset"))[1] as type
    from parked_events where consumer = :consumer group by topic, key order by since, topic, key"""
)
_SHOW = text(
    """select topic, key, event_id, type, sequence, reason, partition, "offset", parked_at, length(value) as bytes
    from parked_events where consumer = :consumer and key = :key order by topic, sequence, parked_at, partition, "offset\""""
)
_COUNT = text("select count(*) from parked_events where consumer = :consumer")


@dataclass(frozen=True, slots=True)
class ParkedKey:
    """A key that waits."""

    topic: str
    key: str
    events: int
    since: datetime
    reason: str
    """Of the first event: a code, or the type of the error; never its message."""
    type: str


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """One event that waits: what surrounds it, not what it says."""

    topic: str
    key: str
    event_id: UUID
    type: str
    sequence: int
    reason: str
    partition: int
    offset: int
    parked_at: datetime
    bytes: int
    """Size of the payload."""


async def park(uow: UnitOfWork, consumer: str, record: Record, reason: str) -> None:
    """Put an event aside in the transaction that leaves its receipt."""
    row = {
        "consumer": consumer,
        "event_id": record.id,
        "topic": record.topic,
        "key": record.key,
        "sequence": record.sequence,
        "type": record.type,
        "headers": json.dumps(record.headers),
        "value": record.value,
        "reason": reason,
        "partition": record.partition,
        "offset": record.offset,
        "now": await uow.now(),
    }
    await uow.connection.execute(_PARK, row)


async def parked_keys(connection: AsyncConnection, consumer: str) -> list[ParkedKey]:
    """The keys that wait, longest first."""
    return [ParkedKey(**row._mapping) for row in await connection.execute(_LIST, {"consumer": consumer})]


async def parked_events(connection: AsyncConnection, consumer: str, key: str) -> list[ParkedEvent]:
    """The events of one key that wait, in order; metadata only."""
    return [ParkedEvent(**row._mapping) for row in await connection.execute(_SHOW, {"consumer": consumer, "key": key})]


async def count_parked(connection: AsyncConnection, consumer: str) -> int:
    """How many events wait."""
    return int(await connection.scalar(_COUNT, {"consumer": consumer}) or 0)

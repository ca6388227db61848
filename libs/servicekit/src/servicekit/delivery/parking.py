"""Keys that can't go on: the event that failed and every later one of its key wait here, in order, for a person."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from servicekit.delivery.outbox import UnitOfWork
from servicekit.delivery.record import Record

TOLD = "told"
"""Stands in place of a consumer at facts of our own that others know and this store, restored to an earlier time, doesn't."""

FREE = f"""not exists
  (select from parked_events as parked where parked.consumer = '{TOLD}' and parked.topic = outbox.topic and parked.key = outbox.key)"""
"""Of a row of `outbox`: its key doesn't wait for a person."""

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
_TOPICS = text("select distinct topic from parked_events where consumer = any(cast(:consumers as text[])) and key = :key order by topic")
_PAYLOADS = text(
    """select event_id, headers, value from parked_events where consumer = :consumer and key = :key and topic = :topic
    order by sequence, partition, "offset\""""
)
_AUDIT = text(
    """insert into parked_audit (at, actor, action, consumer, topic, key, reason, applied, skipped, "left")
    values (:now, :actor, :action, :consumer, :topic, :key, :reason, :applied, :skipped, :left)"""
)
_COUNT = text("select topic, count(*) as events from parked_events where consumer = :consumer group by topic")


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


@dataclass(frozen=True, slots=True)
class Decision:
    """Who does something about parked events, and why. It is kept."""

    actor: str
    action: str
    reason: str | None = None


async def audit(
    uow: UnitOfWork,
    decision: Decision,
    consumer: str,
    *,
    topic: str | None = None,
    key: str | None = None,
    applied: int = 0,
    skipped: int = 0,
    left: int = 0,
) -> None:
    """Leave a row that says who did what, in the transaction that does it."""
    row = {"actor": decision.actor, "action": decision.action, "reason": decision.reason, "consumer": consumer, "topic": topic, "key": key}
    counts = {"applied": applied, "skipped": skipped, "left": left}
    await uow.connection.execute(_AUDIT, row | counts | {"now": await uow.now()})


async def topics_parked(connection: AsyncConnection, consumers: Sequence[str], key: str) -> list[str]:
    """The topics on which a key waits."""
    return list(await connection.scalars(_TOPICS, {"consumers": list(consumers), "key": key}))


async def payloads(uow: UnitOfWork, consumer: str, topic: str, key: str, decision: Decision) -> list[tuple[UUID, dict[str, str], bytes]]:
    """What the events of a parked key say: event id, headers and data. Leaves an audit row."""
    found = (await uow.connection.execute(_PAYLOADS, {"consumer": consumer, "topic": topic, "key": key})).all()
    await audit(uow, decision, consumer, topic=topic, key=key, left=len(found))
    return [(row.event_id, row.headers, row.value) for row in found]


async def parked_keys(connection: AsyncConnection, consumer: str) -> list[ParkedKey]:
    """The keys that wait, longest first."""
    return [ParkedKey(**row._mapping) for row in await connection.execute(_LIST, {"consumer": consumer})]


async def parked_events(connection: AsyncConnection, consumer: str, key: str) -> list[ParkedEvent]:
    """The events of one key that wait, in order; metadata only."""
    return [ParkedEvent(**row._mapping) for row in await connection.execute(_SHOW, {"consumer": consumer, "key": key})]


async def count_parked(connection: AsyncConnection, consumer: str) -> dict[str, int]:
    """How many events wait, by topic."""
    return {row.topic: row.events for row in await connection.execute(_COUNT, {"consumer": consumer})}

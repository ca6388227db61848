"""Applies each event once and those of a key in order: receipts, effects, next facts and parking commit together."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from contracts.catalogue import TOPICS
from contracts.event import Event
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import text

from servicekit import crash
from servicekit.crash import Place
from servicekit.database import answers, is_away, is_transient, says_away
from servicekit.delivery import metrics
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.delivery.parking import park
from servicekit.delivery.record import UNREADABLE, Record

EventHandler = Callable[[Any, UnitOfWork], Awaitable[None]]
"""`on_...(event, uow)`. Runs once per event, in a transaction with others; it never commits."""
Handlers = Mapping[type[Event], EventHandler]
"""Which events a service reads, and what it does then. Stands in a service's `consumers.py`."""

BEHIND = "behind_a_parked_event"
WRONG_SOURCE = "wrong_source"
GAP = "gap"

log = structlog.get_logger("inbox")
_tracer = trace.get_tracer("servicekit.inbox")
_trace_context = TraceContextTextMapPropagator()

_RECEIVE = text(
    """with receipts as (
      insert into inbox (consumer, event_id, received_at)
      select :consumer, event_id, transaction_timestamp() + cast(:offset as interval)
      from unnest(cast(:ids as uuid[])) as came(event_id) order by event_id
      on conflict do nothing returning event_id, received_at)
    select coalesce(array_agg(event_id), '{}'), min(received_at) from receipts"""
)
# A statement of its own, after the receipts: they may have waited for another consumer, whose keys only a new snapshot shows.
# The arrays stand in selects so that the plan doesn't depend on their length, and isn't made anew for each batch.
_KEYS = text(
    """select array_agg(inbox_keys.last_sequence order by number),
      array_agg(exists (select from parked_events as parked
                        where parked.consumer = :consumer and parked.topic = came.topic and parked.key = came.key) order by number)
    from unnest((select cast(:topics as text[])), (select cast(:keys as text[]))) with ordinality as came(topic, key, number)
    left join inbox_keys on inbox_keys.consumer = :consumer and inbox_keys.topic = came.topic and inbox_keys.key = came.key"""
)
_WAIT_FOR_REPLAY = text("select pg_advisory_xact_lock_shared(hashtextextended('parked/' || :consumer || '/' || :topic || '/' || :key, 0))")
_APPLIED = text(
    """insert into inbox_keys (consumer, topic, key, last_sequence, applied_at)
    select :consumer, topic, key, last_sequence, :now
    from unnest(cast(:topics as text[]), cast(:keys as text[]), cast(:sequences as bigint[])) as came(topic, key, last_sequence)
    order by topic, key
    on conflict (consumer, topic, key) do update set last_sequence = excluded.last_sequence, applied_at = excluded.applied_at"""
)


async def apply(begin: Begin, consumer: str, records: Sequence[Record], handlers: Handlers, *, patient: bool = True) -> None:
    """Apply a batch in one transaction; if that fails, event by event in savepoints, parking the keys that can't go on.

    Raises what is transient: nothing of the batch has happened then, and it may come again. `patient=False` goes event by event
    at once and parks also what failed in a transient way, except while the database is away.
    """
    try:
        tally = await _apply(begin, consumer, records, handlers, one_by_one=not patient, patient=patient)
    except Exception as error:
        if not patient or is_transient(error):
            raise
        tally = await _apply(begin, consumer, records, handlers, one_by_one=True, patient=patient)
    tally.publish()


@dataclass(slots=True)
class Tally:
    """What came of a batch."""

    applied: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    parked: list[tuple[Record, str]] = field(default_factory=list)

    def publish(self) -> None:
        """Count only what was committed."""
        for event_type, count in self.applied.items():
            metrics.applied.labels(event_type).inc(count)
        for reason, count in self.ignored.items():
            metrics.ignored.labels(reason).inc(count)
        for record, reason in self.parked:
            metrics.parked.labels(reason).inc()
            if reason != BEHIND:
                log.error("key parked", topic=record.topic, partition=record.partition, offset=record.offset, reason=reason)


@dataclass(slots=True)
class Key:
    """How far a key was applied, and whether it waits for a person."""

    last: int | None
    parked: bool
    moved: bool = False


TopicKey = tuple[str, str]
"""Topic and key."""


class Batch:
    """Events applied in one transaction: a batch of Kafka's, or those of a parked key."""

    def __init__(self, uow: UnitOfWork, consumer: str, handlers: Handlers, patient: bool) -> None:
        self._uow, self._consumer, self._patient = uow, consumer, patient
        self._handlers = {event.type: (event, handler) for event, handler in handlers.items()}
        self._keys: dict[TopicKey, Key] = {}
        self.tally = Tally()

    async def receive(self, records: Sequence[Record]) -> list[Record]:
        """Leave receipts; those that had none yet, in their order. A batch may hold the same event twice: its first place counts."""
        receipts = {"consumer": self._consumer, "ids": [record.id for record in records], "offset": self._uow.clock_offset}
        ids, now = (await self._uow.connection.execute(_RECEIVE, receipts)).one()
        if now is not None:
            self._uow.began(now)
        new, fresh = set(ids), []
        for record in records:
            if record.id in new:
                new.discard(record.id)
                fresh.append(record)
        self.tally.ignored["duplicate"] += len(records) - len(fresh)
        places = {(record.topic, record.key) for record in fresh}
        if places:
            await self.look_up(places)
        return fresh

    async def look_up(self, places: Collection[TopicKey]) -> None:
        """Read how far keys were applied. While a parked key is replayed, its new events wait, and then see what came of it."""
        await self._read(places)
        if parked := sorted(place for place in places if self._keys[place].parked):
            for topic, key in parked:
                await self._uow.connection.execute(_WAIT_FOR_REPLAY, {"consumer": self._consumer, "topic": topic, "key": key})
            await self._read(parked)

    async def _read(self, places: Collection[TopicKey]) -> None:
        topics, keys = zip(*places, strict=True)
        which = {"consumer": self._consumer, "topics": list(topics), "keys": list(keys)}
        lasts, parked = (await self._uow.connection.execute(_KEYS, which)).one()
        self._keys |= zip(places, map(Key, lasts, parked), strict=True)

    async def admit(self, record: Record, *, savepoint: bool) -> None:
        """Apply, ignore or park one record that came from Kafka."""
        key = self._keys[record.topic, record.key]
        if key.parked and not _is_old(record, key):
            await self._park(record, key, BEHIND)
        elif reason := await self.attempt(record, savepoint=savepoint):
            await self._park(record, key, reason)

    async def attempt(self, record: Record, *, savepoint: bool) -> str | None:
        """Apply or ignore one record. Returns why it can't go on, or None."""
        key = self._keys[record.topic, record.key]
        if _is_old(record, key):
            self.tally.ignored["old_sequence"] += 1
            return None
        return _fault(record, key.last) or await self._run(record, key, savepoint)

    def last(self, place: TopicKey) -> int | None:
        """The last sequence of a key that was applied; None: none was."""
        return self._keys[place].last

    def go_on_after(self, place: TopicKey, sequence: int) -> None:
        """A person decided that what comes next of a key follows `sequence`."""
        self._keys[place].last, self._keys[place].moved = sequence, True

    async def finish(self) -> None:
        """Note how far each key was applied."""
        moved = [(topic, name, key.last) for (topic, name), key in self._keys.items() if key.moved]
        if moved:
            topics, keys, sequences = (list(column) for column in zip(*moved, strict=True))
            row = {"consumer": self._consumer, "now": await self._uow.now(), "topics": topics, "keys": keys, "sequences": sequences}
            await self._uow.connection.execute(_APPLIED, row)

    async def _run(self, record: Record, key: Key, savepoint: bool) -> str | None:
        entry = self._handlers.get(record.type)
        if entry is None:  # no error: its owner may have shipped first
            self.tally.ignored["unknown_type"] += 1
        elif savepoint:
            if reason := await self._try(record, *entry):
                return reason
        else:
            await self._handle(record, *entry)
        if entry is not None:
            self.tally.applied[record.type] += 1
        key.last, key.moved = record.sequence, True
        return None

    async def _try(self, record: Record, event: type[Event], handler: EventHandler) -> str | None:
        try:
            async with self._uow.connection.begin_nested():
                await self._handle(record, event, handler)
                await self._uow.flush()
        except Exception as error:
            if await self._may_pass(error):
                raise
            self._uow.discard()
            log.warning("event can't be applied", type=record.type, exc_info=error)
            return type(error).__name__
        return None

    async def _may_pass(self, error: Exception) -> bool:
        """Whether the same may succeed later. Patience ends, but not with a database that is away: that can't go on with the batch."""
        if self._patient:
            return is_transient(error)
        return says_away(error) or (is_away(error) and not await answers(self._uow.connection))

    async def _handle(self, record: Record, event: type[Event], handler: EventHandler) -> None:
        attributes = {"stegvis.event.type": record.type, "messaging.destination.name": record.topic}
        span = _tracer.start_span(f"on {record.type}", _trace_of(record), attributes=attributes)
        current = context.attach(trace.set_span_in_context(span))  # trace.use_span takes three times as long, for every event
        self._uow.received = record.received
        try:
            await handler(event.model_validate_json(record.value), self._uow)
        except Exception:
            span.set_status(trace.StatusCode.ERROR)
            raise
        finally:
            self._uow.received = None
            context.detach(current)
            span.end()

    async def _park(self, record: Record, key: Key, reason: str) -> None:
        await park(self._uow, self._consumer, record, reason)
        key.parked = True
        self.tally.parked.append((record, reason))


async def _apply(begin: Begin, consumer: str, records: Sequence[Record], handlers: Handlers, *, one_by_one: bool, patient: bool) -> Tally:
    async with begin() as uow:
        batch = Batch(uow, consumer, handlers, patient)
        fresh = await batch.receive(records)
        crash.reach(Place.CONSUMER_RECEIVED)
        for record in fresh:
            await batch.admit(record, savepoint=one_by_one)
            crash.reach(Place.CONSUMER_BETWEEN)
        await batch.finish()
        crash.reach(Place.CONSUMER_APPLIED)
    crash.reach(Place.CONSUMER_COMMITTED)
    return batch.tally


def _is_old(record: Record, key: Key) -> bool:
    return record.received is not None and key.last is not None and record.sequence <= key.last


def _fault(record: Record, last: int | None) -> str | None:
    """Why an event can't be applied, whatever its handler would say."""
    if record.received is None:
        return UNREADABLE
    topic = TOPICS.get(record.topic)
    if topic is None or record.received.source != topic.owner:
        return WRONG_SOURCE
    if last is not None and record.sequence > last + 1:
        return GAP
    return None


def _trace_of(record: Record) -> Context:
    """The trace that the event belongs to; a new one where a reader of the topic is in another zone."""
    topic = TOPICS.get(record.topic)
    if topic is None or not topic.stays_in_zone:
        return Context()
    return _trace_context.extract({"traceparent": record.headers.get("traceparent", "")}, Context())

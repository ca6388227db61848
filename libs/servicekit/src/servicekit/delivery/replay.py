"""What a person decides about a parked key: try it again, or go on without what stops it. One transaction, with its audit row."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from servicekit.delivery.inbox import Batch, Handlers, TopicKey
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.delivery.parking import Decision, audit
from servicekit.delivery.record import Record, kept_record

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('parked/' || :consumer || '/' || :topic || '/' || :key, 0))")
_WAITING = text(
    """select event_id, partition, "offset", headers, value from parked_events
    where consumer = :consumer and topic = :topic and key = :key order by partition, "offset\""""
)
_APPLIED = text("delete from parked_events where consumer = :consumer and event_id = any(cast(:ids as uuid[]))")
_STOPPED = text("update parked_events set reason = :reason where consumer = :consumer and event_id = :id")


class NothingParkedError(Exception):
    """The key doesn't wait."""

    def __str__(self) -> str:
        return "nothing is parked under this key"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a decision."""

    topic: str
    key: str
    applied: int
    """Events that had their effect (or were old already), and are gone from the parked ones."""
    skipped: int
    left: int
    """Events that still wait; 0: the key flows again."""
    stops_at: str | None
    """Why the first of those can't be applied: a code, or the type of the error."""


async def retry(begin: Begin, consumer: str, place: TopicKey, handlers: Handlers, decision: Decision, *, skip: bool = False) -> Outcome:
    """Apply the events of a parked key in order, each once, until one fails; when none is left the key flows again.

    `skip` goes on without what stops the key: the first event, or, where events are missing, those. New events of the key wait
    meanwhile. Raises NothingParkedError, and what is transient: nothing has happened then.
    """
    async with begin() as uow:
        which = {"consumer": consumer, "topic": place[0], "key": place[1]}
        await uow.connection.execute(_LOCK, which)
        waiting = await _waiting(uow, which)
        if not waiting:
            raise NothingParkedError
        batch = Batch(uow, consumer, handlers, patient=True)
        await batch.look_up([place])
        skipped = _skip(batch, place, waiting) if skip else []
        applied, stops_at = await _apply(batch, waiting[len(skipped) :])
        await batch.finish()
        gone = [*skipped, *applied]
        await uow.connection.execute(_APPLIED, {"consumer": consumer, "ids": [event_id for event_id, _ in gone]})
        left = waiting[len(gone) :]
        if left:
            await uow.connection.execute(_STOPPED, {"consumer": consumer, "id": left[0][0], "reason": stops_at})
        counts = {"applied": len(applied), "skipped": len(skipped), "left": len(left)}
        await audit(uow, decision, consumer, topic=place[0], key=place[1], **counts)
    batch.tally.publish()
    return Outcome(*place, len(applied), len(skipped), len(left), stops_at)


_Event = tuple[UUID, Record]


async def _apply(batch: Batch, events: list[_Event]) -> tuple[list[_Event], str | None]:
    applied: list[_Event] = []
    for event in events:
        if reason := await batch.attempt(event[1], savepoint=True):
            return applied, reason
        applied.append(event)
    return applied, None


async def _waiting(uow: UnitOfWork, which: dict[str, Any]) -> list[_Event]:
    """In the order in which they must be applied: by sequence; what has none keeps its place behind what came before it."""
    place = {"topic": which["topic"], "key": which["key"]}
    ordered: list[tuple[int, int, _Event]] = []
    highest = 0
    for number, row in enumerate(await uow.connection.execute(_WAITING, which)):
        record = kept_record(**place, partition=row.partition, offset=row.offset, headers=row.headers, value=row.value)
        highest = max(highest, record.sequence)
        ordered.append((record.sequence or highest, number, (row.event_id, record)))
    return [event for _, _, event in sorted(ordered, key=lambda one: one[:2])]


def _skip(batch: Batch, place: TopicKey, waiting: list[_Event]) -> list[_Event]:
    """What is left out: the first event, or nothing where it only waits for events that never came."""
    first, last = waiting[0][1], batch.last(place)
    if first.received and last is not None and first.sequence > last + 1:
        batch.go_on_after(place, first.sequence - 1)
        return []
    following = waiting[1][1].sequence if len(waiting) > 1 else 0
    after = first.sequence or following - 1
    if after > (last or 0):
        batch.go_on_after(place, after)
    elif not first.sequence and not following and last is not None:
        batch.go_on_after(place, last + 1)
    return waiting[:1]

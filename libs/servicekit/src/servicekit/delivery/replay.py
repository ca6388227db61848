"""What a person decides about a parked key: try it again, or go on without what stops it. Each step is a transaction with its audit row."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from servicekit.delivery.inbox import BEHIND, Batch, Handlers, TopicKey
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.delivery.parking import Decision, audit
from servicekit.delivery.record import LARGEST_SEQUENCE, Record, kept_record

_LOCK = text("select pg_advisory_xact_lock(hashtextextended('parked/' || :consumer || '/' || :topic || '/' || :key, 0))")
MOST = 200
"""Events that one step applies at most: a batch that holds a new event of the key, and others, waits for it."""
UNFINISHED = "replay_unfinished"
"""Why a key waits between two steps."""

# In the order in which they must be applied: by sequence; what has none keeps its place behind what came before it
_WAITING = text(
    """select event_id, partition, "offset", headers, value, reason, events from parked_events join (
      select event_id, count(*) over () as events,
        case when sequence > 0 then sequence else max(sequence) over (order by partition, "offset") end as place
      from parked_events where consumer = :consumer and topic = :topic and key = :key) as ordered using (event_id)
    where consumer = :consumer order by place, partition, "offset" limit :most"""
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
    """Why the first of those can't be applied: a code, or the type of the error. UNFINISHED: it wasn't tried yet."""


async def retry(begin: Begin, consumer: str, place: TopicKey, handlers: Handlers, decision: Decision, *, skip: bool = False) -> Outcome:
    """Apply the first MOST events of a parked key in order, each once, until one fails; when none is left the key flows again.

    `skip` goes on without what stops the key: the first event, or, where events are missing, those; but what only waited behind another
    one and now comes before it was never tried, and is. New events of the key wait
    meanwhile; between two steps they join those that are parked. Raises NothingParkedError, and what is transient: nothing has
    happened then.
    """
    async with begin() as uow:
        which = {"consumer": consumer, "topic": place[0], "key": place[1]}
        await uow.connection.execute(_LOCK, which)
        waiting, events, reason = await _waiting(uow, which)
        if not waiting:
            raise NothingParkedError
        batch = Batch(uow, consumer, handlers, patient=True)
        await batch.look_up([place])
        skipped = _skip(batch, place, waiting) if skip and reason != BEHIND else []
        applied, stops_at = await _apply(batch, waiting[len(skipped) : MOST])
        await batch.finish()
        gone = [*skipped, *applied]
        await uow.connection.execute(_APPLIED, {"consumer": consumer, "ids": [event_id for event_id, _ in gone]})
        left = events - len(gone)
        if left:
            stops_at = stops_at or UNFINISHED
            await uow.connection.execute(_STOPPED, {"consumer": consumer, "id": waiting[len(gone)][0], "reason": stops_at})
        await audit(uow, decision, consumer, topic=place[0], key=place[1], applied=len(applied), skipped=len(skipped), left=left)
    batch.tally.publish()
    return Outcome(*place, len(applied), len(skipped), left, stops_at)


_Event = tuple[UUID, Record]


async def _apply(batch: Batch, events: list[_Event]) -> tuple[list[_Event], str | None]:
    applied: list[_Event] = []
    for event in events:
        if reason := await batch.attempt(event[1], savepoint=True):
            return applied, reason
        applied.append(event)
    return applied, None


async def _waiting(uow: UnitOfWork, which: dict[str, Any]) -> tuple[list[_Event], int, str | None]:
    """The first events that wait (one more than a step takes), in order; how many wait altogether; why the first does."""
    place = {"topic": which["topic"], "key": which["key"]}
    rows = (await uow.connection.execute(_WAITING, which | {"most": MOST + 1})).all()
    records = (kept_record(**place, partition=row.partition, offset=row.offset, headers=row.headers, value=row.value) for row in rows)
    events = [(row.event_id, record) for row, record in zip(rows, records, strict=True)]
    return events, rows[0].events if rows else 0, rows[0].reason if rows else None


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
        batch.go_on_after(place, min(last + 1, LARGEST_SEQUENCE))
    return waiting[:1]

"""Recurring work that every service has: what the plumbing keeps is deleted when its time is up."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from servicekit.delivery.outbox import UnitOfWork
from servicekit.idempotency import KEPT as OUTCOMES_KEPT

RECEIPTS_KEPT = timedelta(days=35)
"""Longer than the topics' retention (7 days) and the time in which a parked key may be replayed."""
AT_ONCE = 10_000
"""Rows deleted in one transaction; what is left goes with the next."""

_RECEIPTS = text(
    """delete from inbox where (consumer, event_id) in
      (select consumer, event_id from inbox where received_at < :before order by received_at limit :at_once)"""
)
_KEYS = text(
    """delete from inbox_keys where (consumer, topic, key) in
      (select consumer, topic, key from inbox_keys as old where applied_at < :before and not exists
        (select from parked_events as parked
         where parked.consumer = old.consumer and parked.topic = old.topic and parked.key = old.key) limit :at_once)"""
)
_OUTCOMES = text(
    "delete from idempotency_keys where key_hash in (select key_hash from idempotency_keys where created_at < :before limit :at_once)"
)
_SESSIONS = text(
    "delete from browser_sessions where id_hash in (select id_hash from browser_sessions where expires_at < :now limit :at_once)"
)


async def forget_receipts(uow: UnitOfWork, _subject: UUID | None) -> None:
    """Receipts and keys of events that can no longer come again."""
    before = await uow.now() - RECEIPTS_KEPT
    for statement in (_RECEIPTS, _KEYS):
        await uow.connection.execute(statement, {"before": before, "at_once": AT_ONCE})


async def forget_outcomes(uow: UnitOfWork, _subject: UUID | None) -> None:
    """Outcomes of requests that are too old to be repeated."""
    await uow.connection.execute(_OUTCOMES, {"before": await uow.now() - OUTCOMES_KEPT, "at_once": AT_ONCE})


async def forget_sessions(uow: UnitOfWork, _subject: UUID | None) -> None:
    """Sessions of browsers that have expired."""
    await uow.connection.execute(_SESSIONS, {"now": await uow.now(), "at_once": AT_ONCE})


WORK = {
    "housekeeping.receipts": (300.0, forget_receipts),
    "housekeeping.outcomes": (60.0, forget_outcomes),
    "housekeeping.sessions": (60.0, forget_sessions),
}
"""Kind of timer -> seconds between two runs, and what it does."""

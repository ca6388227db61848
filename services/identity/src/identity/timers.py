"""Work that is due by the clock: counts of buckets that are over, and logins that are over for good."""

from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork
from servicekit.timers import Every, Timers

from identity.handlers.counts import tell_counts
from identity.store.logins import delete_old

LONGEST_WAIT = 60.0
"""Seconds between two looks, however wide the buckets are."""


def timers(bucket_seconds: int) -> Timers:
    """Identity's timers; `bucket_seconds` is the width of the buckets that logins are counted in."""

    async def count(uow: UnitOfWork, _: UUID | None) -> None:
        await tell_counts(uow, bucket_seconds)

    return {"logins.count": Every(min(float(bucket_seconds), LONGEST_WAIT), count), "logins.retention": Every(60, _forget)}


async def _forget(uow: UnitOfWork, _: UUID | None) -> None:
    await delete_old(uow.connection, await uow.now())

"""What happened at the border is told once per bucket of time: counts by need, and the journeys that began, shuffled."""

from datetime import timedelta
from random import SystemRandom
from uuid import UUID

from contracts.helpjourney import CareStarted, ClaimCount, ClaimsCounted, JourneyStarted
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.claims import bucket_start
from helpjourney.store.claims import settle_spent
from helpjourney.store.journeys import (
    care_unit,
    count_claim,
    entries_of,
    hold_release,
    lock_journey,
    open_bucket,
    save_journey,
    take_bucket,
)

CLOSE_BUCKET = "border.close"
SETTLE = "border.settle"


async def note_crossing(uow: UnitOfWork, journey_id: UUID, claimed_need: str | None, bucket_seconds: int) -> None:
    """A journey began, by a claim or directly; it is told when the bucket is over."""
    starts_at = bucket_start(await uow.now(), bucket_seconds)
    bucket_id, is_new = await open_bucket(uow.connection, starts_at, bucket_seconds)
    if is_new:
        uow.schedule(CLOSE_BUCKET, starts_at + timedelta(seconds=bucket_seconds), bucket_id)
    await hold_release(uow.connection, journey_id, bucket_id)
    if claimed_need is not None:
        await count_claim(uow.connection, bucket_id, claimed_need)


async def close_bucket(uow: UnitOfWork, bucket_id: UUID) -> None:
    """Tell what was held back; what was in the bucket is forgotten."""
    bucket = await take_bucket(uow.connection, bucket_id)
    if bucket is None:
        return
    uow.schedule(SETTLE, await uow.now(), bucket.id)
    if bucket.claimed:
        counts = tuple(ClaimCount(need=need, claimed=claimed) for need, claimed in sorted(bucket.claimed.items()))
        event = ClaimsCounted(bucket_id=bucket.id, bucket_start=bucket.starts_at, bucket_seconds=bucket.seconds, counts=counts)
        uow.tell(event, key=bucket.id, sequence=1)
    entries = await entries_of(uow.connection, bucket.started)
    held = {journey_id: await _release(uow, journey_id) for journey_id in sorted(entries)}  # locked in one order
    for journey_id in SystemRandom().sample(list(held), len(held)):
        entry, age_band = entries[journey_id]
        uow.tell(JourneyStarted(journey_id=journey_id, entry=entry, age_band=age_band), key=journey_id, sequence=1)
        if unit := held[journey_id]:
            uow.tell(CareStarted(journey_id=journey_id, service_id=unit), key=journey_id, sequence=2)


async def settle(uow: UnitOfWork) -> None:
    """Write what is left of spent secrets anew, in a transaction that touches nothing of a journey."""
    await settle_spent(uow.connection)


async def _release(uow: UnitOfWork, journey_id: UUID) -> UUID | None:
    """Mark the start as told; the unit that started care meanwhile, if one did."""
    journey = (await lock_journey(uow.connection, journey_id)).release()
    await save_journey(uow.connection, journey)
    return await care_unit(uow.connection, journey_id) if journey.care_started_at else None

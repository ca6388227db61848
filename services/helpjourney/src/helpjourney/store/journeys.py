"""Journeys, what stands in them, who has seen them, and the buckets of time at the border."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from servicekit.upserts import add_if_new, add_up, put
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from helpjourney.domain.journeys import Journey
from helpjourney.store import metadata

journeys = Table(
    "journeys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subject", Uuid, index=True),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("is_released", Boolean, nullable=False, server_default="false"),
    Column("entry", Text, nullable=False),
    Column("age_band", Text, nullable=False),
    Column("need", Text),
    Column("urgency", Text),
    Column("wrapped_key", LargeBinary),
    Column("sealed_summary", LargeBinary),
    Column("summary_delete_after", DateTime(timezone=True), index=True),
    Column("summary_was_unreadable", Boolean, nullable=False, server_default="false"),
    Column("service_id", Uuid),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("care_started_at", DateTime(timezone=True)),
    Column("care_service_id", Uuid),
    Column("care_hpr_number", Text),
    Column("delete_after", DateTime(timezone=True), nullable=False, index=True),
)
views = Table(
    "views",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("journey_id", Uuid, ForeignKey("journeys.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("service_id", Uuid, nullable=False),
    Column("hpr_number", Text, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("with_summary", Boolean, nullable=False),
)
referrals = Table(
    "referrals",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("journey_id", Uuid, ForeignKey("journeys.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("service_id", Uuid, nullable=False),
    Column("target", Text, nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False),
)
closings = Table(
    "closings",
    metadata,
    Column("journey_id", Uuid, ForeignKey("journeys.id", ondelete="CASCADE"), primary_key=True),
    Column("service_id", Uuid, primary_key=True),
    Column("closed_at", DateTime(timezone=True), nullable=False),
)
"""A unit has ended its case: it sees nothing of the journey any more, until she wishes anew."""
border_buckets = Table(
    "border_buckets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("seconds", Integer, nullable=False),
    UniqueConstraint("starts_at", "seconds"),
)
claim_counts = Table(
    "claim_counts",
    metadata,
    Column("bucket_id", Uuid, ForeignKey("border_buckets.id", ondelete="CASCADE"), primary_key=True),
    Column("need", Text, primary_key=True),
    Column("claimed", Integer, nullable=False),
)
releases = Table(
    "releases",
    metadata,
    Column("journey_id", Uuid, primary_key=True),
    Column("bucket_id", Uuid, ForeignKey("border_buckets.id", ondelete="CASCADE"), nullable=False, index=True),
)


class JourneyNotFoundError(Exception):
    """No such journey, or not this reader's: both look the same."""


@dataclass(frozen=True, slots=True)
class NewJourney:
    """What a journey begins with."""

    id: UUID
    subject: UUID | None
    entry: str
    age_band: str
    need: str | None
    urgency: str | None
    wrapped_key: bytes | None
    sealed_summary: bytes | None
    summary_delete_after: datetime | None
    summary_was_unreadable: bool
    service_id: UUID | None
    started_at: datetime
    delete_after: datetime


async def add_journey(connection: AsyncConnection, journey: NewJourney) -> None:
    await connection.execute(insert(journeys).values({name: getattr(journey, name) for name in NewJourney.__slots__}))


async def lock_journey(connection: AsyncConnection, journey_id: UUID) -> Journey:
    """The journey, held until the transaction ends. Raises JourneyNotFoundError."""
    row = (await connection.execute(select(journeys).where(journeys.c.id == journey_id).with_for_update())).one_or_none()
    if row is None:
        raise JourneyNotFoundError
    return Journey(row.id, row.subject, row.version, row.is_released, row.care_started_at)


async def lock_subject(connection: AsyncConnection, subject: UUID) -> None:
    """One transaction at a time begins a journey directly for this subject."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"helpjourney/{subject}", 0))))


async def newest_journey(connection: AsyncConnection, subject: UUID) -> UUID | None:
    """The subject's newest journey."""
    query = select(journeys.c.id).where(journeys.c.subject == subject)
    return await connection.scalar(query.order_by(journeys.c.started_at.desc(), journeys.c.id).limit(1))


async def owns_journey(connection: AsyncConnection, journey_id: UUID, subject: UUID) -> bool:
    """Whether the journey is this subject's."""
    return bool(await connection.scalar(select(exists().where(journeys.c.id == journey_id, journeys.c.subject == subject))))


async def save_journey(connection: AsyncConnection, journey: Journey) -> None:
    values = {"version": journey.version, "is_released": journey.is_released, "care_started_at": journey.care_started_at}
    await connection.execute(update(journeys).where(journeys.c.id == journey.id).values(values))


async def note_care(connection: AsyncConnection, journey_id: UUID, service_id: UUID, hpr_number: str) -> None:
    """Who started care."""
    values = {"care_service_id": service_id, "care_hpr_number": hpr_number}
    await connection.execute(update(journeys).where(journeys.c.id == journey_id).values(values))


async def care_unit(connection: AsyncConnection, journey_id: UUID) -> UUID:
    """The unit that started care."""
    unit: UUID = (await connection.execute(select(journeys.c.care_service_id).where(journeys.c.id == journey_id))).scalar_one()
    return unit


async def keep_until(connection: AsyncConnection, journey_id: UUID, delete_after: datetime) -> None:
    """Something happened in the journey: it lives at least this long."""
    later = func.greatest(journeys.c.delete_after, delete_after)
    await connection.execute(update(journeys).where(journeys.c.id == journey_id).values(delete_after=later))


async def destroy_summaries(connection: AsyncConnection, journey_ids: Collection[UUID]) -> int:
    """Delete the texts together with their keys. Returns how many there were."""
    gone = {"wrapped_key": None, "sealed_summary": None, "summary_delete_after": None}
    there = update(journeys).where(journeys.c.id.in_(journey_ids), journeys.c.sealed_summary.is_not(None))
    return int((await connection.execute(there.values(gone))).rowcount)


async def overdue_summaries(connection: AsyncConnection, now: datetime) -> list[UUID]:
    """Journeys whose text has served its time."""
    return list(await connection.scalars(select(journeys.c.id).where(journeys.c.summary_delete_after <= now)))


async def journeys_among(connection: AsyncConnection, ids: Collection[UUID]) -> list[UUID]:
    """Those of the given ids that are there."""
    return list(await connection.scalars(select(journeys.c.id).where(journeys.c.id.in_(ids)).order_by(journeys.c.id)))


async def overdue_journeys(connection: AsyncConnection, now: datetime, most: int = 200) -> list[UUID]:
    """Journeys whose time is up and whose start was told, oldest first."""
    query = select(journeys.c.id).where(journeys.c.delete_after <= now, journeys.c.is_released)
    return list(await connection.scalars(query.order_by(journeys.c.delete_after).limit(most)))


async def delete_journey(connection: AsyncConnection, journey_id: UUID) -> None:
    """With all that hangs on it: appointments, notices and who has seen it."""
    await connection.execute(delete(journeys).where(journeys.c.id == journey_id))


async def add_view(
    connection: AsyncConnection, journey_id: UUID, service_id: UUID, hpr_number: str, now: datetime, with_summary: bool
) -> None:
    """One line of the access log that the youth can read."""
    row = {"id": uuid4(), "journey_id": journey_id, "service_id": service_id, "hpr_number": hpr_number, "seen_at": now}
    await connection.execute(insert(views).values(row | {"with_summary": with_summary}))


async def add_referral(connection: AsyncConnection, journey_id: UUID, service_id: UUID, target: str, now: datetime) -> None:
    """A unit has referred her on. `target`: a code of `domain.journeys.ReferralTarget`."""
    row = {"id": uuid4(), "journey_id": journey_id, "service_id": service_id, "target": target, "sent_at": now}
    await connection.execute(insert(referrals).values(row))


async def add_closing(connection: AsyncConnection, journey_id: UUID, service_id: UUID, now: datetime) -> None:
    """A unit has ended its case; again, if she had come back meanwhile."""
    await put(connection, closings, {"journey_id": journey_id, "service_id": service_id, "closed_at": now})


async def open_bucket(connection: AsyncConnection, starts_at: datetime, seconds: int) -> tuple[UUID, bool]:
    """The bucket's id, and whether it is new. Shared with other claims, but closing waits for this transaction."""
    fresh = uuid4()
    if await add_if_new(connection, border_buckets, {"id": fresh, "starts_at": starts_at, "seconds": seconds}):
        return fresh, True
    held = select(border_buckets.c.id).where(border_buckets.c.starts_at == starts_at, border_buckets.c.seconds == seconds)
    found = await connection.scalar(held.with_for_update(read=True))
    return (found, False) if found is not None else await open_bucket(connection, starts_at, seconds)


async def count_claim(connection: AsyncConnection, bucket_id: UUID, need: str) -> None:
    await add_up(connection, claim_counts, {"bucket_id": bucket_id, "need": need, "claimed": 1})


async def hold_release(connection: AsyncConnection, journey_id: UUID, bucket_id: UUID) -> None:
    """The journey's start is told when this bucket is over."""
    await connection.execute(insert(releases).values(journey_id=journey_id, bucket_id=bucket_id))


@dataclass(frozen=True, slots=True)
class Bucket:
    """All that happened at the border in one bucket of time."""

    id: UUID
    starts_at: datetime
    seconds: int
    claimed: dict[str, int]
    """Need code -> claims."""
    started: list[UUID]
    """Journeys that began."""


async def take_bucket(connection: AsyncConnection, bucket_id: UUID) -> Bucket | None:
    """The bucket, removed together with every trace of who was in it; None if it was taken before."""
    row = (await connection.execute(select(border_buckets).where(border_buckets.c.id == bucket_id).with_for_update())).one_or_none()
    if row is None:
        return None
    counted = await connection.execute(select(claim_counts).where(claim_counts.c.bucket_id == bucket_id))
    claimed = {count.need: count.claimed for count in counted}
    started = list(await connection.scalars(select(releases.c.journey_id).where(releases.c.bucket_id == bucket_id)))
    await connection.execute(delete(border_buckets).where(border_buckets.c.id == bucket_id))
    return Bucket(row.id, row.starts_at, row.seconds, claimed, started)


async def entries_of(connection: AsyncConnection, journey_ids: list[UUID]) -> dict[UUID, tuple[str, str]]:
    """Entry and age band of journeys, as their start tells them."""
    rows = await connection.execute(select(journeys.c.id, journeys.c.entry, journeys.c.age_band).where(journeys.c.id.in_(journey_ids)))
    return {row.id: (row.entry, row.age_band) for row in rows}

"""Tables and rows of handoffs. No column here leads to a chat, a browser or a message, and none may ever be added."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from contracts.codes import TopicCode, Urgency
from servicekit.upserts import add_up
from sqlalchemy import Column, DateTime, Integer, LargeBinary, Row, Table, Text, Uuid, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.handoffs import Handoff, HandoffNotFoundError
from dialog.store import metadata

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("need", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    Column("lookup_hash", Text, nullable=False, unique=True),
    Column("text_version", Text, nullable=False),
    Column("agreed_at", DateTime(timezone=True), nullable=False, comment="Rounded down to 5 minutes"),
    Column("locator", Text, index=True),
    Column("salt", LargeBinary),
    Column("sequence", Integer, nullable=False),
)

handoff_counts = Table(
    "handoff_counts",
    metadata,
    Column("bucket_start", DateTime(timezone=True), primary_key=True),
    Column("bucket_seconds", Integer, primary_key=True),
    Column("need", Text, primary_key=True),
    Column("offered", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
)


async def add_handoff(connection: AsyncConnection, handoff: Handoff) -> None:
    await connection.execute(insert(handoffs), asdict(handoff))


async def lock_handoff(connection: AsyncConnection, lookup_hash: str, now: datetime) -> Handoff:
    """The living offer that a secret stands for, held until the transaction ends. Raises HandoffNotFoundError."""
    found = select(handoffs).where(handoffs.c.lookup_hash == lookup_hash, handoffs.c.expires_at > now)
    row = (await connection.execute(found.with_for_update())).one_or_none()
    if row is None:
        raise HandoffNotFoundError
    return _handoff_of(row)


async def handoffs_among(connection: AsyncConnection, ids: Collection[UUID]) -> list[Handoff]:
    """Those of the given ids that stand, also expired ones, held until the transaction ends."""
    rows = await connection.execute(select(handoffs).where(handoffs.c.id.in_(ids)).order_by(handoffs.c.id).with_for_update())
    return [_handoff_of(row) for row in rows]


async def salts_of(connection: AsyncConnection, locator: str, now: datetime) -> list[bytes]:
    """The salts of the living offers whose typed code begins so; seldom more than one."""
    found = select(handoffs.c.salt).where(handoffs.c.locator == locator, handoffs.c.expires_at > now, handoffs.c.salt.is_not(None))
    return list(await connection.scalars(found.limit(5)))


async def delete_handoff(connection: AsyncConnection, handoff_id: UUID) -> None:
    await connection.execute(delete(handoffs).where(handoffs.c.id == handoff_id))


async def delete_expired(connection: AsyncConnection, now: datetime) -> None:
    await connection.execute(delete(handoffs).where(handoffs.c.expires_at <= now))


async def count(
    connection: AsyncConnection, start: datetime, seconds: int, need: TopicCode, *, offered: int = 0, withdrawn: int = 0
) -> None:
    """Add to the bucket."""
    more = {"bucket_start": start, "bucket_seconds": seconds, "need": need, "offered": offered, "withdrawn": withdrawn}
    await add_up(connection, handoff_counts, more)


async def take_counts(connection: AsyncConnection, now: datetime) -> list[Row[tuple[object, ...]]]:
    """The rows of buckets that are over, removed: they are told in the same transaction."""
    ends = handoff_counts.c.bucket_start + handoff_counts.c.bucket_seconds * timedelta(seconds=1)
    statement = delete(handoff_counts).where(ends <= now).returning(handoff_counts)
    return list(await connection.execute(statement))


def _handoff_of(row: Row[tuple[object, ...]]) -> Handoff:
    values = row._mapping
    return Handoff(**{**values, "need": TopicCode(values["need"]), "urgency": Urgency(values["urgency"])})

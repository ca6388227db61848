"""What somebody wrote when her session was over: encrypted under a key that only her browser has, for two hours."""

from datetime import datetime

from servicekit.upserts import put
from sqlalchemy import Column, DateTime, LargeBinary, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from helpjourney.store import metadata

drafts = Table(
    "drafts",
    metadata,
    Column("id_hash", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("delete_after", DateTime(timezone=True), nullable=False, index=True),
)


async def save_draft(connection: AsyncConnection, id_hash: bytes, sealed: bytes, delete_after: datetime) -> None:
    """The newest one of a browser."""
    await put(connection, drafts, {"id_hash": id_hash, "sealed": sealed, "delete_after": delete_after})


async def draft_of(connection: AsyncConnection, id_hash: bytes, now: datetime) -> bytes | None:
    return await connection.scalar(select(drafts.c.sealed).where(drafts.c.id_hash == id_hash, drafts.c.delete_after > now))


async def drop_draft(connection: AsyncConnection, id_hash: bytes) -> None:
    await connection.execute(delete(drafts).where(drafts.c.id_hash == id_hash))


async def delete_overdue_drafts(connection: AsyncConnection, now: datetime) -> None:
    await connection.execute(delete(drafts).where(drafts.c.delete_after <= now))

"""How often a browser did something lately. Knows browsers only by a keyed hash of their session, never by address."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, Table, Text, cast, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.store import metadata

tries = Table(
    "tries",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("browser", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_tries_browser_kind", "browser", "kind"),
    Index("ix_tries_kind_at", "kind", "at"),
)


async def hold_tries(connection: AsyncConnection, browser: bytes, kind: str) -> None:
    """Lets one request of a browser at a time count, until the transaction ends: two at once can't both be the last allowed."""
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(cast(f"{kind}|{browser.hex()}", Text), 0))))


async def count_tries(connection: AsyncConnection, kind: str, since: datetime, browser: bytes | None = None) -> int:
    """Tries of one kind after `since`, of one browser or of all."""
    query = select(func.count()).select_from(tries).where(tries.c.kind == kind, tries.c.at > since)
    return await connection.scalar(query if browser is None else query.where(tries.c.browser == browser)) or 0


async def add_try(connection: AsyncConnection, browser: bytes, kind: str, at: datetime) -> None:
    await connection.execute(insert(tries).values(browser=browser, kind=kind, at=at))


async def forget_tries(connection: AsyncConnection, before: datetime) -> None:
    await connection.execute(delete(tries).where(tries.c.at <= before))

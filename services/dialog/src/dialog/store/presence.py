"""Signs of life of the two sides of a chat. Not logged by the database: after a crash one starts from "not known"."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, DateTime, ForeignKey, Integer, Select, Table, Text, Uuid, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.chats import Author, ChatState
from dialog.domain.presence import UNKNOWN, Presence
from dialog.store import metadata
from dialog.store.chats import CHANNEL, chats

presences = Table(
    "presences",
    metadata,
    Column("chat_id", Uuid, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("side", Text, primary_key=True),
    Column("present_until", DateTime(timezone=True), nullable=False),
    Column("typing_until", DateTime(timezone=True)),
    Column("read_to", Integer, nullable=False, comment="Number of the last message that this side has before them"),
    prefixes=["UNLOGGED"],
)


async def sign_of(connection: AsyncConnection, chat_id: UUID, side: Author, until: datetime, read_to: int = 0) -> None:
    """This side is there, and has messages up to `read_to`. Nothing happens to a chat that is gone."""
    await _sign(connection, select(chats.c.id).where(chats.c.id == chat_id), side, until, read_to)


async def sign_of_helper(connection: AsyncConnection, helper: UUID, until: datetime) -> None:
    """The helper is there for all chats that are theirs."""
    own = select(chats.c.id).where(chats.c.helper == helper, chats.c.state == ChatState.ACTIVE).order_by(chats.c.id)
    await _sign(connection, own, Author.HELPER, until, 0)


async def note_typing(connection: AsyncConnection, chat_id: UUID, side: Author, until: datetime, present_until: datetime) -> None:
    """This side is writing; the other's open pages are woken."""
    await sign_of(connection, chat_id, side, present_until)
    await _set_typing(connection, chat_id, side, until)
    await connection.execute(select(func.pg_notify(CHANNEL, str(chat_id))))


async def stop_typing(connection: AsyncConnection, chat_id: UUID, side: Author) -> None:
    """What was being written has been sent."""
    await _set_typing(connection, chat_id, side, None)


async def forget_side(connection: AsyncConnection, chat_id: UUID, side: Author) -> None:
    """Somebody else takes this side: what was known of the one before doesn't hold."""
    await connection.execute(presences.delete().where(presences.c.chat_id == chat_id, presences.c.side == side))


async def forget_sides(connection: AsyncConnection, chat_id: UUID) -> None:
    """Before the chat goes: who gives a sign in it holds that row first and looks for the chat afterwards, so both may not go at once."""
    await connection.execute(presences.delete().where(presences.c.chat_id == chat_id))


async def presences_of(connection: AsyncConnection, chat_ids: Sequence[UUID]) -> dict[tuple[UUID, Author], Presence]:
    """Both sides of each chat, as far as known."""
    rows = await connection.execute(select(presences).where(presences.c.chat_id.in_(chat_ids)))
    return {(row.chat_id, Author(row.side)): Presence(row.present_until, row.typing_until, row.read_to) for row in rows}


async def presence_of(connection: AsyncConnection, chat_id: UUID, side: Author) -> Presence:
    """One side; `UNKNOWN` without a sign."""
    return (await presences_of(connection, [chat_id])).get((chat_id, side), UNKNOWN)


async def _set_typing(connection: AsyncConnection, chat_id: UUID, side: Author, until: datetime | None) -> None:
    await connection.execute(presences.update().where(presences.c.chat_id == chat_id, presences.c.side == side).values(typing_until=until))


async def _sign(connection: AsyncConnection, of: Select[Any], side: Author, until: datetime, read_to: int) -> None:
    rows = of.add_columns(literal(side.value), literal(until), literal(read_to))
    statement = insert(presences).from_select(["chat_id", "side", "present_until", "read_to"], rows)
    newer = {
        "present_until": statement.excluded.present_until,
        "read_to": func.greatest(presences.c.read_to, statement.excluded.read_to),
    }
    await connection.execute(statement.on_conflict_do_update(index_elements=["chat_id", "side"], set_=newer))

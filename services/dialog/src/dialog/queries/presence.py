"""Reads of signs of life: how a talk stands for its two sides, what a helper has before them, which chats lost their helper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.chats import Author, Chat, ChatState
from dialog.domain.presence import UNKNOWN, Presence
from dialog.queries.chats import own_chats
from dialog.store.chats import chat_messages, chat_of, chats
from dialog.store.presence import presences, presences_of


@dataclass(frozen=True, slots=True)
class Standing:
    """How a talk stands now, seen from one of its sides."""

    other_away: bool
    other_typing: bool
    delivered_to: int
    """The other one has messages up to this number before them."""


@dataclass(frozen=True, slots=True)
class OwnTalk:
    """A chat at hand, in the helper's list."""

    chat: Chat
    unread: int
    """Messages of the youth that the helper hasn't had before them."""
    unanswered_since: datetime | None
    """When the youth wrote what nobody has answered yet."""
    youth_away: bool


async def standing(connection: AsyncConnection, chat: Chat, reader: Author, now: datetime) -> Standing:
    """For the page of one side."""
    known = await presences_of(connection, [chat.id])
    other = known.get((chat.id, Author.HELPER if reader is Author.YOUTH else Author.YOUTH), UNKNOWN)
    return standing_of(other, now)


def standing_of(other: Presence, now: datetime) -> Standing:
    return Standing(other.is_away(now), other.is_typing(now), other.read_to)


async def own_talks(connection: AsyncConnection, helper: UUID, now: datetime) -> list[OwnTalk]:
    """The chats that a helper has, oldest first, with what is new in them."""
    own = await own_chats(connection, helper)
    ids = [chat.id for chat in own]
    known = await presences_of(connection, ids)
    read = {each: known.get((each, Author.HELPER), UNKNOWN).read_to for each in ids}
    written = (await connection.execute(_unanswered(ids))).all()
    return [
        OwnTalk(
            chat,
            sum(1 for row in written if row.chat_id == chat.id and row.number > read[chat.id]),
            min((row.written_at for row in written if row.chat_id == chat.id), default=None),
            known.get((chat.id, Author.YOUTH), UNKNOWN).is_away(now),
        )
        for chat in own
    ]


async def lost_chats(connection: AsyncConnection, organisation: str, now: datetime) -> list[Chat]:
    """Talks of an organisation whose helper is gone; who has been talking longest stands first."""
    gone = and_(presences.c.chat_id == chats.c.id, presences.c.side == Author.HELPER, presences.c.present_until <= now)
    lost = select(chats).join(presences, gone).where(chats.c.organisation == organisation, chats.c.state == ChatState.ACTIVE)
    return [chat_of(row) for row in await connection.execute(lost.order_by(chats.c.accepted_at, chats.c.id))]


def _unanswered(ids: Sequence[UUID]) -> Select[tuple[UUID, int, datetime]]:
    """The youth's messages after the helper's last one, without their text."""
    answered = (
        select(chat_messages.c.chat_id, func.max(chat_messages.c.number).label("number"))
        .where(chat_messages.c.chat_id.in_(ids), chat_messages.c.author == Author.HELPER)
        .group_by(chat_messages.c.chat_id)
        .subquery()
    )
    return (
        select(chat_messages.c.chat_id, chat_messages.c.number, chat_messages.c.written_at)
        .outerjoin(answered, answered.c.chat_id == chat_messages.c.chat_id)
        .where(
            chat_messages.c.chat_id.in_(ids),
            chat_messages.c.author == Author.YOUTH,
            chat_messages.c.number > func.coalesce(answered.c.number, 0),
        )
    )

"""Reads of chats: the queue, a talk with its messages, the helper's lists."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.codes import TopicCode, Urgency
from servicekit.crypto import Vault
from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.availability import FIRST_GUESS, Load, Provider
from dialog.domain.chats import Author, Chat, ChatNotFoundError, ChatState
from dialog.store.availability import load_of, providers
from dialog.store.chats import chat_messages, chat_of, chats, data_key_of, proposals, proposed_sentences, text_context

rank = case({Urgency.TODAY.value: 0, Urgency.SOON.value: 1}, value=chats.c.urgency, else_=2)
"""Who comes first in a queue; among equals, who has waited longest."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message in clear."""

    number: int
    author: Author
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the helper proposed to send along."""

    need: TopicCode
    urgency: Urgency
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """A place in the queue and what one may honestly expect."""

    position: int
    minutes: int | None
    load: Load


async def find_chat(connection: AsyncConnection, chat_id: UUID) -> Chat:
    """Raises ChatNotFoundError."""
    row = (await connection.execute(select(chats).where(chats.c.id == chat_id))).one_or_none()
    if row is None:
        raise ChatNotFoundError
    return chat_of(row)


async def open_chat_of(connection: AsyncConnection, browser: bytes) -> UUID | None:
    """The chat that a browser session has open."""
    chat_id: UUID | None = await connection.scalar(select(chats.c.id).where(chats.c.browser == browser))
    return chat_id


async def find_own_chat(connection: AsyncConnection, chat_id: UUID, helper: UUID, organisation: str) -> Chat:
    """The chat that this helper has. Raises ChatNotFoundError for everybody else's, also a colleague's."""
    chat = await find_chat(connection, chat_id)
    if chat.helper != helper or chat.organisation != organisation:
        raise ChatNotFoundError
    return chat


async def place_in_queue(connection: AsyncConnection, chat: Chat) -> int:
    """1 = next."""
    own_rank = {Urgency.TODAY: 0, Urgency.SOON: 1}.get(chat.urgency, 2)
    earlier = and_(rank == own_rank, or_(chats.c.requested_at < chat.requested_at, _same_moment(chat)))
    ahead = and_(chats.c.service_id == chat.service_id, chats.c.state == ChatState.WAITING, or_(rank < own_rank, earlier))
    return 1 + int(await connection.scalar(select(func.count()).select_from(chats).where(ahead)) or 0)


def _same_moment(chat: Chat) -> ColumnElement[bool]:
    return (chats.c.requested_at == chat.requested_at) & (chats.c.id < chat.id)


async def wait_of(connection: AsyncConnection, chat: Chat) -> Wait:
    """What the waiting page says."""
    load = await load_of(connection, chat.service_id)
    average = await connection.scalar(select(providers.c.average_minutes).where(providers.c.service_id == chat.service_id))
    position = await place_in_queue(connection, chat)
    provider = Provider(chat.service_id, average_minutes=average or FIRST_GUESS)
    return Wait(position, provider.wait_minutes(load, position), load)


async def messages_after(connection: AsyncConnection, chat_id: UUID, number: int, vault: Vault) -> list[Message]:
    """What was written after message `number`, in order. Raises ChatNotFoundError."""
    key = await data_key_of(connection, chat_id)
    newer = select(chat_messages).where(chat_messages.c.chat_id == chat_id, chat_messages.c.number > number)
    return [
        Message(row.number, Author(row.author), vault.decrypt(key, row.sealed, text_context(chat_id)), row.written_at)
        for row in await connection.execute(newer.order_by(chat_messages.c.number))
    ]


async def proposal_of(connection: AsyncConnection, chat_id: UUID, vault: Vault) -> Proposal | None:
    """The helper's newest proposal, None if there was none. Raises ChatNotFoundError."""
    row = (await connection.execute(select(proposals).where(proposals.c.chat_id == chat_id))).one_or_none()
    if row is None:
        return None
    key = await data_key_of(connection, chat_id)
    sealed = select(proposed_sentences.c.sealed).where(proposed_sentences.c.chat_id == chat_id).order_by(proposed_sentences.c.number)
    sentences = tuple(vault.decrypt(key, each, text_context(chat_id)) for each in await connection.scalars(sealed))
    return Proposal(TopicCode(row.need), Urgency(row.urgency), sentences)


async def waiting_chats(connection: AsyncConnection, organisation: str) -> list[Chat]:
    """The queue of an organisation's services: what is urgent, then who has waited longest."""
    waiting = select(chats).where(chats.c.organisation == organisation, chats.c.state == ChatState.WAITING)
    return [chat_of(row) for row in await connection.execute(waiting.order_by(rank, chats.c.requested_at, chats.c.id))]


async def own_chats(connection: AsyncConnection, helper: UUID) -> list[Chat]:
    """The open chats that a helper has, oldest first."""
    own = select(chats).where(chats.c.helper == helper, chats.c.state == ChatState.ACTIVE)
    return [chat_of(row) for row in await connection.execute(own.order_by(chats.c.accepted_at))]

"""Tables and rows of chats: the conversation, its messages, and what a helper proposed to send along."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from contracts.codes import AgeBand, ChatOutcome, Language, TopicCode, Urgency
from servicekit.upserts import add_up
from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    Uuid,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.chats import Author, Chat, ChatNotFoundError, ChatState, OpenChatError
from dialog.domain.retention import Retention
from dialog.store import metadata

CHANNEL = "chats"
"""PostgreSQL channel on which the id of a changed chat, or of a service whose queue changed, is told to the open pages; never more."""

OPEN = (ChatState.WAITING, ChatState.ACTIVE)
IS_OPEN = text("state in ('waiting', 'active')")

chats = Table(
    "chats",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("service_id", Uuid, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("topic_code", Text, nullable=False),
    Column("age_band", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("urgency", Text, nullable=False),
    Column("retention", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("helper", Uuid),
    Column("logging_in", Boolean, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text),
    Column("rated", Boolean, nullable=False),
    Column("accepted_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("delete_after", DateTime(timezone=True), nullable=False, index=True),
    Column("browser", LargeBinary, comment="Hash of the browser session while the chat is open: one open chat each"),
    Column("data_key", LargeBinary, nullable=False, comment="Wrapped key of all text of this chat; gone with the row"),
    Index("uq_chats_browser_open", "browser", unique=True, postgresql_where=IS_OPEN),
    Index("ix_chats_open", "service_id", "state", postgresql_where=IS_OPEN),
)

chat_messages = Table(
    "chat_messages",
    metadata,
    Column("chat_id", Uuid, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, comment="1, 2, 3 ... in the order written"),
    Column("author", Text, nullable=False),
    Column("written_at", DateTime(timezone=True), nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="Text under the chat's data key"),
)

chat_ratings = Table(
    "chat_ratings",
    metadata,
    Column("service_id", Uuid, primary_key=True),
    Column("helpful", Boolean, primary_key=True),
    Column("count", Integer, nullable=False),
)

proposals = Table(
    "proposals",
    metadata,
    Column("chat_id", Uuid, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("need", Text, nullable=False),
    Column("urgency", Text, nullable=False),
)

proposed_sentences = Table(
    "proposed_sentences",
    metadata,
    Column("chat_id", Uuid, ForeignKey("proposals.chat_id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False, comment="Text under the chat's data key"),
)

STATE_COLUMNS = (
    "state", "sequence", "messages", "helper", "logging_in", "outcome", "rated", "accepted_at", "ended_at", "seen_at", "delete_after",
)  # fmt: skip


def chat_of(row: Row[tuple[object, ...]]) -> Chat:
    """The chat that a row of `chats` says."""
    values = row._mapping
    return Chat(
        id=values["id"],
        service_id=values["service_id"],
        organisation=values["organisation"],
        topic_code=TopicCode(values["topic_code"]),
        age_band=AgeBand(values["age_band"]),
        language=Language(values["language"]),
        urgency=Urgency(values["urgency"]),
        retention=Retention(values["retention"]),
        requested_at=values["requested_at"],
        state=ChatState(values["state"]),
        outcome=ChatOutcome(values["outcome"]) if values["outcome"] else None,
        **{name: values[name] for name in STATE_COLUMNS if name not in ("state", "outcome")},
    )


async def add_chat(connection: AsyncConnection, chat: Chat, browser: bytes, data_key: bytes) -> None:
    """Raises OpenChatError if this browser has an open chat already."""
    values = {
        "id": chat.id,
        "service_id": chat.service_id,
        "organisation": chat.organisation,
        "topic_code": chat.topic_code,
        "age_band": chat.age_band,
        "language": chat.language,
        "urgency": chat.urgency,
        "retention": chat.retention,
        "requested_at": chat.requested_at,
        "browser": browser,
        "data_key": data_key,
    } | _state_of(chat)
    statement = upsert(chats).values(values).on_conflict_do_nothing(index_elements=["browser"], index_where=IS_OPEN).returning(chats.c.id)
    if await connection.scalar(statement) is None:
        raise OpenChatError


async def lock_chat(connection: AsyncConnection, chat_id: UUID) -> Chat:
    """The chat, held until the transaction ends; signs of life, whose rows point at it, don't wait meanwhile. Raises ChatNotFoundError."""
    row = (await connection.execute(select(chats).where(chats.c.id == chat_id).with_for_update(key_share=True))).one_or_none()
    if row is None:
        raise ChatNotFoundError
    return chat_of(row)


async def chats_among(connection: AsyncConnection, ids: Collection[UUID]) -> list[UUID]:
    """Those of the given ids that are there."""
    return list(await connection.scalars(select(chats.c.id).where(chats.c.id.in_(ids)).order_by(chats.c.id)))


async def save_chat(connection: AsyncConnection, chat: Chat) -> None:
    """Write what may change, and tell the open pages that something did. A closed chat forgets its browser."""
    forget = {} if chat.state.is_open else {"browser": None}
    await connection.execute(update(chats).where(chats.c.id == chat.id).values(_state_of(chat) | forget))
    await connection.execute(select(func.pg_notify(CHANNEL, str(chat.id))))


async def ring(connection: AsyncConnection, service_id: UUID) -> None:
    """Tell the open desks of a service that who waits, or who has whom, has changed."""
    await connection.execute(select(func.pg_notify(CHANNEL, str(service_id))))


async def count_rating(connection: AsyncConnection, service_id: UUID, *, helpful: bool) -> None:
    """One more who said so. Nothing leads from the number to a chat."""
    await add_up(connection, chat_ratings, {"service_id": service_id, "helpful": helpful, "count": 1})


async def delete_chat(connection: AsyncConnection, chat_id: UUID) -> None:
    """Row, key and every text of the chat."""
    await connection.execute(delete(chats).where(chats.c.id == chat_id))
    await connection.execute(select(func.pg_notify(CHANNEL, str(chat_id))))


async def add_message(connection: AsyncConnection, chat_id: UUID, number: int, author: Author, sealed: bytes, written_at: datetime) -> None:
    values = {"chat_id": chat_id, "number": number, "author": author, "sealed": sealed, "written_at": written_at}
    await connection.execute(insert(chat_messages), values)


async def data_key_of(connection: AsyncConnection, chat_id: UUID) -> bytes:
    """The wrapped key of the chat's text. Raises ChatNotFoundError."""
    key: bytes | None = await connection.scalar(select(chats.c.data_key).where(chats.c.id == chat_id))
    if key is None:
        raise ChatNotFoundError
    return key


async def replace_proposal(connection: AsyncConnection, chat_id: UUID, need: TopicCode, urgency: Urgency, sealed: list[bytes]) -> None:
    """What the helper proposes to send along; the newest counts."""
    await connection.execute(delete(proposals).where(proposals.c.chat_id == chat_id))
    await connection.execute(insert(proposals).values(chat_id=chat_id, need=need, urgency=urgency))
    if sealed:
        rows = [{"chat_id": chat_id, "number": number, "sealed": sentence} for number, sentence in enumerate(sealed, 1)]
        await connection.execute(insert(proposed_sentences), rows)


async def see_youth(connection: AsyncConnection, chat_id: UUID, now: datetime) -> None:
    """Note that the youth is there, at most once a minute."""
    stale = (chats.c.id == chat_id) & chats.c.state.in_(OPEN) & (chats.c.seen_at < now - timedelta(minutes=1))
    await connection.execute(update(chats).where(stale).values(seen_at=now))


def _state_of(chat: Chat) -> dict[str, object]:
    return {name: getattr(chat, name) for name in STATE_COLUMNS}


def text_context(chat_id: UUID) -> bytes:
    """What the chat's data key is bound to."""
    return b"chat|" + chat_id.bytes

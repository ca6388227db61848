"""Chats that time has something to do with: nobody came, the youth is gone, the text's last day is over."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.availability import CLOSED_FOR_GOOD
from dialog.domain.chats import GONE_AFTER, LOGIN_TAKES, LONGEST_WAIT, Chat, ChatState
from dialog.store.availability import providers
from dialog.store.chats import OPEN, chat_of, chats

SWEEP = 100
"""Chats in one transaction; the rest come next time."""


async def lock_waiting_in_vain(connection: AsyncConnection, now: datetime) -> list[Chat]:
    """Those that waited for too long, or whose service has closed."""
    closed = select(providers.c.service_id).where(providers.c.is_open.is_(False), providers.c.changed_at <= now - CLOSED_FOR_GOOD)
    in_vain = or_(chats.c.requested_at <= now - LONGEST_WAIT, chats.c.service_id.in_(closed))
    return await _lock(connection, (chats.c.state == ChatState.WAITING) & in_vain)


async def lock_deserted(connection: AsyncConnection, now: datetime) -> list[Chat]:
    """Those that the youth left without a word, waiting or talking."""
    here = (chats.c.seen_at <= now - GONE_AFTER) & chats.c.logging_in.is_(False)
    logging_in = (chats.c.seen_at <= now - LOGIN_TAKES) & chats.c.logging_in.is_(True)
    return await _lock(connection, chats.c.state.in_(OPEN) & or_(here, logging_in))


async def lock_overdue(connection: AsyncConnection, now: datetime) -> list[Chat]:
    """Those whose text must be gone."""
    return await _lock(connection, chats.c.delete_after <= now)


async def _lock(connection: AsyncConnection, condition: ColumnElement[bool]) -> list[Chat]:
    """By service, so that no two sweeps cross; what somebody else holds comes next time."""
    found = select(chats).where(condition).order_by(chats.c.service_id, chats.c.id).limit(SWEEP)
    return [chat_of(row) for row in await connection.execute(found.with_for_update(skip_locked=True, key_share=True))]

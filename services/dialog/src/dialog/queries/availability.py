"""Reads of availability: which chat services there are, which are open, how long their queues are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.codes import ServiceKind
from contracts.info import HelpService
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.availability import Load, Provider
from dialog.queries.directory import all_help_services, help_services_of
from dialog.store.availability import duties, loads_of, provider_of, providers
from dialog.store.chats import chat_ratings

ENOUGH_RATINGS = 5
"""Fewer answers than this are not shown."""


@dataclass(frozen=True, slots=True)
class ChatService:
    """A chat service as one may choose it."""

    entry: HelpService
    provider: Provider
    load: Load

    @property
    def takes_chats(self) -> bool:
        return self.provider.is_open and not self.load.is_full

    @property
    def wait_minutes(self) -> int | None:
        """For the next one who asks."""
        return self.provider.wait_minutes(self.load, self.load.waiting + 1) if self.provider.is_open else None


@dataclass(frozen=True, slots=True)
class Duty:
    """What a helper is on duty for."""

    service_id: UUID
    capacity: int
    seen_at: datetime


async def chat_services(connection: AsyncConnection) -> list[ChatService]:
    """Every chat service of the register: those that take chats first, the shortest wait first, then by name."""
    found = await _with_live_state(connection, await all_help_services(connection))
    return sorted(found, key=lambda each: (not each.takes_chats, each.wait_minutes or 0, each.entry.name.casefold()))


async def own_chat_services(connection: AsyncConnection, organisation: str) -> list[ChatService]:
    """The chat services of one organisation, by name."""
    return await _with_live_state(connection, await help_services_of(connection, organisation))


async def duty_now(connection: AsyncConnection, helper: UUID) -> Duty | None:
    """None = on a break."""
    row = (await connection.execute(select(duties).where(duties.c.helper == helper))).one_or_none()
    return None if row is None else Duty(row.service_id, row.capacity, row.seen_at)


async def ratings_of(connection: AsyncConnection, service_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """How many said that talking helped, and how many said anything; only of services where enough did that nobody is pointed at."""
    counted: dict[UUID, dict[bool, int]] = {}
    for row in await connection.execute(select(chat_ratings).where(chat_ratings.c.service_id.in_(service_ids))):
        counted.setdefault(row.service_id, {})[row.helpful] = int(row._mapping[chat_ratings.c.count])
    totals = {each: (answers.get(True, 0), sum(answers.values())) for each, answers in counted.items()}
    return {each: (yes, total) for each, (yes, total) in totals.items() if total >= ENOUGH_RATINGS}


async def _with_live_state(connection: AsyncConnection, entries: list[HelpService]) -> list[ChatService]:
    chat_entries = [entry for entry in entries if entry.kind == ServiceKind.CHAT_SERVICE]
    ids = [entry.service_id for entry in chat_entries]
    rows = await connection.execute(select(providers).where(providers.c.service_id.in_(ids)))
    live = {row.service_id: provider_of(row) for row in rows}
    loads = await loads_of(connection, ids)
    return [ChatService(entry, live.get(entry.service_id) or Provider(entry.service_id), loads[entry.service_id]) for entry in chat_entries]

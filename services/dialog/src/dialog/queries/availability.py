"""Reads of availability: which chat services there are, which are open, how long their queues are."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.codes import ServiceKind
from contracts.info import HelpService
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.availability import Load, Provider
from dialog.domain.retention import Retention
from dialog.queries.directory import all_help_services, help_services_of
from dialog.store.availability import duties, load_of, providers


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
    found = [await _with_live_state(connection, entry) for entry in await all_help_services(connection) if _is_chat(entry)]
    return sorted(found, key=lambda each: (not each.takes_chats, each.wait_minutes or 0, each.entry.name.casefold()))


async def own_chat_services(connection: AsyncConnection, organisation: str) -> list[ChatService]:
    """The chat services of one organisation, by name."""
    entries = await help_services_of(connection, organisation)
    return [await _with_live_state(connection, entry) for entry in entries if _is_chat(entry)]


async def duty_now(connection: AsyncConnection, helper: UUID) -> Duty | None:
    """None = on a break."""
    row = (await connection.execute(select(duties).where(duties.c.helper == helper))).one_or_none()
    return None if row is None else Duty(row.service_id, row.capacity, row.seen_at)


async def provider_of(connection: AsyncConnection, service_id: UUID) -> Provider:
    """The live state without holding it; closed and new if there was none."""
    row = (await connection.execute(select(providers).where(providers.c.service_id == service_id))).one_or_none()
    return Provider(service_id) if row is None else Provider(**{**row._mapping, "retention": Retention(row.retention)})


def _is_chat(entry: HelpService) -> bool:
    return entry.kind == ServiceKind.CHAT_SERVICE


async def _with_live_state(connection: AsyncConnection, entry: HelpService) -> ChatService:
    provider = await provider_of(connection, entry.service_id)
    return ChatService(entry, provider, await load_of(connection, entry.service_id))

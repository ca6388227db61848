"""Tables and rows of availability: the live state of each chat service, and who is on duty."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from servicekit.upserts import add_if_new, put
from sqlalchemy import Boolean, Column, DateTime, Float, Integer, Row, Table, Text, Uuid, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.availability import DUTY_WITHOUT_SIGN, Load, NotOnDutyError, Provider
from dialog.domain.chats import ChatState
from dialog.domain.retention import Retention
from dialog.store import metadata
from dialog.store.chats import OPEN, chats

providers = Table(
    "providers",
    metadata,
    Column("service_id", Uuid, primary_key=True),
    Column("is_open", Boolean, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("changed_at", DateTime(timezone=True)),
    Column("retention", Text, nullable=False),
    Column("average_minutes", Float, nullable=False),
    Column("told_length", Integer),
    Column("told_wait", Integer),
)

duties = Table(
    "duties",
    metadata,
    Column("helper", Uuid, primary_key=True),
    Column("service_id", Uuid, nullable=False, index=True),
    Column("capacity", Integer, nullable=False, comment="Chats at once"),
    Column("seen_at", DateTime(timezone=True), nullable=False),
)


def provider_of(row: Row[Any]) -> Provider:
    """The live state that a row of `providers` says."""
    return Provider(**{**row._mapping, "retention": Retention(row.retention)})


async def lock_provider(connection: AsyncConnection, service_id: UUID) -> Provider:
    """The service's live state, held until the transaction ends; closed and new if there was none."""
    new = asdict(Provider(service_id))
    await add_if_new(connection, providers, new)
    row = (await connection.execute(select(providers).where(providers.c.service_id == service_id).with_for_update())).one()
    return provider_of(row)


async def save_provider(connection: AsyncConnection, provider: Provider) -> None:
    await connection.execute(update(providers).where(providers.c.service_id == provider.service_id).values(asdict(provider)))


async def provider_ids(connection: AsyncConnection) -> list[UUID]:
    """Every service with a live state, in the order in which they are locked."""
    return list(await connection.scalars(select(providers.c.service_id).order_by(providers.c.service_id)))


async def load_of(connection: AsyncConnection, service_id: UUID) -> Load:
    """The places of the helpers on duty, and the chats that wait or go on."""
    return (await loads_of(connection, [service_id]))[service_id]


async def loads_of(connection: AsyncConnection, service_ids: Sequence[UUID]) -> dict[UUID, Load]:
    """The load of each of the services."""
    on_duty = select(duties.c.service_id, func.sum(duties.c.capacity)).group_by(duties.c.service_id)
    places = {row[0]: int(row[1]) for row in await connection.execute(on_duty.where(duties.c.service_id.in_(service_ids)))}
    of_services = chats.c.service_id.in_(service_ids) & chats.c.state.in_(OPEN)
    counted = select(chats.c.service_id, chats.c.state, func.count()).where(of_services).group_by(chats.c.service_id, chats.c.state)
    open_chats = {(row[0], row[1]): int(row[2]) for row in await connection.execute(counted)}
    return {
        each: Load(places.get(each, 0), open_chats.get((each, ChatState.ACTIVE), 0), open_chats.get((each, ChatState.WAITING), 0))
        for each in service_ids
    }


async def duty_of(connection: AsyncConnection, helper: UUID) -> UUID | None:
    """The service at which the helper is on duty."""
    service_id: UUID | None = await connection.scalar(select(duties.c.service_id).where(duties.c.helper == helper))
    return service_id


async def lock_duty(connection: AsyncConnection, helper: UUID) -> int:
    """How many chats the helper may have at once; the row is held. Raises NotOnDutyError."""
    capacity = await connection.scalar(select(duties.c.capacity).where(duties.c.helper == helper).with_for_update())
    if capacity is None:
        raise NotOnDutyError
    return int(capacity)


async def set_duty(connection: AsyncConnection, helper: UUID, service_id: UUID, capacity: int, now: datetime) -> None:
    await put(connection, duties, {"helper": helper, "service_id": service_id, "capacity": capacity, "seen_at": now})


async def see_helper(connection: AsyncConnection, helper: UUID, now: datetime) -> None:
    """Note that the desk of a helper on duty is open, at most once a minute."""
    stale = (duties.c.helper == helper) & (duties.c.seen_at < now - timedelta(minutes=1))
    await connection.execute(update(duties).where(stale).values(seen_at=now))


async def end_duty(connection: AsyncConnection, helper: UUID) -> None:
    await connection.execute(delete(duties).where(duties.c.helper == helper))


async def end_silent_duties(connection: AsyncConnection, service_id: UUID, now: datetime) -> None:
    """Helpers whose desk has been silent for too long are no longer there."""
    silent = duties.c.seen_at <= now - DUTY_WITHOUT_SIGN
    await connection.execute(delete(duties).where(duties.c.service_id == service_id, silent))


async def count_helpers(connection: AsyncConnection, service_id: UUID) -> int:
    return int(await connection.scalar(select(func.count()).select_from(duties).where(duties.c.service_id == service_id)) or 0)


async def count_active(connection: AsyncConnection, helper: UUID) -> int:
    """Chats that the helper has now."""
    of_helper = (chats.c.helper == helper) & (chats.c.state == ChatState.ACTIVE)
    return int(await connection.scalar(select(func.count()).select_from(chats).where(of_helper)) or 0)

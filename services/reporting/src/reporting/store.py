"""All that reporting knows of its database: counts by hour, waits by band, and what is open now. No id of a contact."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from servicekit.upserts import put
from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import Period, Step, Wait

metadata = MetaData()
counts = Table(
    "counts",
    metadata,
    Column("step", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("count", Integer, nullable=False),
)
waits = Table(
    "waits",
    metadata,
    Column("wait", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("band", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
)
help_services = Table(
    "help_services",
    metadata,
    Column("service_id", Uuid, primary_key=True),
    Column("name", Text),
    Column("owner_name", Text),
    Column("is_open", Boolean, nullable=False, server_default="false"),
    Column("queue_length", Integer),
    Column("wait_minutes", Integer),
)


_ADD_COUNTS = text(
    """insert into counts (step, hour, count)
    select step, hour, count from unnest(cast(:steps as text[]), cast(:hours as timestamptz[]), cast(:counts as int[]))
      as more(step, hour, count) order by step, hour
    on conflict (step, hour) do update set count = counts.count + excluded.count"""
)
_ADD_WAITS = text(
    """insert into waits (wait, hour, band, count)
    select wait, hour, band, count
    from unnest(cast(:waits as text[]), cast(:hours as timestamptz[]), cast(:bands as int[]), cast(:counts as int[]))
      as more(wait, hour, band, count) order by wait, hour, band
    on conflict (wait, hour, band) do update set count = waits.count + excluded.count"""
)


async def add_counts(connection: AsyncConnection, totals: Mapping[tuple[Step, datetime], int]) -> None:
    """Add totals by step and hour."""
    steps, hours = zip(*totals, strict=True)
    await connection.execute(_ADD_COUNTS, {"steps": list(steps), "hours": list(hours), "counts": list(totals.values())})


async def add_waits(connection: AsyncConnection, totals: Mapping[tuple[Wait, datetime, int], int]) -> None:
    """Add totals by wait, hour and band."""
    waited, hours, bands = zip(*totals, strict=True)
    columns = {"waits": list(waited), "hours": list(hours), "bands": list(bands), "counts": list(totals.values())}
    await connection.execute(_ADD_WAITS, columns)


async def list_service(connection: AsyncConnection, service_id: UUID, name: str, owner_name: str) -> None:
    await _save_service(connection, service_id, {"name": name, "owner_name": owner_name})


async def open_provider(connection: AsyncConnection, service_id: UUID, *, is_open: bool) -> None:
    await _save_service(connection, service_id, {"is_open": is_open})


async def set_queue(connection: AsyncConnection, service_id: UUID, length: int, wait_minutes: int | None) -> None:
    await _save_service(connection, service_id, {"queue_length": length, "wait_minutes": wait_minutes})


async def _save_service(connection: AsyncConnection, service_id: UUID, values: Mapping[str, object]) -> None:
    await put(connection, help_services, {"service_id": service_id, **values})


async def delist_service(connection: AsyncConnection, service_id: UUID) -> None:
    await connection.execute(delete(help_services).where(help_services.c.service_id == service_id))


async def counts_of(connection: AsyncConnection, period: Period) -> dict[Step, int]:
    total = func.sum(counts.c.count)
    within = (counts.c.hour >= period.start) & (counts.c.hour < period.end)
    rows = await connection.execute(select(counts.c.step, total).where(within).group_by(counts.c.step))
    return {Step(step): int(number) for step, number in rows if step in set(Step)}


async def bands_of(connection: AsyncConnection, period: Period, wait: Wait) -> dict[int, int]:
    total = func.sum(waits.c.count)
    within = (waits.c.wait == wait) & (waits.c.hour >= period.start) & (waits.c.hour < period.end)
    rows = await connection.execute(select(waits.c.band, total).where(within).group_by(waits.c.band))
    return {int(band): int(number) for band, number in rows}


async def by_hour_of_day(connection: AsyncConnection, period: Period, step: Step) -> dict[int, int]:
    """Counts by hour of the day, Europe/Oslo."""
    hour = func.extract("hour", func.timezone("Europe/Oslo", counts.c.hour))
    within = (counts.c.step == step) & (counts.c.hour >= period.start) & (counts.c.hour < period.end)
    rows = await connection.execute(select(hour, func.sum(counts.c.count)).where(within).group_by(hour))
    return {int(of_day): int(number) for of_day, number in rows}

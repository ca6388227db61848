"""What a clinician sees of her own unit: wishes that wait, today's appointments, and a case."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.crypto import Vault
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from helpjourney.domain.ages import OSLO
from helpjourney.domain.appointments import State
from helpjourney.queries.journeys import AppointmentView, appointment_view, appointments_query, read_summary
from helpjourney.store.appointments import appointments, may_see, shares_summary, slots_of
from helpjourney.store.journeys import JourneyNotFoundError, journeys
from helpjourney.store.units import units

URGENCIES = ("today", "soon", "routine")
"""Most urgent first; unknown codes come after."""
COMING = timedelta(days=14)
"""How far ahead the list shows what is booked."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wish or an unanswered offer, as the list shows it: no text, no need."""

    appointment_id: UUID
    journey_id: UUID
    state: State
    urgency: str | None
    wished_at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """A booked appointment of the unit."""

    appointment_id: UUID
    journey_id: UUID
    state: State
    starts_at: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class Today:
    """The list of one unit."""

    unit_name: str
    waiting: tuple[Waiting, ...]
    planned: tuple[Planned, ...]
    unsettled: tuple[Planned, ...]
    """Began before today and nobody said whether she came."""
    coming: tuple[Planned, ...]
    """The next two weeks."""


@dataclass(frozen=True, slots=True)
class Case:
    """A journey as a unit that has business with it sees it."""

    journey_id: UUID
    has_login: bool
    entry: str
    age_band: str
    need: str | None
    urgency: str | None
    summary: str | None
    """None also when she didn't share it with this unit."""
    care_started_at: datetime | None
    care_is_ours: bool
    appointments: tuple[AppointmentView, ...]


async def today_at(connection: AsyncConnection, service_id: UUID, now: datetime) -> Today:
    """The unit's list for the day in Oslo."""
    name = await connection.scalar(select(units.c.name).where(units.c.service_id == service_id))
    begins = now.astimezone(OSLO).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = begins + timedelta(days=1)
    booked = await _planned(connection, service_id, begins + COMING)
    return Today(
        unit_name=name or "",
        waiting=await _waiting(connection, service_id),
        planned=tuple(one for one in booked if begins <= one.starts_at < tomorrow),
        unsettled=tuple(one for one in booked if one.starts_at < begins),
        coming=tuple(one for one in booked if one.starts_at >= tomorrow),
    )


async def _waiting(connection: AsyncConnection, service_id: UUID) -> tuple[Waiting, ...]:
    query = (
        select(appointments.c.id, appointments.c.journey_id, appointments.c.state, journeys.c.urgency, appointments.c.wished_at)
        .join(journeys, journeys.c.id == appointments.c.journey_id)
        .where(appointments.c.service_id == service_id, appointments.c.state.in_([State.WISHED.value, State.OFFERED.value]))
    )
    rows = [Waiting(row.id, row.journey_id, State(row.state), row.urgency, row.wished_at) for row in await connection.execute(query)]
    return tuple(sorted(rows, key=lambda row: (row.state is State.OFFERED, _urgency(row.urgency), row.wished_at)))


def _urgency(code: str | None) -> int:
    return URGENCIES.index(code) if code in URGENCIES else len(URGENCIES)


async def _planned(connection: AsyncConnection, service_id: UUID, before: datetime) -> list[Planned]:
    held = appointments.c
    query = select(held.id, held.journey_id, held.state, held.starts_at, held.minutes).where(
        held.service_id == service_id, held.state == State.BOOKED.value, held.starts_at < before
    )
    rows = await connection.execute(query.order_by(held.starts_at))
    return [Planned(row.id, row.journey_id, State(row.state), row.starts_at, row.minutes) for row in rows]


async def case_of(connection: AsyncConnection, vault: Vault, service_id: UUID, journey_id: UUID) -> Case:
    """Raises JourneyNotFoundError when the unit has no business with the journey."""
    row = (await connection.execute(select(journeys).where(journeys.c.id == journey_id))).one_or_none()
    if row is None or not await may_see(connection, journey_id, service_id):
        raise JourneyNotFoundError
    shared = await shares_summary(connection, journey_id, service_id)
    return Case(
        journey_id=row.id,
        has_login=row.subject is not None,
        entry=row.entry,
        age_band=row.age_band,
        need=row.need if shared else None,
        urgency=row.urgency,
        summary=read_summary(row, vault) if shared else None,
        care_started_at=row.care_started_at,
        care_is_ours=row.care_service_id == service_id,
        appointments=await _appointments_at(connection, vault, service_id, journey_id),
    )


async def _appointments_at(connection: AsyncConnection, vault: Vault, service_id: UUID, journey_id: UUID) -> tuple[AppointmentView, ...]:
    ours = (appointments.c.journey_id == journey_id) & (appointments.c.service_id == service_id)
    not_called_off = appointments.c.state != State.CANCELLED.value
    rows = (await connection.execute(appointments_query(ours & not_called_off).order_by(appointments.c.wished_at.desc()))).all()
    return tuple([appointment_view(row, vault, tuple(await slots_of(connection, row.id))) for row in rows])

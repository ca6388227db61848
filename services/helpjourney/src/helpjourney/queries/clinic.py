"""What a clinician sees of her own unit: wishes that wait, today's appointments, and a case."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.crypto import Vault
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from helpjourney.domain.ages import OSLO
from helpjourney.domain.appointments import State, When
from helpjourney.queries.journeys import AppointmentView, Passed, appointment_view, appointments_query, read_summary
from helpjourney.store.appointments import appointments, may_see, shares_summary, slots, slots_of
from helpjourney.store.journeys import JourneyNotFoundError, closings, journeys, referrals
from helpjourney.store.units import units

ACUTE = "today"
URGENCIES = (ACUTE, "soon", "routine")
"""Most urgent first; unknown codes come after."""
COMING = timedelta(days=14)
"""How far ahead the list shows what is booked."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wish, an unanswered offer or a wish for another time, as the list shows it: no text, no need."""

    appointment_id: UUID
    journey_id: UUID
    state: State
    urgency: str | None
    since: datetime
    """When she last asked."""
    soon: bool
    """She wishes an answer as soon as possible."""

    @property
    def is_acute(self) -> bool:
        return self.urgency == ACUTE and self.is_ours

    @property
    def is_ours(self) -> bool:
        """The unit has to do something; else she has."""
        return self.state is not State.OFFERED


@dataclass(frozen=True, slots=True)
class Begun:
    """A case that began at this unit with a code, without a login and without an appointment."""

    journey_id: UUID
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """A booked appointment of the unit."""

    appointment_id: UUID
    journey_id: UUID
    state: State
    starts_at: datetime
    minutes: int
    wants_other_time: bool
    has_other_time: bool
    """Another time is proposed; she hasn't answered."""


@dataclass(frozen=True, slots=True)
class Today:
    """The list of one unit."""

    unit_name: str
    waiting: tuple[Waiting, ...]
    """The unit's turn first, then the most urgent, then who waits longest."""
    begun: tuple[Begun, ...]
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
    referrals: tuple[Passed, ...]
    """Those of this unit."""

    @property
    def has_open(self) -> bool:
        return any(one.is_open for one in self.appointments)

    @property
    def knows_nothing(self) -> bool:
        """Nothing is known but what she wishes."""
        return self.need is None and self.summary is None


async def today_at(connection: AsyncConnection, service_id: UUID, now: datetime) -> Today:
    """The unit's list for the day in Oslo."""
    name = await connection.scalar(select(units.c.name).where(units.c.service_id == service_id))
    begins = now.astimezone(OSLO).replace(hour=0, minute=0, second=0, microsecond=0)
    tomorrow = begins + timedelta(days=1)
    booked = await _planned(connection, service_id, begins + COMING)
    return Today(
        unit_name=name or "",
        waiting=await _waiting(connection, service_id, now),
        begun=await _begun(connection, service_id),
        planned=tuple(one for one in booked if begins <= one.starts_at < tomorrow),
        unsettled=tuple(one for one in booked if one.starts_at < begins),
        coming=tuple(one for one in booked if one.starts_at >= tomorrow),
    )


async def _waiting(connection: AsyncConnection, service_id: UUID, now: datetime) -> tuple[Waiting, ...]:
    held = appointments.c
    unanswered = held.state.in_([State.WISHED.value, State.OFFERED.value])
    moves = (held.state == State.BOOKED.value) & held.wants_other_time_at.is_not(None) & (held.starts_at > now)
    query = (
        select(held.id, held.journey_id, held.state, held.suits, held.wished_at, held.wants_other_time_at, journeys.c.urgency)
        .join(journeys, journeys.c.id == held.journey_id)
        .where(held.service_id == service_id, unanswered | moves)
    )
    rows = [
        Waiting(row.id, row.journey_id, State(row.state), row.urgency, row.wants_other_time_at or row.wished_at, When.SOON in row.suits)
        for row in await connection.execute(query)
    ]
    return tuple(sorted(rows, key=lambda row: (not row.is_ours, _urgency(row.urgency), not row.soon, row.since)))


async def _begun(connection: AsyncConnection, service_id: UUID) -> tuple[Begun, ...]:
    has_appointment = exists().where(appointments.c.journey_id == journeys.c.id)
    ended = exists().where(closings.c.journey_id == journeys.c.id, closings.c.service_id == service_id)
    query = select(journeys.c.id, journeys.c.started_at).where(journeys.c.service_id == service_id, ~has_appointment, ~ended)
    rows = await connection.execute(query.order_by(journeys.c.started_at.desc()).limit(50))
    return tuple(Begun(row.id, row.started_at) for row in rows)


def _urgency(code: str | None) -> int:
    return URGENCIES.index(code) if code in URGENCIES else len(URGENCIES)


async def _planned(connection: AsyncConnection, service_id: UUID, before: datetime) -> list[Planned]:
    held = appointments.c
    proposed = exists().where(slots.c.appointment_id == held.id)
    query = select(held.id, held.journey_id, held.state, held.starts_at, held.minutes, held.wants_other_time_at, proposed.label("proposed"))
    query = query.where(held.service_id == service_id, held.state == State.BOOKED.value, held.starts_at < before)
    rows = await connection.execute(query.order_by(held.starts_at))
    return [
        Planned(row.id, row.journey_id, State(row.state), row.starts_at, row.minutes, row.wants_other_time_at is not None, row.proposed)
        for row in rows
    ]


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
        referrals=await _referrals_by(connection, service_id, journey_id),
    )


async def _appointments_at(connection: AsyncConnection, vault: Vault, service_id: UUID, journey_id: UUID) -> tuple[AppointmentView, ...]:
    ours = (appointments.c.journey_id == journey_id) & (appointments.c.service_id == service_id)
    not_called_off = appointments.c.state != State.CANCELLED.value
    rows = (await connection.execute(appointments_query(ours & not_called_off).order_by(appointments.c.wished_at.desc()))).all()
    return tuple([appointment_view(row, vault, tuple(await slots_of(connection, row.id))) for row in rows])


async def _referrals_by(connection: AsyncConnection, service_id: UUID, journey_id: UUID) -> tuple[Passed, ...]:
    query = select(referrals.c.sent_at, referrals.c.target).where(
        referrals.c.journey_id == journey_id, referrals.c.service_id == service_id
    )
    return tuple(Passed(row.sent_at, "", row.target) for row in await connection.execute(query.order_by(referrals.c.sent_at)))

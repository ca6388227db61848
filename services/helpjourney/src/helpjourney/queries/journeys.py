"""What a youth sees of her own: journeys, appointments, and who has seen them."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from servicekit.crypto import Vault
from sqlalchemy import ColumnElement, Row, Select, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from helpjourney.domain.appointments import OPEN_STATES, Contact, Reminding, Slot, State
from helpjourney.domain.journeys import NextStep, next_step
from helpjourney.store.appointments import AppointmentNotFoundError, appointments, contact_of, counts, reminding_of, slots, slots_of
from helpjourney.store.journeys import JourneyNotFoundError, closings, journeys, referrals, views
from helpjourney.store.units import norwegian, units

SEEN_SHOWN = 50


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """An appointment, with the names that the register gives."""

    id: UUID
    journey_id: UUID
    state: State
    unit_name: str
    unit_phone: str | None
    takes_drop_in: bool
    suits: tuple[str, ...]
    has_note: bool
    note: str | None
    shares_summary: bool
    reminder: Reminding
    contact: Contact
    wants_other_time_at: datetime | None
    language: str
    wished_at: datetime
    starts_at: datetime | None
    minutes: int | None
    ended_at: datetime | None
    has_slots: bool
    """Times are proposed; with a booked appointment, other ones than the agreed."""
    slots: tuple[Slot, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    def is_ahead(self, now: datetime) -> bool:
        """Something is still to be done or to come; a booked time that has passed isn't."""
        return self.is_open and (self.state is not State.BOOKED or self.starts_at is None or self.starts_at > now)

    @property
    def has_other_time(self) -> bool:
        """The unit proposes another time than the agreed one."""
        return self.state is State.BOOKED and self.has_slots


@dataclass(frozen=True, slots=True)
class Passed:
    """A unit referred her on (`target` is a code) or ended its case."""

    at: datetime
    unit_name: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Sharing:
    """A unit that has business with a journey, and whether it may read what she brought."""

    service_id: UUID
    unit_name: str
    with_summary: bool


@dataclass(frozen=True, slots=True)
class JourneyView:
    """A journey as she sees it."""

    id: UUID
    entry: str
    need: str | None
    urgency: str | None
    summary: str | None
    summary_delete_after: datetime | None
    summary_was_unreadable: bool
    started_at: datetime
    """Only as exact as the bucket of time that it began in."""
    care_started_at: datetime | None
    care_unit_name: str | None
    appointments: tuple[AppointmentView, ...]
    referrals: tuple[Passed, ...] = ()
    closings: tuple[Passed, ...] = ()

    @property
    def open_appointments(self) -> tuple[AppointmentView, ...]:
        return tuple(one for one in self.appointments if one.is_open)

    def ahead(self, now: datetime) -> list[AppointmentView]:
        return [one for one in self.appointments if one.is_ahead(now)]

    def next_step(self, now: datetime) -> NextStep:
        ahead = self.ahead(now)
        return next_step([one.state for one in ahead], other_time=any(one.has_other_time for one in ahead))

    def next_appointment(self, now: datetime) -> AppointmentView | None:
        """The one that the next step is about: the earliest of its kind."""
        step = self.next_step(now)
        wanted = _STATE_OF.get(step)
        fitting = [one for one in self.ahead(now) if one.state is wanted]
        if step is NextStep.CHOOSE_OTHER_TIME:
            fitting = [one for one in fitting if one.has_other_time]
        return min(fitting, key=lambda one: one.starts_at or one.wished_at, default=None)


_STATE_OF = {
    NextStep.CHOOSE_TIME: State.OFFERED,
    NextStep.CHOOSE_OTHER_TIME: State.BOOKED,
    NextStep.COME: State.BOOKED,
    NextStep.WAIT: State.WISHED,
}


def next_up(shown: list[JourneyView], now: datetime) -> JourneyView | None:
    """The journey that the one next step on top is about: the most pressing, else the newest."""
    return min(shown, key=lambda journey: list(NextStep).index(journey.next_step(now)), default=None)


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of the access log."""

    seen_at: datetime
    unit_name: str
    hpr_number: str
    with_summary: bool


async def journeys_of(connection: AsyncConnection, vault: Vault, subject: UUID) -> list[JourneyView]:
    """All of one subject's journeys, newest first."""
    rows = (await connection.execute(_journeys(journeys.c.subject == subject))).all()
    return [await _whole(connection, vault, row) for row in rows]


async def journey_of(connection: AsyncConnection, vault: Vault, subject: UUID, journey_id: UUID) -> JourneyView:
    """One of the subject's own. Raises JourneyNotFoundError, also for somebody else's."""
    row = (await connection.execute(_journeys((journeys.c.id == journey_id) & (journeys.c.subject == subject)))).one_or_none()
    if row is None:
        raise JourneyNotFoundError
    return await _whole(connection, vault, row)


async def sharing_of(connection: AsyncConnection, journey_id: UUID) -> list[Sharing]:
    """The units that have business with a journey now, by name."""
    began = select(journeys.c.service_id, units.c.name, true().label("reads")).join(units, units.c.service_id == journeys.c.service_id)
    began = began.where(journeys.c.id == journey_id)
    ended = exists().where(closings.c.journey_id == journey_id, closings.c.service_id == journeys.c.service_id)
    wished = (
        select(appointments.c.service_id, units.c.name, func.bool_or(appointments.c.shares_summary).label("reads"))
        .join(units, units.c.service_id == appointments.c.service_id)
        .where(appointments.c.journey_id == journey_id, counts())
        .group_by(appointments.c.service_id, units.c.name)
    )
    rows = [*await connection.execute(began.where(~ended)), *await connection.execute(wished)]
    found = {row.service_id: Sharing(row.service_id, row.name, bool(row.reads)) for row in reversed(rows)}
    return sorted(found.values(), key=lambda one: norwegian(one.unit_name))


async def seen_of(connection: AsyncConnection, journey_id: UUID) -> list[Seen]:
    """Who has opened a journey, last first."""
    query = (
        select(views.c.seen_at, views.c.hpr_number, views.c.with_summary, units.c.name)
        .join(units, units.c.service_id == views.c.service_id, isouter=True)
        .where(views.c.journey_id == journey_id)
        .order_by(views.c.seen_at.desc())
        .limit(SEEN_SHOWN)
    )
    return [Seen(row.seen_at, row.name or "", row.hpr_number, row.with_summary) for row in await connection.execute(query)]


async def appointment_of(connection: AsyncConnection, vault: Vault, subject: UUID, appointment_id: UUID) -> AppointmentView:
    """One of the subject's own, with the offered times. Raises AppointmentNotFoundError, also for somebody else's."""
    query = appointments_query((appointments.c.id == appointment_id) & (journeys.c.subject == subject))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise AppointmentNotFoundError
    return appointment_view(row, vault, tuple(await slots_of(connection, appointment_id)))


def appointments_query(which: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    """Appointments with the unit's name and number; the journey's columns may stand in `which`."""
    proposed = exists().where(slots.c.appointment_id == appointments.c.id).label("has_slots")
    return (
        select(appointments, units.c.name.label("unit_name"), units.c.phone.label("unit_phone"), units.c.takes_drop_in, proposed)
        .join(journeys, journeys.c.id == appointments.c.journey_id)
        .join(units, units.c.service_id == appointments.c.service_id, isouter=True)
        .where(which)
    )


def appointment_view(row: Row[tuple[object, ...]], vault: Vault | None, offered: tuple[Slot, ...] = ()) -> AppointmentView:
    """`vault` None = the note isn't read."""
    have = row._mapping
    wrapped, sealed = have["wrapped_key"], have["sealed_note"]
    note = vault.decrypt(wrapped, sealed, have["id"].bytes) if vault and wrapped and sealed else None
    return AppointmentView(
        id=have["id"],
        journey_id=have["journey_id"],
        state=State(have["state"]),
        unit_name=have["unit_name"] or "",
        unit_phone=have["unit_phone"],
        takes_drop_in=bool(have["takes_drop_in"]),
        suits=tuple(have["suits"]),
        has_note=sealed is not None,
        note=note,
        shares_summary=have["shares_summary"],
        reminder=reminding_of(have["reminds"], have["reminder"]),
        contact=contact_of(have["contact"]),
        wants_other_time_at=have["wants_other_time_at"],
        language=have["language"],
        wished_at=have["wished_at"],
        starts_at=have["starts_at"],
        minutes=have["minutes"],
        ended_at=have["ended_at"],
        has_slots=have["has_slots"],
        slots=offered,
    )


async def _whole(connection: AsyncConnection, vault: Vault, row: Row[tuple[object, ...]]) -> JourneyView:
    journey_id = row._mapping["id"]
    view = _journey(row, vault, await _appointments_in(connection, journey_id))
    return replace(view, referrals=await _referrals(connection, journey_id), closings=await _closings(connection, journey_id))


async def _referrals(connection: AsyncConnection, journey_id: UUID) -> tuple[Passed, ...]:
    query = select(referrals.c.sent_at, referrals.c.target, units.c.name).where(referrals.c.journey_id == journey_id)
    rows = await connection.execute(query.join(units, units.c.service_id == referrals.c.service_id, isouter=True))
    return tuple(Passed(row.sent_at, row.name or "", row.target) for row in rows)


async def _closings(connection: AsyncConnection, journey_id: UUID) -> tuple[Passed, ...]:
    query = select(closings.c.closed_at, units.c.name).where(closings.c.journey_id == journey_id)
    rows = await connection.execute(query.join(units, units.c.service_id == closings.c.service_id, isouter=True))
    return tuple(Passed(row.closed_at, row.name or "") for row in rows)


async def _appointments_in(connection: AsyncConnection, journey_id: UUID) -> tuple[AppointmentView, ...]:
    query = appointments_query(appointments.c.journey_id == journey_id).order_by(appointments.c.wished_at.desc())
    return tuple(appointment_view(row, None) for row in await connection.execute(query))


def _journeys(which: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    care_unit = units.c.name.label("care_unit_name")
    joined = select(journeys, care_unit).join(units, units.c.service_id == journeys.c.care_service_id, isouter=True)
    return joined.where(which).order_by(journeys.c.started_at.desc(), journeys.c.id)


def _journey(row: Row[tuple[object, ...]], vault: Vault, held: tuple[AppointmentView, ...]) -> JourneyView:
    have = row._mapping
    return JourneyView(
        id=have["id"],
        entry=have["entry"],
        need=have["need"],
        urgency=have["urgency"],
        summary=read_summary(row, vault),
        summary_delete_after=have["summary_delete_after"],
        summary_was_unreadable=have["summary_was_unreadable"],
        started_at=have["started_at"],
        care_started_at=have["care_started_at"],
        care_unit_name=have["care_unit_name"],
        appointments=held,
    )


def read_summary(row: Row[tuple[object, ...]], vault: Vault) -> str | None:
    """What she brought, in clear; None = nothing, or deleted."""
    have = row._mapping
    wrapped, sealed = have["wrapped_key"], have["sealed_summary"]
    return vault.decrypt(wrapped, sealed, have["id"].bytes) if wrapped and sealed else None

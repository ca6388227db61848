"""Appointments, the times that were offered, and reminders that wait to be sent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.upserts import add_if_new
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
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
    exists,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from helpjourney.domain.appointments import OPEN_STATES, Appointment, Contact, Reminding, Slot, State
from helpjourney.store import metadata
from helpjourney.store.journeys import closings, journeys

appointments = Table(
    "appointments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("journey_id", Uuid, ForeignKey("journeys.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("service_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("suits", ARRAY(Text), nullable=False),
    Column("wrapped_key", LargeBinary),
    Column("sealed_note", LargeBinary),
    Column("note_delete_after", DateTime(timezone=True), index=True),
    Column("shares_summary", Boolean, nullable=False),
    Column("care_text", Text, nullable=False),
    Column("reminds", Boolean, nullable=False),
    Column("reminder", Text),
    Column("contact", Text),
    Column("wants_other_time_at", DateTime(timezone=True)),
    Column("language", Text, nullable=False),
    Column("wished_at", DateTime(timezone=True), nullable=False),
    Column("starts_at", DateTime(timezone=True)),
    Column("minutes", Integer),
    Column("ended_at", DateTime(timezone=True)),
    Index("appointments_by_unit", "service_id", "state"),
)
"""`reminds` is what a release before `reminder` reads and writes: a text message or none. `reminder` says more where both agree."""
slots = Table(
    "slots",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("appointment_id", Uuid, ForeignKey("appointments.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
)
notices = Table(
    "notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("appointment_id", Uuid, ForeignKey("appointments.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("subject", Uuid, nullable=False),
    Column("due", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True)),
)


class AppointmentNotFoundError(Exception):
    """No such appointment, or not this reader's: both look the same."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A new appointment, as the youth wishes it."""

    id: UUID
    journey_id: UUID
    service_id: UUID
    suits: tuple[str, ...]
    wrapped_key: bytes | None
    sealed_note: bytes | None
    note_delete_after: datetime | None
    shares_summary: bool
    care_text: str
    reminder: Reminding
    contact: Contact
    language: str
    wished_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Whose an appointment is, and how she wants to be reminded."""

    journey_id: UUID
    subject: UUID | None
    service_id: UUID
    care_text: str
    reminder: Reminding
    contact: Contact
    language: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A reminder that waits, or was sent. Its id stays the same however often it is sent."""

    id: UUID
    appointment_id: UUID
    subject: UUID
    sent_at: datetime | None


async def add_wish(connection: AsyncConnection, wish: Wish) -> None:
    values: dict[str, object] = {name: getattr(wish, name) for name in Wish.__slots__}
    values |= {"suits": list(wish.suits), "state": State.WISHED.value, "version": 1, "contact": wish.contact.value}
    values |= _reminding(wish.reminder)
    await connection.execute(insert(appointments).values(values))


async def lock_appointment(connection: AsyncConnection, appointment_id: UUID) -> tuple[Appointment, Place]:
    """The appointment, held until the transaction ends, so that its facts come in order. Raises AppointmentNotFoundError."""
    query = select(appointments, journeys.c.subject).join(journeys, journeys.c.id == appointments.c.journey_id)
    row = (await connection.execute(query.where(appointments.c.id == appointment_id).with_for_update(of=appointments))).one_or_none()
    if row is None:
        raise AppointmentNotFoundError
    place = Place(
        row.journey_id, row.subject, row.service_id, row.care_text,
        reminding_of(row.reminds, row.reminder), contact_of(row.contact), row.language,
    )  # fmt: skip
    return _appointment(row), place


def reminding_of(reminds: bool, reminder: str | None) -> Reminding:
    """How she is reminded, from both columns; `reminds` decides where they differ."""
    if reminds:
        return Reminding.TEXT
    return Reminding.OVERVIEW if reminder == Reminding.OVERVIEW else Reminding.NONE


def _reminding(reminder: Reminding) -> dict[str, object]:
    return {"reminds": reminder is Reminding.TEXT, "reminder": reminder.value}


def contact_of(code: str | None) -> Contact:
    """How she hears of an answer; nothing is sent unless she said so."""
    return Contact.MESSAGE if code == Contact.MESSAGE else Contact.HERE


def _appointment(row: Row[tuple[object, ...]]) -> Appointment:
    have = row._mapping
    return Appointment(
        have["id"], State(have["state"]), have["version"], have["wished_at"], have["starts_at"], have["minutes"], have["ended_at"]
    )


async def save_appointment(connection: AsyncConnection, appointment: Appointment) -> None:
    values = {
        "state": appointment.state.value,
        "version": appointment.version,
        "starts_at": appointment.starts_at,
        "minutes": appointment.minutes,
        "ended_at": appointment.ended_at,
    }
    await connection.execute(update(appointments).where(appointments.c.id == appointment.id).values(values))


async def count_open(connection: AsyncConnection, journey_id: UUID, service_id: UUID | None = None) -> int:
    """How many appointments of a journey aren't over; those at one unit, if that is given."""
    open_ones = [state.value for state in OPEN_STATES]
    query = select(appointments.c.id).where(appointments.c.journey_id == journey_id, appointments.c.state.in_(open_ones))
    query = query.where(appointments.c.service_id == service_id) if service_id else query
    return len((await connection.scalars(query)).all())


async def replace_slots(connection: AsyncConnection, appointment_id: UUID, offered: list[Slot]) -> None:
    """These times and no others are offered."""
    await connection.execute(delete(slots).where(slots.c.appointment_id == appointment_id))
    if offered:
        rows = [{"id": one.id, "appointment_id": appointment_id, "starts_at": one.starts_at, "minutes": one.minutes} for one in offered]
        await connection.execute(insert(slots), rows)


async def slot_of(connection: AsyncConnection, appointment_id: UUID, slot_id: UUID) -> Slot:
    """One offered time. Raises AppointmentNotFoundError."""
    query = select(slots).where(slots.c.appointment_id == appointment_id, slots.c.id == slot_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise AppointmentNotFoundError
    return Slot(row.id, row.starts_at, row.minutes)


async def slots_of(connection: AsyncConnection, appointment_id: UUID) -> list[Slot]:
    """The offered times, earliest first."""
    query = select(slots).where(slots.c.appointment_id == appointment_id).order_by(slots.c.starts_at)
    return [Slot(row.id, row.starts_at, row.minutes) for row in await connection.execute(query)]


async def may_see(connection: AsyncConnection, journey_id: UUID, service_id: UUID) -> bool:
    """Whether a unit has business with a journey: an appointment that wasn't called off, or it began there; until it ends its case."""
    wished = exists().where(_business(journey_id, service_id))
    return bool(await connection.scalar(select(wished | _began_at(journey_id, service_id))))


async def set_reminder(connection: AsyncConnection, appointment_id: UUID, reminder: Reminding) -> None:
    await connection.execute(update(appointments).where(appointments.c.id == appointment_id).values(_reminding(reminder)))


async def set_wants_other_time(connection: AsyncConnection, appointment_id: UUID, since: datetime | None) -> None:
    """Since when the youth wants another time than the agreed one; None = she doesn't."""
    await connection.execute(update(appointments).where(appointments.c.id == appointment_id).values(wants_other_time_at=since))


async def shorten_note(connection: AsyncConnection, appointment_id: UUID, delete_after: datetime) -> None:
    """The appointment is over: its note is needed only a little longer."""
    sealed = update(appointments).where(appointments.c.id == appointment_id, appointments.c.sealed_note.is_not(None))
    await connection.execute(sealed.values(note_delete_after=delete_after))


async def destroy_notes(connection: AsyncConnection, appointment_ids: Collection[UUID]) -> int:
    """Delete the texts together with their keys. Returns how many there were."""
    gone = {"wrapped_key": None, "sealed_note": None, "note_delete_after": None}
    there = update(appointments).where(appointments.c.id.in_(appointment_ids), appointments.c.sealed_note.is_not(None))
    return int((await connection.execute(there.values(gone))).rowcount)


async def overdue_notes(connection: AsyncConnection, now: datetime) -> list[UUID]:
    """Appointments whose note has served its time."""
    return list(await connection.scalars(select(appointments.c.id).where(appointments.c.note_delete_after <= now)))


async def add_notice(connection: AsyncConnection, notice_id: UUID, appointment_id: UUID, subject: UUID, due: datetime) -> None:
    """One reminder per appointment; a sent one is never sent again."""
    row = {"id": notice_id, "appointment_id": appointment_id, "subject": subject, "due": due}
    await add_if_new(connection, notices, row)


async def notice_of(connection: AsyncConnection, appointment_id: UUID) -> Notice | None:
    row = (await connection.execute(select(notices).where(notices.c.appointment_id == appointment_id))).one_or_none()
    return Notice(row.id, row.appointment_id, row.subject, row.sent_at) if row else None


async def drop_notice(connection: AsyncConnection, appointment_id: UUID) -> None:
    """Sent or not: what it said doesn't hold any more."""
    await connection.execute(delete(notices).where(notices.c.appointment_id == appointment_id))


async def drop_unsent_notice(connection: AsyncConnection, appointment_id: UUID) -> None:
    await connection.execute(delete(notices).where(notices.c.appointment_id == appointment_id, notices.c.sent_at.is_(None)))


async def mark_sent(connection: AsyncConnection, notice_id: UUID, now: datetime) -> None:
    await connection.execute(update(notices).where(notices.c.id == notice_id).values(sent_at=now))


async def delete_old_notices(connection: AsyncConnection, sent_before: datetime) -> None:
    await connection.execute(delete(notices).where(notices.c.sent_at < sent_before))


async def newest_care_text(connection: AsyncConnection, journey_id: UUID, service_id: UUID) -> str | None:
    """Version of the text on health care that the youth saw when she last wished for this unit; None = she saw none."""
    query = select(appointments.c.care_text).where(_business(journey_id, service_id))
    return await connection.scalar(query.order_by(appointments.c.wished_at.desc()).limit(1))


async def shares_summary(connection: AsyncConnection, journey_id: UUID, service_id: UUID) -> bool:
    """Whether the unit may read what she brought: she said so with a wish, or it began there."""
    wished = exists().where(_business(journey_id, service_id), appointments.c.shares_summary)
    return bool(await connection.scalar(select(wished | _began_at(journey_id, service_id))))


async def stop_sharing(connection: AsyncConnection, journey_id: UUID, service_id: UUID) -> None:
    """The unit may no longer read what she brought."""
    hers = (appointments.c.journey_id == journey_id) & (appointments.c.service_id == service_id)
    await connection.execute(update(appointments).where(hers).values(shares_summary=False))


def counts() -> ColumnElement[bool]:
    """An appointment that wasn't called off, wished after its unit last ended its case, if it did."""
    ended = exists().where(
        closings.c.journey_id == appointments.c.journey_id,
        closings.c.service_id == appointments.c.service_id,
        closings.c.closed_at >= appointments.c.wished_at,
    )
    return (appointments.c.state != State.CANCELLED.value) & ~ended


def _business(journey_id: UUID, service_id: UUID) -> ColumnElement[bool]:
    return (appointments.c.journey_id == journey_id) & (appointments.c.service_id == service_id) & counts()


def _began_at(journey_id: UUID, service_id: UUID) -> ColumnElement[bool]:
    ended = exists().where(closings.c.journey_id == journey_id, closings.c.service_id == service_id)
    return exists().where(journeys.c.id == journey_id, journeys.c.service_id == service_id, ~ended)

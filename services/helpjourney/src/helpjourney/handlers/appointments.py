"""From a wish to a kept appointment. The row is locked first, so that the first of two acts wins and facts come in order."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from contracts.codes import CancelledBy
from contracts.helpjourney import (
    AppointmentAttended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentNoShow,
    AppointmentOffered,
    AppointmentWished,
)
from servicekit.crypto import Vault
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.appointments import Appointment, Slot, State, check_times
from helpjourney.domain.journeys import CARE_TEXT, Keeping
from helpjourney.handlers.journeys import Clinician
from helpjourney.handlers.notices import plan_reminder, stop_reminder
from helpjourney.store.appointments import (
    AppointmentNotFoundError,
    Place,
    Wish,
    add_wish,
    count_open,
    lock_appointment,
    replace_slots,
    save_appointment,
    set_reminds,
    shorten_note,
    slot_of,
)
from helpjourney.store.journeys import JourneyNotFoundError, keep_until, lock_journey
from helpjourney.store.units import UnitNotFoundError, unit_of

MOST_OPEN = 3
"""Open appointments of one journey: a floor against misuse, far above need."""


class TooManyWishesError(Exception):
    """The journey has as many open appointments as one may have."""


@dataclass(frozen=True, slots=True)
class WishAppointment:
    """A wish free of calendars. `suits` are codes of `domain.appointments.When`; `note` is her own short text."""

    journey_id: UUID
    subject: UUID
    service_id: UUID
    suits: tuple[str, ...]
    note: str
    shares_summary: bool
    reminds: bool
    language: str
    keeping: Keeping


async def wish_appointment(command: WishAppointment, vault: Vault, uow: UnitOfWork) -> UUID:
    """The appointment's id. Raises JourneyNotFoundError, UnitNotFoundError, TooManyWishesError."""
    now, journey = await uow.now(), await lock_journey(uow.connection, command.journey_id)
    if journey.subject != command.subject:
        raise JourneyNotFoundError
    if not (await unit_of(uow.connection, command.service_id)).is_listed:
        raise UnitNotFoundError
    if await count_open(uow.connection, journey.id) >= MOST_OPEN:
        raise TooManyWishesError
    appointment_id = uuid4()
    wrapped = vault.new_key(appointment_id.bytes) if command.note else None
    wish = Wish(
        id=appointment_id,
        journey_id=journey.id,
        service_id=command.service_id,
        suits=command.suits,
        wrapped_key=wrapped,
        sealed_note=vault.encrypt(wrapped, command.note, appointment_id.bytes) if wrapped else None,
        note_delete_after=now + command.keeping.note if wrapped else None,
        shares_summary=command.shares_summary,
        care_text=CARE_TEXT,
        reminds=command.reminds,
        language=command.language,
        wished_at=now,
    )
    await add_wish(uow.connection, wish)
    await keep_until(uow.connection, journey.id, now + command.keeping.journey)
    uow.tell(AppointmentWished(appointment_id=appointment_id, service_id=command.service_id), key=appointment_id, sequence=1)
    return appointment_id


@dataclass(frozen=True, slots=True)
class OfferTimes:
    """The unit offers one to three times, each an instant."""

    appointment_id: UUID
    by: Clinician
    times: tuple[datetime, ...]
    minutes: int


async def offer_times(command: OfferTimes, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError (also for another unit's), TimesError, NotNowError."""
    now = await uow.now()
    appointment = await _lock_for_unit(command.appointment_id, command.by, uow)
    check_times(command.times, command.minutes, now)
    offered = appointment.offer()
    await save_appointment(uow.connection, offered)
    await replace_slots(uow.connection, offered.id, [Slot(uuid4(), start, command.minutes) for start in command.times])
    event = AppointmentOffered(appointment_id=offered.id, waited_minutes=offered.waited_minutes(now))
    uow.tell(event, key=offered.id, sequence=offered.version)


@dataclass(frozen=True, slots=True)
class BookTime:
    """The youth takes one of the offered times."""

    appointment_id: UUID
    subject: UUID
    slot_id: UUID
    keeping: Keeping


async def book_time(command: BookTime, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError (also for somebody else's), NotNowError."""
    now = await uow.now()
    appointment, place = await _lock_for_youth(command.appointment_id, command.subject, uow)
    booked = appointment.book(await slot_of(uow.connection, appointment.id, command.slot_id), now)
    await save_appointment(uow.connection, booked)
    await replace_slots(uow.connection, booked.id, [])
    if booked.starts_at:
        await keep_until(uow.connection, place.journey_id, booked.starts_at + command.keeping.journey)
    if place.reminds:
        await plan_reminder(uow, booked, command.subject)
    uow.tell(AppointmentBooked(appointment_id=booked.id), key=booked.id, sequence=booked.version)


@dataclass(frozen=True, slots=True)
class DeclineTimes:
    """None of the offered times suits; the wish stands."""

    appointment_id: UUID
    subject: UUID


async def decline_times(command: DeclineTimes, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError, NotNowError."""
    appointment, _ = await _lock_for_youth(command.appointment_id, command.subject, uow)
    await save_appointment(uow.connection, appointment.decline_times())
    await replace_slots(uow.connection, appointment.id, [])


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """The youth calls it off, or takes back a wish."""

    appointment_id: UUID
    subject: UUID
    keeping: Keeping


async def cancel_appointment(command: CancelAppointment, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError, NotNowError."""
    appointment, _ = await _lock_for_youth(command.appointment_id, command.subject, uow)
    await _cancel(appointment, CancelledBy.YOUTH, command.keeping, uow)


@dataclass(frozen=True, slots=True)
class CancelByUnit:
    """The unit calls it off."""

    appointment_id: UUID
    by: Clinician
    keeping: Keeping


async def cancel_by_unit(command: CancelByUnit, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError, NotNowError."""
    await _cancel(await _lock_for_unit(command.appointment_id, command.by, uow), CancelledBy.UNIT, command.keeping, uow)


async def _cancel(appointment: Appointment, by: CancelledBy, keeping: Keeping, uow: UnitOfWork) -> None:
    cancelled = appointment.cancel(await uow.now())
    await _end(cancelled, keeping, uow)
    uow.tell(AppointmentCancelled(appointment_id=cancelled.id, cancelled_by=by), key=cancelled.id, sequence=cancelled.version)


@dataclass(frozen=True, slots=True)
class MarkAttendance:
    """The clinician says whether the youth came."""

    appointment_id: UUID
    by: Clinician
    attended: bool
    keeping: Keeping


async def mark_attendance(command: MarkAttendance, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError, NotNowError (also before it began)."""
    appointment = await _lock_for_unit(command.appointment_id, command.by, uow)
    ended = appointment.end(State.ATTENDED if command.attended else State.NO_SHOW, await uow.now())
    await _end(ended, command.keeping, uow)
    came = AppointmentAttended(appointment_id=ended.id) if command.attended else AppointmentNoShow(appointment_id=ended.id)
    uow.tell(came, key=ended.id, sequence=ended.version)


@dataclass(frozen=True, slots=True)
class ChooseReminder:
    """The youth turns the reminder on or off."""

    appointment_id: UUID
    subject: UUID
    reminds: bool


async def choose_reminder(command: ChooseReminder, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError."""
    appointment, _ = await _lock_for_youth(command.appointment_id, command.subject, uow)
    await set_reminds(uow.connection, appointment.id, command.reminds)
    if not command.reminds:
        await stop_reminder(uow, appointment.id)
    elif appointment.state is State.BOOKED:
        await plan_reminder(uow, appointment, command.subject)


async def _end(ended: Appointment, keeping: Keeping, uow: UnitOfWork) -> None:
    await save_appointment(uow.connection, ended)
    await replace_slots(uow.connection, ended.id, [])
    await stop_reminder(uow, ended.id)
    await shorten_note(uow.connection, ended.id, await uow.now() + keeping.note_after)


async def _lock_for_youth(appointment_id: UUID, subject: UUID, uow: UnitOfWork) -> tuple[Appointment, Place]:
    appointment, place = await lock_appointment(uow.connection, appointment_id)
    if place.subject != subject:
        raise AppointmentNotFoundError
    return appointment, place


async def _lock_for_unit(appointment_id: UUID, by: Clinician, uow: UnitOfWork) -> Appointment:
    appointment, place = await lock_appointment(uow.connection, appointment_id)
    if place.service_id != by.service_id:
        raise AppointmentNotFoundError
    return appointment

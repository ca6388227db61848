"""From a wish to a kept appointment. The row is locked first, so that the first of two acts wins and facts come in order."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from contracts.codes import CancelledBy
from contracts.helpjourney import (
    AppointmentAttended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMoved,
    AppointmentNoShow,
    AppointmentOffered,
    AppointmentWished,
)
from servicekit.crypto import Vault
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.appointments import Appointment, Contact, NotNowError, Reminding, Slot, State, TimesError, check_times
from helpjourney.domain.journeys import CARE_TEXT, Keeping
from helpjourney.handlers.journeys import Clinician
from helpjourney.handlers.notices import forget_reminder, plan_news, plan_reminder, stop_reminder
from helpjourney.store.appointments import (
    AppointmentNotFoundError,
    Place,
    Wish,
    add_wish,
    count_open,
    lock_appointment,
    replace_slots,
    save_appointment,
    set_reminder,
    set_wants_other_time,
    shorten_note,
    slot_of,
    slots_of,
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
    language: str
    keeping: Keeping
    reminder: Reminding = Reminding.NONE
    contact: Contact = Contact.HERE


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
        reminder=command.reminder,
        contact=command.contact,
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
    await plan_news(uow, offered.id)
    event = AppointmentOffered(appointment_id=offered.id, waited_minutes=offered.waited_minutes(now))
    uow.tell(event, key=offered.id, sequence=offered.version)


@dataclass(frozen=True, slots=True)
class ProposeOtherTimes:
    """The unit proposes one to three other times than the agreed one, each an instant."""

    appointment_id: UUID
    by: Clinician
    times: tuple[datetime, ...]
    minutes: int


async def propose_other_times(command: ProposeOtherTimes, uow: UnitOfWork) -> None:
    """What is agreed stands until she takes one. Raises AppointmentNotFoundError (also for another unit's), TimesError, NotNowError."""
    now = await uow.now()
    appointment = (await _lock_for_unit(command.appointment_id, command.by, uow)).propose(now)
    check_times(command.times, command.minutes, now)
    if appointment.starts_at in command.times:
        raise TimesError("same")
    await replace_slots(uow.connection, appointment.id, [Slot(uuid4(), start, command.minutes) for start in command.times])
    await set_wants_other_time(uow.connection, appointment.id, None)
    await plan_news(uow, appointment.id)


@dataclass(frozen=True, slots=True)
class BookTime:
    """The youth takes one of the offered times, or another one than the agreed."""

    appointment_id: UUID
    subject: UUID
    slot_id: UUID
    keeping: Keeping


async def book_time(command: BookTime, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError (also for somebody else's), NotNowError."""
    now = await uow.now()
    appointment, place = await _lock_for_youth(command.appointment_id, command.subject, uow)
    slot, moves = await slot_of(uow.connection, appointment.id, command.slot_id), appointment.state is State.BOOKED
    booked = appointment.move(slot, now) if moves else appointment.book(slot, now)
    await save_appointment(uow.connection, booked)
    await replace_slots(uow.connection, booked.id, [])
    await keep_until(uow.connection, place.journey_id, slot.starts_at + command.keeping.journey)
    if moves:
        await forget_reminder(uow, booked.id)
    if place.reminder is Reminding.TEXT:
        await plan_reminder(uow, booked, command.subject)
    fact = AppointmentMoved(appointment_id=booked.id) if moves else AppointmentBooked(appointment_id=booked.id)
    uow.tell(fact, key=booked.id, sequence=booked.version)


@dataclass(frozen=True, slots=True)
class DeclineTimes:
    """None of the proposed times suits; the wish, or the agreed time, stands."""

    appointment_id: UUID
    subject: UUID


async def decline_times(command: DeclineTimes, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError, NotNowError."""
    appointment, _ = await _lock_for_youth(command.appointment_id, command.subject, uow)
    if appointment.state is not State.BOOKED:
        await save_appointment(uow.connection, appointment.decline_times())
    elif not await slots_of(uow.connection, appointment.id):
        raise NotNowError
    await replace_slots(uow.connection, appointment.id, [])


@dataclass(frozen=True, slots=True)
class AskForOtherTime:
    """The youth can't come at the agreed time and asks for another; it stands until there is one."""

    appointment_id: UUID
    subject: UUID


async def ask_for_other_time(command: AskForOtherTime, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError, NotNowError."""
    appointment, _ = await _lock_for_youth(command.appointment_id, command.subject, uow)
    now = await uow.now()
    await set_wants_other_time(uow.connection, appointment.ask_for_other_time(now).id, now)


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
    """The youth chooses how she is reminded."""

    appointment_id: UUID
    subject: UUID
    reminder: Reminding


async def choose_reminder(command: ChooseReminder, uow: UnitOfWork) -> None:
    """Raises AppointmentNotFoundError."""
    appointment, _ = await _lock_for_youth(command.appointment_id, command.subject, uow)
    await set_reminder(uow.connection, appointment.id, command.reminder)
    if command.reminder is not Reminding.TEXT:
        await stop_reminder(uow, appointment.id)
    elif appointment.state is State.BOOKED:
        await plan_reminder(uow, appointment, command.subject)


async def _end(ended: Appointment, keeping: Keeping, uow: UnitOfWork) -> None:
    await save_appointment(uow.connection, ended)
    await replace_slots(uow.connection, ended.id, [])
    await stop_reminder(uow, ended.id)
    await set_wants_other_time(uow.connection, ended.id, None)
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

"""Reminders and news: planned in the transaction that causes them, sent by a timer. At least once, by one id."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from contracts.helpjourney import AppointmentReminded
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.appointments import Appointment, Contact, State, remind_at
from helpjourney.domain.reminders import Reminder, news_text, reminder_text
from helpjourney.store.appointments import (
    AppointmentNotFoundError,
    add_notice,
    drop_notice,
    drop_unsent_notice,
    lock_appointment,
    mark_sent,
    notice_of,
    save_appointment,
    slots_of,
)

REMIND = "appointment.remind"
NEWS = "appointment.news"
SENT_KEPT = timedelta(days=7)
"""How long it can be seen that a reminder was sent."""


Send = Callable[[Reminder], Awaitable[None]]
"""Hands a reminder over; raises if that isn't certain, so that it is tried again. The receiver knows repeats by the id."""


async def plan_reminder(uow: UnitOfWork, appointment: Appointment, subject: UUID) -> None:
    """A day before, or soon if it is nearer. The wake-up is planned with the booking or not at all."""
    now = await uow.now()
    if appointment.starts_at is None or appointment.starts_at <= now:
        return
    due = remind_at(appointment.starts_at, now)
    await add_notice(uow.connection, uuid4(), appointment.id, subject, due)
    uow.schedule(REMIND, due, appointment.id)


async def forget_reminder(uow: UnitOfWork, appointment_id: UUID) -> None:
    """The appointment has another time: what was planned or sent for the former one is of no use."""
    await drop_notice(uow.connection, appointment_id)
    uow.unschedule(REMIND, appointment_id)


async def stop_reminder(uow: UnitOfWork, appointment_id: UUID) -> None:
    """Nothing is sent any more; what was sent stays sent."""
    await drop_unsent_notice(uow.connection, appointment_id)
    uow.unschedule(REMIND, appointment_id)


async def send_reminder(uow: UnitOfWork, appointment_id: UUID, send: Send) -> None:
    """Hand the reminder over and tell so. Too late, called off or sent before: nothing happens."""
    try:
        appointment, place = await lock_appointment(uow.connection, appointment_id)
    except AppointmentNotFoundError:
        return
    now, notice = await uow.now(), await notice_of(uow.connection, appointment_id)
    starts_at = appointment.starts_at
    if notice is None or notice.sent_at or appointment.state is not State.BOOKED or starts_at is None or starts_at <= now:
        return
    await mark_sent(uow.connection, notice.id, now)
    reminded = appointment.remind()
    await save_appointment(uow.connection, reminded)
    uow.tell(AppointmentReminded(appointment_id=reminded.id), key=reminded.id, sequence=reminded.version)
    await send(Reminder(notice.id, notice.subject, reminder_text(starts_at, now, place.language), place.language))


async def plan_news(uow: UnitOfWork, appointment_id: UUID) -> None:
    """The unit has proposed times: she is told at once, if she wants that."""
    uow.schedule(NEWS, await uow.now(), appointment_id)


async def send_news(uow: UnitOfWork, appointment_id: UUID, send: Send) -> None:
    """Hand over a message that says only that there is one. Answered meanwhile, or not wished: nothing happens."""
    try:
        _, place = await lock_appointment(uow.connection, appointment_id)
    except AppointmentNotFoundError:
        return
    offered = await slots_of(uow.connection, appointment_id)
    if place.contact is Contact.MESSAGE and place.subject is not None and offered:
        await send(Reminder(uuid5(offered[0].id, NEWS), place.subject, news_text(place.language), place.language))

"""One appointment: the offered times, the agreed one, another one, the reminder, calling off. Each act is one POST."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.idempotency import once
from servicekit.web.submission import InvalidInputError, Submission, Submitted
from servicekit.web.transaction import Transaction

from helpjourney.domain.ages import OSLO
from helpjourney.domain.appointments import NotNowError, remind_at
from helpjourney.domain.reminders import reminder_text
from helpjourney.handlers.appointments import (
    AskForOtherTime,
    BookTime,
    CancelAppointment,
    ChooseReminder,
    DeclineTimes,
    ask_for_other_time,
    book_time,
    cancel_appointment,
    choose_reminder,
    decline_times,
)
from helpjourney.pages.visit import Confirmed, Youth, problems, render, see_other, settings_of, vault_of
from helpjourney.pages.wishes import REMINDS
from helpjourney.queries.journeys import AppointmentView, appointment_of
from helpjourney.store.appointments import AppointmentNotFoundError

router = APIRouter(include_in_schema=False)
Act = Callable[[UnitOfWork], Awaitable[None]]


@router.get("/time/{appointment_id}")
async def show_appointment(request: Request, appointment_id: UUID, youth: Confirmed, begin: Transaction) -> Response:
    """How it stands, and what she can do."""
    return await _appointment_page(request, appointment_id, youth, begin)


async def _appointment_page(
    request: Request, appointment_id: UUID, youth: Youth, begin: Begin, status: int = 200, error: str | None = None
) -> Response:
    """`error`: slot (none was chosen) or changed (something happened since she opened the page)."""
    with problems():
        async with begin() as uow:
            appointment = await appointment_of(uow.connection, vault_of(request), youth.subject, appointment_id)
            now = await uow.now()
    shown = {"appointment": appointment, "now": now, "error": error, "preview": _preview(appointment, now)}
    return render(request, youth.session, "appointment.html", status, reminds=_reminds(appointment), **shown)


def _preview(appointment: AppointmentView, now: datetime) -> str:
    """Exactly what the text message says; before there is a time, what it would say of one tomorrow."""
    if appointment.starts_at:
        return reminder_text(appointment.starts_at, remind_at(appointment.starts_at, now), appointment.language)
    tomorrow = (now + timedelta(days=1)).astimezone(OSLO).replace(hour=10, minute=30)
    return reminder_text(tomorrow, now, appointment.language)


def _reminds(appointment: AppointmentView) -> str:
    return next(value for value, reminder in REMINDS.items() if reminder is appointment.reminder)


@router.post("/time/{appointment_id}/velg")
async def choose_time(request: Request, appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Takes one of the proposed times; also another one than the agreed."""
    try:
        slot_id = submitted.uuid("slot")
    except InvalidInputError:
        return await _appointment_page(request, appointment_id, youth, begin, 422, error="slot")
    command = BookTime(appointment_id, youth.subject, slot_id, settings_of(request).keeping)
    return await _act(request, submitted, appointment_id, youth, begin, lambda uow: book_time(command, uow))


@router.post("/time/{appointment_id}/ingen-passer")
async def none_suits(request: Request, appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """The wish, or the agreed time, stands; the unit sees that other times are needed."""
    command = DeclineTimes(appointment_id, youth.subject)
    return await _act(request, submitted, appointment_id, youth, begin, lambda uow: decline_times(command, uow))


@router.post("/time/{appointment_id}/ny-tid")
async def other_time(request: Request, appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """She can't come then. The agreed time stands until there is another one."""
    command = AskForOtherTime(appointment_id, youth.subject)
    return await _act(request, submitted, appointment_id, youth, begin, lambda uow: ask_for_other_time(command, uow))


@router.post("/time/{appointment_id}/avlys")
async def cancel(request: Request, appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Called off in one step, without having to say why."""
    command = CancelAppointment(appointment_id, youth.subject, settings_of(request).keeping)
    return await _act(request, submitted, appointment_id, youth, begin, lambda uow: cancel_appointment(command, uow))


@router.post("/time/{appointment_id}/paminning")
async def remind(request: Request, appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Chooses how she is reminded."""
    reminder = REMINDS.get(submitted.fields.get("reminds", ""), REMINDS["no"])
    command = ChooseReminder(appointment_id, youth.subject, reminder)
    return await _act(request, submitted, appointment_id, youth, begin, lambda uow: choose_reminder(command, uow))


async def _act(request: Request, submitted: Submission, appointment_id: UUID, youth: Youth, begin: Begin, handle: Act) -> Response:
    """One command, once; then the page of the appointment as it now stands. A stale form changes nothing and shows that page too."""
    try:
        with problems(NotNowError, AppointmentNotFoundError):
            async with begin() as uow:

                async def act() -> dict[str, str]:
                    await handle(uow)
                    return {}

                await once(uow, submitted.key, submitted.fingerprint(), act)
    except NotNowError:
        return await _appointment_page(request, appointment_id, youth, begin, 409, error="changed")
    except AppointmentNotFoundError:
        return await _appointment_page(request, appointment_id, youth, begin, 404, error="changed")
    return see_other(f"/time/{appointment_id}")

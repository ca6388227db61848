"""A youth wishes an appointment, takes one of the offered times, calls it off, chooses whether to be reminded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.idempotency import once
from servicekit.problems import Problem
from servicekit.service import Transaction
from servicekit.web.sessions import save
from servicekit.web.submission import InvalidInputError, Submission, Submitted
from webkit.i18n import mark

from helpjourney.domain.ages import NotForThisAgeError, age_on, day_in_oslo, received
from helpjourney.domain.appointments import When
from helpjourney.handlers.appointments import (
    BookTime,
    CancelAppointment,
    ChooseReminder,
    DeclineTimes,
    WishAppointment,
    book_time,
    cancel_appointment,
    choose_reminder,
    decline_times,
    wish_appointment,
)
from helpjourney.pages.visit import Confirmed, Youth, problems, render, see_other, settings_of, vault_of
from helpjourney.queries.journeys import JourneyView, appointment_of, journey_of
from helpjourney.store.units import UnitRow, municipalities, rules_of_age, units_in

router = APIRouter(include_in_schema=False)
NOTE_MOST = 1000
"""Characters of her own text."""
MUNICIPALITY = "municipality"
"""In the session's state: where she looks for a unit. A public code, and never in the address."""
ERRORS = {
    "municipality": mark("Velg et sted i lista."),
    "unit": mark("Velg hvor du vil ha time."),
    "note": mark("Teksten er for lang. Kort den ned til %(most)s tegn. Det du skrev, står her ennå."),
}


@dataclass(slots=True)
class Wished:
    """The form as she filled it in, and what is missing."""

    unit: str = ""
    suits: tuple[str, ...] = ()
    note: str = ""
    shares: bool = True
    reminds: bool = True
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Places:
    """Where she can wish an appointment."""

    municipality: str
    municipalities: list[tuple[str, str]]
    units: list[UnitRow]


@router.get("/reise/{journey_id}/time")
async def ask_for_wish(request: Request, journey_id: UUID, youth: Confirmed, begin: Transaction) -> Response:
    """First where, then when it suits."""
    journey, places = await _places(request, journey_id, youth, begin)
    return _wish_page(request, youth, journey, places, Wished())


@router.post("/reise/{journey_id}/sted")
async def choose_place(request: Request, journey_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Remembers where she looks for a unit."""
    journey, places = await _places(request, journey_id, youth, begin)
    try:
        chosen = submitted.choice("municipality", [code for code, _ in places.municipalities])
    except InvalidInputError:
        return _wish_page(request, youth, journey, places, Wished(errors=_explain(request, "municipality")), 422)
    submitted.session.state[MUNICIPALITY] = chosen
    with problems():
        async with begin() as uow:
            await save(uow, submitted.session)
    return see_other(f"/reise/{journey_id}/time")


@router.post("/reise/{journey_id}/time")
async def wish(request: Request, journey_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """A wish; the unit answers with times."""
    journey, places = await _places(request, journey_id, youth, begin)
    wished = _read(request, submitted, places)
    if wished.errors:
        return _wish_page(request, youth, journey, places, wished, 422)
    command = WishAppointment(
        journey_id,
        youth.subject,
        UUID(wished.unit),
        wished.suits,
        wished.note,
        shares_summary=wished.shares,
        reminds=wished.reminds,
        language=request.app.state.pages.language(request),
        keeping=settings_of(request).keeping,
    )
    with problems():
        async with begin() as uow:

            async def act() -> dict[str, str]:
                return {"appointment": str(await wish_appointment(command, vault_of(request), uow))}

            outcome = await once(uow, submitted.key, submitted.fingerprint(), act)
    return see_other(f"/time/{outcome['appointment']}")


async def _places(request: Request, journey_id: UUID, youth: Youth, begin: Begin) -> tuple[JourneyView, Places]:
    try:
        with problems():
            async with begin() as uow:
                journey = await journey_of(uow.connection, vault_of(request), youth.subject, journey_id)
                day = day_in_oslo(await uow.now())
                received(await rules_of_age(uow.connection), youth.born, day)
                age = age_on(youth.born, day)
                all_places = await municipalities(uow.connection, age)
                chosen = youth.session.state.get(MUNICIPALITY, "")
                chosen = chosen if chosen in dict(all_places) else ""
                units = await units_in(uow.connection, chosen, age) if chosen else []
    except NotForThisAgeError:
        raise Problem(303, headers={"Location": "/"}) from None
    return journey, Places(chosen, all_places, units)


def _read(request: Request, submitted: Submission, places: Places) -> Wished:
    wished = Wished(
        unit=submitted.fields.get("unit", ""),
        suits=tuple(code.value for code in When if code.value in submitted.all("suits")),
        note=submitted.fields.get("note", ""),
        shares=submitted.flag("shares"),
        reminds=submitted.flag("reminds"),
    )
    if wished.unit not in {str(unit.service_id) for unit in places.units}:
        wished.errors |= _explain(request, "unit")
    if len(wished.note) > NOTE_MOST:
        wished.errors |= _explain(request, "note")
    return wished


def _explain(request: Request, name: str) -> dict[str, str]:
    return {name: request.app.state.pages.translation(request)(ERRORS[name], most=NOTE_MOST)}


def _wish_page(request: Request, youth: Youth, journey: JourneyView, places: Places, wished: Wished, status: int = 200) -> Response:
    shown = {"journey": journey, "places": places, "wished": wished, "errors": wished.errors, "note_most": NOTE_MOST}
    return render(request, youth.session, "wish.html", status, **shown)


@router.get("/time/{appointment_id}")
async def show_appointment(request: Request, appointment_id: UUID, youth: Confirmed, begin: Transaction) -> Response:
    """How it stands, and what she can do."""
    return await _appointment_page(request, appointment_id, youth, begin)


async def _appointment_page(
    request: Request, appointment_id: UUID, youth: Youth, begin: Begin, status: int = 200, error: str | None = None
) -> Response:
    with problems():
        async with begin() as uow:
            appointment = await appointment_of(uow.connection, vault_of(request), youth.subject, appointment_id)
            now = await uow.now()
    return render(request, youth.session, "appointment.html", status, appointment=appointment, now=now, error=error)


@router.post("/time/{appointment_id}/velg")
async def choose_time(request: Request, appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Takes one of the offered times."""
    try:
        slot_id = submitted.uuid("slot")
    except InvalidInputError:
        return await _appointment_page(request, appointment_id, youth, begin, 422, error="slot")
    command = BookTime(appointment_id, youth.subject, slot_id, settings_of(request).keeping)
    return await _act(submitted, appointment_id, begin, lambda uow: book_time(command, uow))


@router.post("/time/{appointment_id}/ingen-passer")
async def none_suits(appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """The wish stands; the unit sees that other times are needed."""
    command = DeclineTimes(appointment_id, youth.subject)
    return await _act(submitted, appointment_id, begin, lambda uow: decline_times(command, uow))


@router.post("/time/{appointment_id}/avlys")
async def cancel(request: Request, appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Called off in one step, without having to say why."""
    command = CancelAppointment(appointment_id, youth.subject, settings_of(request).keeping)
    return await _act(submitted, appointment_id, begin, lambda uow: cancel_appointment(command, uow))


@router.post("/time/{appointment_id}/paminning")
async def remind(appointment_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Turns the neutral reminder on or off."""
    command = ChooseReminder(appointment_id, youth.subject, submitted.flag("reminds"))
    return await _act(submitted, appointment_id, begin, lambda uow: choose_reminder(command, uow))


async def _act(submitted: Submission, appointment_id: UUID, begin: Begin, handle: Callable[[UnitOfWork], Awaitable[None]]) -> Response:
    """One command, once; then the page of the appointment as it now stands."""
    with problems():
        async with begin() as uow:

            async def act() -> dict[str, str]:
                await handle(uow)
                return {}

            await once(uow, submitted.key, submitted.fingerprint(), act)
    return see_other(f"/time/{appointment_id}")

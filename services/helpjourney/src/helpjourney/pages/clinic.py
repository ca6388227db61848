"""A clinician's pages: today's list, a case, offering times, and care begun by an explicit act. Own unit only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from servicekit.claim_secret import MalformedSecretError, TypedCode
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.idempotency import once
from servicekit.problems import Problem
from servicekit.service import Transaction
from servicekit.web.sessions import StaffMember, StaffSession
from servicekit.web.submission import Submission, Submitted

from helpjourney.domain.appointments import MINUTES, MOST_TIMES, TimesError, local_time
from helpjourney.domain.claims import AlreadyClaimedError, NotArrivedError, OfferGoneError, TooManyCodesError
from helpjourney.domain.journeys import CareCannotStartError
from helpjourney.handlers.appointments import CancelByUnit, MarkAttendance, OfferTimes, cancel_by_unit, mark_attendance, offer_times
from helpjourney.handlers.binding import ClaimWithClinician, claim_with_clinician
from helpjourney.handlers.journeys import Clinician, OpenCase, StartCare, open_case, start_care
from helpjourney.handlers.presenting import PresentCode, present_code
from helpjourney.pages.visit import new_holder, opener_of, problems, render, see_other, settings_of, vault_of
from helpjourney.queries.clinic import case_of, today_at

router = APIRouter(include_in_schema=False, prefix="/ansatt")
ROLE = "clinician"
MOST_TYPED = 60


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A clinician at her unit, as the staff login vouches for it."""

    session: StaffMember
    by: Clinician


async def on_duty(session: StaffSession) -> OnDuty:
    """403 without the role, a unit and a number in the register of health personnel."""
    if ROLE not in session.roles or session.unit is None or not session.hpr_number:
        raise Problem(403)
    return OnDuty(session, Clinician(session.unit, session.hpr_number))


ClinicianNow = Annotated[OnDuty, Depends(on_duty)]


@router.get("")
async def to_today() -> Response:
    return see_other("/ansatt/i-dag")


@router.get("/i-dag")
async def show_today(request: Request, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Who waits, most urgent first, and who comes today."""
    async with begin() as uow:
        now = await uow.now()
        today = await today_at(uow.connection, clinician.by.service_id, now)
    return render(request, clinician.session, "clinic/today.html", today=today, now=now)


@router.get("/sak/{journey_id}")
async def show_case(request: Request, journey_id: UUID, clinician: ClinicianNow, begin: Transaction) -> Response:
    """A case. That it was opened is written down, and she can see it."""
    return await _case_page(request, journey_id, clinician, begin)


async def _case_page(request: Request, journey_id: UUID, clinician: OnDuty, begin: Begin, status: int = 200, **told: object) -> Response:
    with problems():
        async with begin() as uow:
            await open_case(OpenCase(journey_id, clinician.by), uow)
            case = await case_of(uow.connection, vault_of(request), clinician.by.service_id, journey_id)
            now = await uow.now()
    shown: dict[str, object] = {"error": None, "typed": (), "care_error": None, "minutes": MINUTES, "most_times": MOST_TIMES}
    return render(request, clinician.session, "clinic/case.html", status, case=case, now=now, **(shown | told))


@router.post("/time/{appointment_id}/tilby")
async def offer(request: Request, appointment_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Offers one to three times of the wall clock in Oslo."""
    journey_id, typed = submitted.uuid("journey"), tuple(text for text in submitted.all("start") if text)
    try:
        times = tuple(local_time(text) for text in typed)
        length = submitted.fields.get("minutes", "")
        command = OfferTimes(appointment_id, clinician.by, times, int(length) if length.isdecimal() and len(length) < 4 else 0)
        return await _act(submitted, journey_id, begin, lambda uow: offer_times(command, uow))
    except TimesError as error:
        return await _case_page(request, journey_id, clinician, begin, 422, error=error.code, typed=typed)


@router.post("/time/{appointment_id}/avlys")
async def cancel(request: Request, appointment_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """The unit calls it off; the case is then no longer its business unless something else is planned."""
    command = CancelByUnit(appointment_id, clinician.by, settings_of(request).keeping)
    await _act(submitted, submitted.uuid("journey"), begin, lambda uow: cancel_by_unit(command, uow))
    return see_other("/ansatt/i-dag")


@router.post("/time/{appointment_id}/oppmote")
async def note_attendance(
    request: Request, appointment_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction
) -> Response:
    """She came, or she didn't."""
    came = submitted.choice("came", ("yes", "no")) == "yes"
    command = MarkAttendance(appointment_id, clinician.by, came, settings_of(request).keeping)
    return await _act(submitted, submitted.uuid("journey"), begin, lambda uow: mark_attendance(command, uow))


@router.post("/sak/{journey_id}/start-helsehjelp")
async def begin_care(request: Request, journey_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Care begins by an explicit act of an identified clinician."""
    command = StartCare(journey_id, clinician.by, settings_of(request).keeping)
    try:
        return await _act(submitted, journey_id, begin, lambda uow: start_care(command, uow))
    except CareCannotStartError as error:
        return await _case_page(request, journey_id, clinician, begin, 409, care_error=error.code)


async def _act(submitted: Submission, journey_id: UUID, begin: Begin, handle: Callable[[UnitOfWork], Awaitable[None]]) -> Response:
    """One command, once; then the case as it now stands."""
    with problems():
        async with begin() as uow:

            async def act() -> dict[str, str]:
                await handle(uow)
                return {}

            await once(uow, submitted.key, submitted.fingerprint(), act)
    return see_other(f"/ansatt/sak/{journey_id}")


@router.get("/kode")
async def ask_for_code(request: Request, clinician: ClinicianNow) -> Response:
    """For a youth without an eID who is here: her code begins the journey, without a login."""
    return _code_page(request, clinician, None)


def _code_page(request: Request, clinician: OnDuty, error: str | None) -> Response:
    status = {None: 200, "closed": 429, "claimed": 409, "gone": 410}.get(error, 422)
    return render(request, clinician.session, "clinic/code.html", status, error=error)


@router.post("/kode")
async def claim(request: Request, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Claims the code in her presence."""
    settings, token = settings_of(request), new_holder()
    try:
        code = TypedCode.read(submitted.fields.get("code", "")[:MOST_TYPED])
        async with begin() as uow:
            await present_code(PresentCode(token, code, f"staff:{clinician.by.hpr_number}"), uow)
        command = ClaimWithClinician(token, clinician.by, settings.border_bucket_seconds, settings.keeping)
        with problems():
            outcome = await _claim_once(request, submitted, command, begin)
    except MalformedSecretError:
        return _code_page(request, clinician, "wrong_form")
    except TooManyCodesError:
        return _code_page(request, clinician, "closed")
    except NotArrivedError:
        return _code_page(request, clinician, "unknown")
    except AlreadyClaimedError:
        return _code_page(request, clinician, "claimed")
    except OfferGoneError:
        return _code_page(request, clinician, "gone")
    return see_other(f"/ansatt/sak/{outcome['journey']}")


async def _claim_once(request: Request, submitted: Submission, command: ClaimWithClinician, begin: Begin) -> dict[str, str]:
    async with begin() as uow:

        async def act() -> dict[str, str]:
            return {"journey": str(await claim_with_clinician(command, opener_of(request), uow))}

        return await once(uow, submitted.key, submitted.fingerprint(), act)

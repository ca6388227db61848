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
from servicekit.web.sessions import StaffMember, StaffSession
from servicekit.web.submission import InvalidInputError, Submission, Submitted
from servicekit.web.transaction import Transaction

from helpjourney.domain.appointments import MINUTES, MOST_TIMES, NotNowError, TimesError, local_time
from helpjourney.domain.claims import AlreadyClaimedError, NotArrivedError, OfferGoneError, TooManyCodesError
from helpjourney.domain.journeys import CareCannotStartError, CareNotStartedError, CaseOpenError, ReferralTarget
from helpjourney.handlers.appointments import (
    CancelByUnit,
    MarkAttendance,
    OfferTimes,
    ProposeOtherTimes,
    cancel_by_unit,
    mark_attendance,
    offer_times,
    propose_other_times,
)
from helpjourney.handlers.binding import ClaimWithClinician, claim_with_clinician
from helpjourney.handlers.cases import CloseCase, ReferOn, close_case, refer_on
from helpjourney.handlers.journeys import Clinician, OpenCase, StartCare, open_case, start_care
from helpjourney.handlers.presenting import PresentCode, present_code
from helpjourney.pages.visit import new_holder, opener_of, problems, render, see_other, settings_of, vault_of
from helpjourney.queries.clinic import case_of, today_at

router = APIRouter(include_in_schema=False, prefix="/ansatt")
ROLE = "clinician"
MOST_TYPED = 60
Act = Callable[[UnitOfWork], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A clinician at her unit, as the staff login vouches for it."""

    session: StaffMember
    by: Clinician


async def on_duty(session: StaffSession) -> OnDuty:
    """403 without the role, a unit and a number in the register of health personnel."""
    if ROLE not in session.roles or session.unit is None or not session.hpr_number:
        raise Problem(403, "no_role")
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
    shown: dict[str, object] = {"error": None, "typed": (), "wrong": None, "care_error": None, "case_error": None}
    shown |= {"minutes": MINUTES, "most_times": MOST_TIMES, "targets": [target.value for target in ReferralTarget]}
    return render(request, clinician.session, "clinic/case.html", status, case=case, now=now, **(shown | told))


@router.post("/time/{appointment_id}/tilby")
async def offer(request: Request, appointment_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Offers one to three times of the wall clock in Oslo."""
    journey_id, typed = submitted.uuid("journey"), tuple(text for text in submitted.all("start") if text)
    try:
        command = OfferTimes(appointment_id, clinician.by, tuple(local_time(text) for text in typed), _minutes(submitted))
        return await _act(request, submitted, journey_id, clinician, begin, lambda uow: offer_times(command, uow))
    except TimesError as error:
        return await _case_page(request, journey_id, clinician, begin, 422, error=error.code, typed=typed, wrong=appointment_id)


@router.post("/time/{appointment_id}/flytt")
async def propose(request: Request, appointment_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Proposes other times than the agreed one, which stands until she says yes."""
    journey_id, typed = submitted.uuid("journey"), tuple(text for text in submitted.all("start") if text)
    try:
        command = ProposeOtherTimes(appointment_id, clinician.by, tuple(local_time(text) for text in typed), _minutes(submitted))
        return await _act(request, submitted, journey_id, clinician, begin, lambda uow: propose_other_times(command, uow))
    except TimesError as error:
        return await _case_page(request, journey_id, clinician, begin, 422, error=error.code, typed=typed, wrong=appointment_id)


def _minutes(submitted: Submission) -> int:
    """The length that was chosen; 0 for anything else, which no unit may offer."""
    length = submitted.fields.get("minutes", "")
    return int(length) if length.isdecimal() and len(length) < 4 else 0


@router.post("/time/{appointment_id}/avlys")
async def cancel(request: Request, appointment_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """The unit calls it off; the case is then no longer its business unless something else is planned."""
    command = CancelByUnit(appointment_id, clinician.by, settings_of(request).keeping)
    done = await _act(request, submitted, submitted.uuid("journey"), clinician, begin, lambda uow: cancel_by_unit(command, uow))
    return see_other("/ansatt/i-dag") if done.status_code == 303 else done


@router.post("/time/{appointment_id}/oppmote")
async def note_attendance(
    request: Request, appointment_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction
) -> Response:
    """She came, or she didn't."""
    came = submitted.choice("came", ("yes", "no")) == "yes"
    command = MarkAttendance(appointment_id, clinician.by, came, settings_of(request).keeping)
    return await _act(request, submitted, submitted.uuid("journey"), clinician, begin, lambda uow: mark_attendance(command, uow))


@router.post("/sak/{journey_id}/start-helsehjelp")
async def begin_care(request: Request, journey_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Care begins by an explicit act of an identified clinician."""
    command = StartCare(journey_id, clinician.by, settings_of(request).keeping)
    try:
        return await _act(request, submitted, journey_id, clinician, begin, lambda uow: start_care(command, uow))
    except CareCannotStartError as error:
        return await _case_page(request, journey_id, clinician, begin, 409, care_error=error.code)


@router.post("/sak/{journey_id}/henvis")
async def refer(request: Request, journey_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Tells the youth that she was referred on; the referral itself is written in the unit's own record system."""
    try:
        target = ReferralTarget(submitted.choice("target", [one.value for one in ReferralTarget]))
    except InvalidInputError:
        return await _case_page(request, journey_id, clinician, begin, 422, case_error="target")
    command = ReferOn(journey_id, clinician.by, target, settings_of(request).keeping)
    try:
        return await _act(request, submitted, journey_id, clinician, begin, lambda uow: refer_on(command, uow))
    except CareNotStartedError:
        return await _case_page(request, journey_id, clinician, begin, 409, case_error="no_care")


@router.post("/sak/{journey_id}/avslutt")
async def close(request: Request, journey_id: UUID, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """The unit is done; it sees nothing of the case any more."""
    command = CloseCase(journey_id, clinician.by)
    try:
        done = await _act(request, submitted, journey_id, clinician, begin, lambda uow: close_case(command, uow))
    except CaseOpenError:
        return await _case_page(request, journey_id, clinician, begin, 409, case_error="open")
    return see_other("/ansatt/i-dag") if done.status_code == 303 else done


async def _act(request: Request, submitted: Submission, journey_id: UUID, clinician: OnDuty, begin: Begin, handle: Act) -> Response:
    """One command, once; then the case as it now stands. A stale form changes nothing and shows the case too."""
    try:
        with problems(NotNowError):
            async with begin() as uow:

                async def act() -> dict[str, str]:
                    await handle(uow)
                    return {}

                await once(uow, submitted.key, submitted.fingerprint(), act)
    except NotNowError:
        return await _case_page(request, journey_id, clinician, begin, 409, case_error="changed")
    return see_other(f"/ansatt/sak/{journey_id}")


@router.get("/kode")
async def ask_for_code(request: Request, clinician: ClinicianNow) -> Response:
    """For a youth without an eID who is here: her code begins the journey, without a login."""
    return _code_page(request, clinician, None)


def _code_page(request: Request, clinician: OnDuty, error: str | None, typed: str = "") -> Response:
    """`typed` stays in the field: the youth sits beside, and may have left by the next try."""
    status = {None: 200, "closed": 429, "claimed": 409, "gone": 410}.get(error, 422)
    return render(request, clinician.session, "clinic/code.html", status, error=error, typed=typed)


@router.post("/kode")
async def claim(request: Request, submitted: Submitted, clinician: ClinicianNow, begin: Transaction) -> Response:
    """Claims the code in her presence."""
    settings, token, typed = settings_of(request), new_holder(), submitted.fields.get("code", "")[:MOST_TYPED]
    try:
        code = TypedCode.read(typed)
        async with begin() as uow:
            await present_code(PresentCode(token, code, f"staff:{clinician.by.hpr_number}"), uow)
        command = ClaimWithClinician(token, clinician.by, settings.border_bucket_seconds, settings.keeping)
        with problems():
            outcome = await _claim_once(request, submitted, command, begin)
    except MalformedSecretError:
        return _code_page(request, clinician, "wrong_form", typed)
    except TooManyCodesError:
        return _code_page(request, clinician, "closed", typed)
    except NotArrivedError:
        return _code_page(request, clinician, "unknown", typed)
    except AlreadyClaimedError:
        return _code_page(request, clinician, "claimed", typed)
    except OfferGoneError:
        return _code_page(request, clinician, "gone", typed)
    return see_other(f"/ansatt/sak/{outcome['journey']}")


async def _claim_once(request: Request, submitted: Submission, command: ClaimWithClinician, begin: Begin) -> dict[str, str]:
    async with begin() as uow:

        async def act() -> dict[str, str]:
            return {"journey": str(await claim_with_clinician(command, opener_of(request), uow))}

        return await once(uow, submitted.key, submitted.fingerprint(), act)

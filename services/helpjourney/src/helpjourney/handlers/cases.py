"""What a clinician does with a case beside appointments: refers on, ends it. And what the youth does against it: stops sharing."""

from dataclasses import dataclass
from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.journeys import CareNotStartedError, CaseOpenError, Keeping, ReferralTarget
from helpjourney.handlers.journeys import Clinician
from helpjourney.store.appointments import count_open, may_see, stop_sharing
from helpjourney.store.journeys import JourneyNotFoundError, add_closing, add_referral, keep_until, lock_journey, owns_journey


@dataclass(frozen=True, slots=True)
class ReferOn:
    """The referral itself is written in the unit's own record system; here she is told that it was sent."""

    journey_id: UUID
    by: Clinician
    target: ReferralTarget
    keeping: Keeping


async def refer_on(command: ReferOn, uow: UnitOfWork) -> None:
    """Raises JourneyNotFoundError, CareNotStartedError."""
    now, journey = await uow.now(), await lock_journey(uow.connection, command.journey_id)
    await _must_have_business(command.journey_id, command.by, uow)
    if journey.care_started_at is None:
        raise CareNotStartedError
    await add_referral(uow.connection, journey.id, command.by.service_id, command.target.value, now)
    await keep_until(uow.connection, journey.id, now + command.keeping.journey)


@dataclass(frozen=True, slots=True)
class CloseCase:
    """The unit is done: it sees nothing of the journey any more, until she wishes an appointment there anew."""

    journey_id: UUID
    by: Clinician


async def close_case(command: CloseCase, uow: UnitOfWork) -> None:
    """Raises JourneyNotFoundError, CaseOpenError."""
    await lock_journey(uow.connection, command.journey_id)
    await _must_have_business(command.journey_id, command.by, uow)
    if await count_open(uow.connection, command.journey_id, command.by.service_id):
        raise CaseOpenError
    await add_closing(uow.connection, command.journey_id, command.by.service_id, await uow.now())


@dataclass(frozen=True, slots=True)
class StopSharing:
    """The youth takes back that a unit may read what she brought."""

    journey_id: UUID
    subject: UUID
    service_id: UUID


async def cease_sharing(command: StopSharing, uow: UnitOfWork) -> None:
    """Raises JourneyNotFoundError. What was read can't be unread, and the page says so."""
    if not await owns_journey(uow.connection, command.journey_id, command.subject):
        raise JourneyNotFoundError
    await stop_sharing(uow.connection, command.journey_id, command.service_id)


async def _must_have_business(journey_id: UUID, by: Clinician, uow: UnitOfWork) -> None:
    if not await may_see(uow.connection, journey_id, by.service_id):
        raise JourneyNotFoundError

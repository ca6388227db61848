"""A journey begins, care begins, texts are deleted: what can be asked of a journey as a whole."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from contracts.codes import Entry
from contracts.helpjourney import CareStarted, JourneyClosed
from servicekit.crypto import Vault
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.ages import day_in_oslo, received
from helpjourney.domain.claims import bucket_start
from helpjourney.domain.journeys import Journey, Keeping
from helpjourney.handlers.border import note_crossing
from helpjourney.store.appointments import may_see, newest_care_text, shares_summary
from helpjourney.store.journeys import (
    JourneyNotFoundError,
    NewJourney,
    add_journey,
    add_view,
    delete_journey,
    destroy_summaries,
    keep_until,
    lock_journey,
    lock_subject,
    newest_journey,
    note_care,
    owns_journey,
    save_journey,
)
from helpjourney.store.units import rules_of_age

JOURNEY, SUMMARY = "journey", "summary"
"""Kinds in the ledger of deletions."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a claimed offer puts into a journey."""

    need: str
    urgency: str
    summary: str | None
    """None = nothing travelled, or it could not be opened."""
    was_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """How and for whom a journey begins."""

    subject: UUID | None
    entry: Entry
    age_band: str
    brought: Brought | None
    bucket_seconds: int
    keeping: Keeping
    service_id: UUID | None = None
    """The unit where it began with a clinician."""


async def begin_journey(beginning: Beginning, vault: Vault, uow: UnitOfWork) -> UUID:
    """A journey with a new random id. No time in its row is more exact than its bucket: else it would point at the offer."""
    journey_id, brought, keeping = uuid4(), beginning.brought, beginning.keeping
    started_at = bucket_start(await uow.now(), beginning.bucket_seconds)
    ends = started_at + timedelta(seconds=beginning.bucket_seconds)
    summary = brought.summary if brought else None
    wrapped = vault.new_key(journey_id.bytes) if summary else None
    sealed = vault.encrypt(wrapped, summary, journey_id.bytes) if wrapped and summary else None
    row = NewJourney(
        id=journey_id,
        subject=beginning.subject,
        entry=beginning.entry.value,
        age_band=beginning.age_band,
        need=brought.need if brought else None,
        urgency=brought.urgency if brought else None,
        wrapped_key=wrapped,
        sealed_summary=sealed,
        summary_delete_after=ends + keeping.summary if sealed else None,
        summary_was_unreadable=brought.was_unreadable if brought else False,
        service_id=beginning.service_id,
        started_at=started_at,
        delete_after=ends + (keeping.journey if brought else keeping.empty),
    )
    await add_journey(uow.connection, row)
    await note_crossing(uow, journey_id, brought.need if brought else None, beginning.bucket_seconds)
    return journey_id


@dataclass(frozen=True, slots=True)
class EnterDirectly:
    """Logged in without a handoff."""

    subject: UUID
    born: date
    bucket_seconds: int
    keeping: Keeping


async def enter_directly(command: EnterDirectly, vault: Vault, uow: UnitOfWork) -> UUID:
    """The journey that stands, or a new empty one. Raises NotForThisAgeError."""
    band = received(await rules_of_age(uow.connection), command.born, day_in_oslo(await uow.now()))
    await lock_subject(uow.connection, command.subject)
    if standing := await newest_journey(uow.connection, command.subject):
        return standing
    beginning = Beginning(command.subject, Entry.DIRECT, band, None, command.bucket_seconds, command.keeping)
    return await begin_journey(beginning, vault, uow)


@dataclass(frozen=True, slots=True)
class DeleteSummary:
    """The youth deletes what she brought."""

    journey_id: UUID
    subject: UUID


async def delete_summary(command: DeleteSummary, uow: UnitOfWork) -> None:
    """The key goes with the text. Raises JourneyNotFoundError."""
    await _own(command.journey_id, command.subject, uow)
    await destroy_texts(uow, [command.journey_id])


async def destroy_texts(uow: UnitOfWork, journey_ids: Collection[UUID]) -> int:
    """What was brought is gone when this commits, also from a database that is restored later. Returns how much there was."""
    for journey_id in journey_ids:
        uow.forget(SUMMARY, journey_id)
    return await destroy_summaries(uow.connection, journey_ids)


async def _own(journey_id: UUID, subject: UUID, uow: UnitOfWork) -> None:
    if not await owns_journey(uow.connection, journey_id, subject):
        raise JourneyNotFoundError


@dataclass(frozen=True, slots=True)
class Clinician:
    """Who acts for a unit: both numbers come from the staff login."""

    service_id: UUID
    hpr_number: str


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A clinician opens a case; the youth can see that she did."""

    journey_id: UUID
    by: Clinician


async def open_case(command: OpenCase, uow: UnitOfWork) -> None:
    """One line in the access log. Raises JourneyNotFoundError when the unit has no business with the journey."""
    await _business(command.journey_id, command.by, uow)
    now = await uow.now()
    with_summary = await shares_summary(uow.connection, command.journey_id, command.by.service_id)
    await add_view(uow.connection, command.journey_id, command.by.service_id, command.by.hpr_number, now, with_summary)


async def _business(journey_id: UUID, by: Clinician, uow: UnitOfWork) -> None:
    if not await may_see(uow.connection, journey_id, by.service_id):
        raise JourneyNotFoundError


@dataclass(frozen=True, slots=True)
class StartCare:
    """From now on this is health care, written in the unit's journal: an explicit act, after the youth saw the text."""

    journey_id: UUID
    by: Clinician
    keeping: Keeping


async def start_care(command: StartCare, uow: UnitOfWork) -> None:
    """Raises JourneyNotFoundError, CareStartedError, CareCannotStartError."""
    await _business(command.journey_id, command.by, uow)
    now, journey = await uow.now(), await lock_journey(uow.connection, command.journey_id)
    seen = await newest_care_text(uow.connection, command.journey_id, command.by.service_id)
    journey = journey.start_care(now, command.by.hpr_number, seen)
    await save_journey(uow.connection, journey)
    await note_care(uow.connection, journey.id, command.by.service_id, command.by.hpr_number)
    await keep_until(uow.connection, journey.id, now + command.keeping.journey)
    if journey.is_released:
        uow.tell(CareStarted(journey_id=journey.id, service_id=command.by.service_id), key=journey.id, sequence=journey.version)


async def close_journeys(uow: UnitOfWork, journey_ids: Collection[UUID]) -> None:
    """Delete journeys with all that hangs on them."""
    for journey_id in journey_ids:
        journey: Journey = await lock_journey(uow.connection, journey_id)
        uow.tell(JourneyClosed(journey_id=journey.id), key=journey.id, sequence=journey.version + 1)
        uow.forget(JOURNEY, journey.id)
        await delete_journey(uow.connection, journey.id)

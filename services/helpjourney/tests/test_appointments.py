"""From a wish to a kept appointment, at the handlers. Real PostgreSQL; facts are read from the outbox."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from helpjourney.domain.appointments import NotNowError, State, TimesError
from helpjourney.domain.journeys import CareCannotStartError, CareStartedError
from helpjourney.handlers.appointments import (
    BookTime,
    CancelAppointment,
    CancelByUnit,
    DeclineTimes,
    MarkAttendance,
    OfferTimes,
    TooManyWishesError,
    book_time,
    cancel_appointment,
    cancel_by_unit,
    decline_times,
    mark_attendance,
    offer_times,
)
from helpjourney.handlers.border import close_bucket
from helpjourney.handlers.journeys import Clinician, EnterDirectly, OpenCase, StartCare, enter_directly, open_case, start_care
from helpjourney.store.appointments import AppointmentNotFoundError, appointments
from helpjourney.store.journeys import JourneyNotFoundError, border_buckets
from helpjourney.store.units import UnitNotFoundError
from helpjourney_givens import BUCKET, KEEPING, OPENER, born
from helpjourney_scene import NOTE, Scene, run
from servicekit.delivery.outbox import UnitOfWork
from sqlalchemy import select


async def test_an_appointment_is_wished_offered_booked_and_kept(scene: Scene) -> None:
    """INVARIANT: each step is told once, in order."""
    appointment_id = await scene.wish()
    first, second = await scene.offer(appointment_id, 2, 3)
    await scene.book(appointment_id, second)
    later = scene.database.begin_at(timedelta(days=3, hours=1))
    await run(later, lambda uow: mark_attendance(MarkAttendance(appointment_id, scene.by, True, KEEPING), uow))
    assert await scene.facts(appointment_id) == [(1, "wished"), (2, "offered"), (3, "booked"), (4, "attended")]
    assert first != second


async def test_who_enters_in_two_windows_at_once_has_one_journey(scene: Scene) -> None:
    subject, all_are_in = uuid4(), asyncio.Barrier(8)

    async def enter() -> UUID:
        async with scene.begin() as uow:
            await uow.now()
            await all_are_in.wait()
            return await enter_directly(EnterDirectly(subject, born(15), BUCKET, KEEPING), OPENER.vault, uow)

    assert len(set(await asyncio.gather(*(enter() for _ in range(8))))) == 1


async def test_her_own_text_is_stored_encrypted(scene: Scene) -> None:
    appointment_id = await scene.wish()
    async with scene.database.engine.connect() as connection:
        row = (await connection.execute(select(appointments).where(appointments.c.id == appointment_id))).one()
    assert NOTE.encode() not in row.sealed_note
    assert OPENER.vault.decrypt(row.wrapped_key, row.sealed_note, appointment_id.bytes) == NOTE


async def test_of_many_parallel_choices_one_wins(scene: Scene) -> None:
    """INVARIANT: an appointment has one time."""
    appointment_id = await scene.wish()
    offered = await scene.offer(appointment_id, 2, 3, 4)
    outcomes = await asyncio.gather(*(scene.book(appointment_id, offered[n % 3]) for n in range(12)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, NotNowError | AppointmentNotFoundError) for outcome in outcomes) == 11
    assert [name for _, name in await scene.facts(appointment_id)].count("booked") == 1


async def test_taking_a_time_and_calling_off_at_the_same_moment_leaves_one_truth(scene: Scene) -> None:
    appointment_id = await scene.wish()
    slot_id = (await scene.offer(appointment_id, 2))[0]
    cancel = run(scene.begin, lambda uow: cancel_by_unit(CancelByUnit(appointment_id, scene.by, KEEPING), uow))
    await asyncio.gather(scene.book(appointment_id, slot_id), cancel, return_exceptions=True)
    assert await scene.state(appointment_id) == "cancelled"
    sequences = [sequence for sequence, _ in await scene.facts(appointment_id)]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_wish_or_a_booking_is_called_off_in_one_step(scene: Scene) -> None:
    for appointment_id in (await scene.wish(), await scene.booked()):
        command = CancelAppointment(appointment_id, scene.subject, KEEPING)
        await run(scene.begin, lambda uow, command=command: cancel_appointment(command, uow))  # type: ignore[misc]
        assert await scene.state(appointment_id) == "cancelled"
        with pytest.raises(NotNowError):
            await run(scene.begin, lambda uow, command=command: cancel_appointment(command, uow))  # type: ignore[misc]


async def test_other_times_can_be_asked_for(scene: Scene) -> None:
    appointment_id = await scene.wish()
    await scene.offer(appointment_id, 2)
    await run(scene.begin, lambda uow: decline_times(DeclineTimes(appointment_id, scene.subject), uow))
    assert await scene.state(appointment_id) == State.WISHED
    await scene.book(appointment_id, (await scene.offer(appointment_id, 5))[0])
    assert await scene.facts(appointment_id) == [(1, "wished"), (2, "offered"), (3, "offered"), (4, "booked")]


async def test_what_belongs_to_another_youth_or_unit_is_not_found(scene: Scene) -> None:
    """INVARIANT: other subjects and units meet the same answer as for an id that doesn't exist."""
    appointment_id, stranger = await scene.wish(), Clinician(uuid4(), "7654321")
    slot_id = (await scene.offer(appointment_id, 2))[0]
    refused: list[Callable[[UnitOfWork], Awaitable[None]]] = [
        lambda uow: book_time(BookTime(appointment_id, uuid4(), slot_id, KEEPING), uow),
        lambda uow: cancel_appointment(CancelAppointment(appointment_id, uuid4(), KEEPING), uow),
        lambda uow: decline_times(DeclineTimes(appointment_id, uuid4()), uow),
        lambda uow: cancel_by_unit(CancelByUnit(appointment_id, stranger, KEEPING), uow),
        lambda uow: mark_attendance(MarkAttendance(appointment_id, stranger, True, KEEPING), uow),
        lambda uow: offer_times(OfferTimes(appointment_id, stranger, (), 30), uow),
        lambda uow: open_case(OpenCase(scene.journey_id, stranger), uow),
        lambda uow: start_care(StartCare(scene.journey_id, stranger, KEEPING), uow),
    ]
    for act in refused:
        with pytest.raises((AppointmentNotFoundError, JourneyNotFoundError)):
            await run(scene.begin, act)
    with pytest.raises(JourneyNotFoundError):
        await scene.wish(subject=uuid4())
    with pytest.raises(UnitNotFoundError):
        await scene.wish(service_id=uuid4())


@pytest.mark.parametrize(
    ("days", "minutes", "code"),
    [
        ((), 30, "none"),
        ((1, 2, 3, 4), 30, "too_many"),
        ((-1,), 30, "past"),
        ((181,), 30, "far"),
        ((1, 1), 30, "twice"),
        ((1,), 31, "minutes"),
    ],
)
async def test_times_that_cannot_be_are_refused(scene: Scene, days: tuple[int, ...], minutes: int, code: str) -> None:
    appointment_id = await scene.wish()
    now = datetime.now(UTC)
    command = OfferTimes(appointment_id, scene.by, tuple(now + timedelta(days=day) for day in days), minutes)
    with pytest.raises(TimesError) as refused:
        await run(scene.begin, lambda uow: offer_times(command, uow))
    assert refused.value.code == code
    assert await scene.state(appointment_id) == "wished"


async def test_nobody_is_absent_before_the_appointment_began(scene: Scene) -> None:
    appointment_id = await scene.booked()
    with pytest.raises(NotNowError):
        await run(scene.begin, lambda uow: mark_attendance(MarkAttendance(appointment_id, scene.by, False, KEEPING), uow))


async def test_a_journey_has_at_most_three_open_appointments(scene: Scene) -> None:
    for _ in range(3):
        await scene.wish()
    with pytest.raises(TooManyWishesError):
        await scene.wish()


async def test_care_begins_by_an_explicit_act_and_only_once(scene: Scene) -> None:
    """Helsepersonelloven § 3, § 39: authenticated youth, identified clinician, responsible unit, a text that she saw."""
    with pytest.raises(JourneyNotFoundError):
        await run(scene.begin, lambda uow: start_care(StartCare(scene.journey_id, scene.by, KEEPING), uow))
    await scene.booked()
    nameless = Clinician(scene.by.service_id, "")
    with pytest.raises(CareCannotStartError):
        await run(scene.begin, lambda uow: start_care(StartCare(scene.journey_id, nameless, KEEPING), uow))
    await run(scene.begin, lambda uow: start_care(StartCare(scene.journey_id, scene.by, KEEPING), uow))
    with pytest.raises(CareStartedError):
        await run(scene.begin, lambda uow: start_care(StartCare(scene.journey_id, scene.by, KEEPING), uow))


async def test_care_that_began_before_the_bucket_was_over_is_told_after_the_start(scene: Scene) -> None:
    """INVARIANT: a journey's facts come in order although its start is held back."""
    await scene.booked()
    await run(scene.begin, lambda uow: start_care(StartCare(scene.journey_id, scene.by, KEEPING), uow))
    assert await scene.facts(scene.journey_id) == []
    async with scene.database.engine.connect() as connection:
        bucket_id = await connection.scalar(select(border_buckets.c.id))
    assert bucket_id
    await run(scene.begin, lambda uow: close_bucket(uow, bucket_id))
    assert await scene.facts(scene.journey_id) == [(1, "started"), (2, "started")]

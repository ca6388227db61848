"""A case is referred on and ended; the youth sees both, and may stop sharing."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from helpjourney.domain.journeys import CareNotStartedError, CaseOpenError, ReferralTarget
from helpjourney.handlers.appointments import (
    CancelAppointment,
    CancelByUnit,
    MarkAttendance,
    cancel_appointment,
    cancel_by_unit,
    mark_attendance,
)
from helpjourney.handlers.cases import CloseCase, ReferOn, StopSharing, cease_sharing, close_case, refer_on
from helpjourney.handlers.journeys import Clinician, OpenCase, StartCare, open_case, start_care
from helpjourney.queries.clinic import today_at
from helpjourney.queries.journeys import journey_of, sharing_of
from helpjourney.queries.timeline import happenings
from helpjourney.store.journeys import JourneyNotFoundError
from helpjourney_givens import KEEPING, OPENER
from helpjourney_scene import Scene, run


async def kinds(scene: Scene) -> list[tuple[str, str]]:
    async with scene.begin() as uow:
        journey = await journey_of(uow.connection, OPENER.vault, scene.subject, scene.journey_id)
        return [(one.kind, one.place) for one in happenings(journey, await uow.now())]


async def came(scene: Scene, appointment_id: UUID) -> None:
    later = scene.database.begin_at(timedelta(days=3, hours=1))
    await run(later, lambda uow: mark_attendance(MarkAttendance(appointment_id, scene.by, True, KEEPING), uow))


async def test_a_referral_needs_care_and_she_sees_it(scene: Scene) -> None:
    await scene.booked()
    refer = ReferOn(scene.journey_id, scene.by, ReferralTarget.GP, KEEPING)
    with pytest.raises(CareNotStartedError):
        await run(scene.begin, lambda uow: refer_on(refer, uow))
    await run(scene.begin, lambda uow: start_care(StartCare(scene.journey_id, scene.by, KEEPING), uow))
    await run(scene.begin, lambda uow: refer_on(refer, uow))
    assert ("referred", "done") in await kinds(scene)


async def test_a_case_is_not_ended_while_she_waits(scene: Scene) -> None:
    """INVARIANT: nobody who waits for an answer is lost."""
    await scene.wish()
    with pytest.raises(CaseOpenError):
        await run(scene.begin, lambda uow: close_case(CloseCase(scene.journey_id, scene.by), uow))


async def test_an_ended_case_is_closed_to_the_unit_until_she_comes_back(scene: Scene) -> None:
    """INVARIANT: who is done sees nothing any more."""
    await came(scene, await scene.booked(days=3))
    await run(scene.begin, lambda uow: close_case(CloseCase(scene.journey_id, scene.by), uow))
    with pytest.raises(JourneyNotFoundError):
        await run(scene.begin, lambda uow: open_case(OpenCase(scene.journey_id, scene.by), uow))
    assert (await kinds(scene))[-2:] == [("attended", "done"), ("wish", "next")]
    async with scene.begin() as uow:
        assert await sharing_of(uow.connection, scene.journey_id) == []
    await scene.wish()
    await run(scene.begin, lambda uow: open_case(OpenCase(scene.journey_id, scene.by), uow))


async def test_what_is_called_off_is_not_done_and_stands_where_it_happened(scene: Scene) -> None:
    """INVARIANT: a cancelled time is told as cancelled, before what she wished for after it, and what she can do next comes last."""
    off, given = await scene.booked(days=3), KEEPING
    await run(scene.begin, lambda uow: cancel_appointment(CancelAppointment(off, scene.subject, given), uow))
    assert (await kinds(scene))[-3:] == [("wished", "done"), ("cancelled", "off"), ("wish", "next")]
    wish = await scene.wish()
    assert (await kinds(scene))[-4:] == [("wished", "done"), ("cancelled", "off"), ("wished", "done"), ("waiting", "now")]
    await run(scene.begin, lambda uow: cancel_by_unit(CancelByUnit(wish, scene.by, given), uow))
    assert (await kinds(scene))[-3:] == [("wished", "done"), ("wish_cancelled", "off"), ("wish", "next")]


async def test_another_unit_neither_refers_nor_ends(scene: Scene) -> None:
    await scene.booked()
    stranger = Clinician(uuid4(), "7654321")
    for act in (
        lambda uow: close_case(CloseCase(scene.journey_id, stranger), uow),
        lambda uow: refer_on(ReferOn(scene.journey_id, stranger, ReferralTarget.GP, KEEPING), uow),
    ):
        with pytest.raises(JourneyNotFoundError):
            await run(scene.begin, act)


async def test_she_stops_sharing_and_nobody_else_can(scene: Scene) -> None:
    await scene.wish()
    unit = scene.by.service_id

    async def shared() -> list[bool]:
        async with scene.begin() as uow:
            return [one.with_summary for one in await sharing_of(uow.connection, scene.journey_id)]

    with pytest.raises(JourneyNotFoundError):
        await run(scene.begin, lambda uow: cease_sharing(StopSharing(scene.journey_id, uuid4(), unit), uow))
    assert await shared() == [True]
    await run(scene.begin, lambda uow: cease_sharing(StopSharing(scene.journey_id, scene.subject, unit), uow))
    assert await shared() == [False]


async def test_the_list_shows_who_has_waited_longest_first(scene: Scene) -> None:
    waits = [await scene.wish(suits=()) for _ in range(2)]
    hurries = await scene.wish(suits=("soon",))
    async with scene.begin() as uow:
        found = [one.appointment_id for one in (await today_at(uow.connection, scene.by.service_id, await uow.now())).waiting]
    assert found == [hurries, *waits]


async def test_the_line_of_time_goes_on_as_things_happen(scene: Scene) -> None:
    assert await kinds(scene) == [("began", "done"), ("wish", "next")]
    appointment_id = await scene.wish()
    assert await kinds(scene) == [("began", "done"), ("wished", "done"), ("waiting", "now")]
    slot_id = (await scene.offer(appointment_id, 3))[0]
    assert (await kinds(scene))[-1] == ("offered", "now")
    await scene.book(appointment_id, slot_id)
    assert (await kinds(scene))[-1] == ("booked", "now")
    await came(scene, appointment_id)
    assert (await kinds(scene))[-2:] == [("attended", "done"), ("wish", "next")]

"""Every text has an end from its first day, by the database's clock. Tests with the clock moved."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from helpjourney.handlers.appointments import CancelAppointment, cancel_appointment
from helpjourney.handlers.binding import BindOffer, bind_offer
from helpjourney.handlers.journeys import DeleteSummary, delete_summary
from helpjourney.handlers.retention import delete_overdue
from helpjourney.store.appointments import appointments
from helpjourney.store.claims import offers
from helpjourney.store.journeys import JourneyNotFoundError, journeys
from helpjourney.timers import timers
from helpjourney_givens import BUCKET, KEEPING, OPENER, a_typed_offer, an_offer, born, count, offered, presented
from helpjourney_scene import Scene, run
from servicekit.delivery.outbox import UnitOfWork
from servicekit.timers import run_due
from sqlalchemy import select

from deploy.testing import Database


async def retain(database: Database, after: timedelta) -> None:
    await run(database.begin_at(after), delete_overdue)


async def sealed(database: Database) -> int:
    async with database.engine.connect() as connection:
        return len((await connection.scalars(select(offers.c.handoff_id).where(offers.c.sealed_summary.is_not(None)))).all())


async def test_an_offer_that_nobody_presented_loses_its_text_at_expiry(database: Database) -> None:
    for given in (an_offer(), a_typed_offer()):
        await offered(database, given)
    await retain(database, timedelta(minutes=29))
    assert await sealed(database) == 2
    await retain(database, timedelta(minutes=31))
    assert await sealed(database) == 0
    await retain(database, timedelta(days=8))
    assert await count(database, "offers") == 0


async def test_an_offer_that_was_presented_in_time_waits_for_its_holder_and_no_longer(database: Database) -> None:
    for given in (an_offer(), a_typed_offer()):
        await offered(database, given)
        await presented(database.begin, given)
    await retain(database, timedelta(minutes=119))
    assert await sealed(database) == 2
    await retain(database, timedelta(minutes=121))
    assert await sealed(database) == 0
    assert await count(database, "holders") == 0


async def test_what_she_brought_and_wrote_is_destroyed_with_its_keys(database: Database) -> None:
    """INVARIANT: deleting the key deletes the text."""
    given = an_offer()
    await offered(database, given)
    token, subject = await presented(database.begin, given), uuid4()
    async with database.begin() as uow:
        await bind_offer(BindOffer(token, subject, await uow.now(), born(15), BUCKET, KEEPING), OPENER, uow)
    scene = await Scene(database).enter()
    await scene.wish()
    for days, left in ((89, 1), (91, 0)):
        await retain(database, timedelta(days=days))
        async with database.engine.connect() as connection:
            for table, text in ((journeys, "sealed_summary"), (appointments, "sealed_note")):
                kept = (await connection.scalars(select(table.c.wrapped_key).where(table.c.wrapped_key.is_not(None)))).all()
                texts = (await connection.scalars(select(table.c[text]).where(table.c[text].is_not(None)))).all()
                assert (len(kept), len(texts)) == (left, left), table.name


async def test_a_note_goes_soon_after_its_appointment_is_over(scene: Scene) -> None:
    appointment_id = await scene.wish()
    await run(scene.begin, lambda uow: cancel_appointment(CancelAppointment(appointment_id, scene.subject, KEEPING), uow))
    await retain(scene.database, timedelta(days=8))
    async with scene.database.engine.connect() as connection:
        assert await connection.scalar(select(appointments.c.sealed_note)) is None


async def test_a_journey_in_which_nothing_happened_goes_after_thirty_days(scene: Scene) -> None:
    await settle(scene.database, timedelta(hours=1))
    await retain(scene.database, timedelta(days=29))
    assert await count(scene.database, "journeys") == 1
    await retain(scene.database, timedelta(days=31))
    assert await count(scene.database, "journeys") == 0
    assert await scene.facts(scene.journey_id) == [(1, "started"), (2, "closed")]


async def test_a_journey_lives_on_after_its_last_appointment_and_goes_whole(scene: Scene) -> None:
    await scene.booked(days=100)
    await settle(scene.database, timedelta(hours=1))
    await retain(scene.database, timedelta(days=100 + 364))
    assert await count(scene.database, "journeys") == 1
    await retain(scene.database, timedelta(days=100 + 366))
    for table in ("journeys", "appointments", "slots", "notices", "views"):
        assert await count(scene.database, table) == 0, table


async def test_a_journey_whose_start_was_not_told_waits_until_it_was(scene: Scene) -> None:
    """INVARIANT: nothing ends before its beginning was told."""
    await retain(scene.database, timedelta(days=31))
    assert await count(scene.database, "journeys") == 1


async def test_she_deletes_what_she_brought_and_nobody_else_can(database: Database) -> None:
    given, subject = an_offer(), uuid4()
    await offered(database, given)
    token = await presented(database.begin, given)
    async with database.begin() as uow:
        journey_id = await bind_offer(BindOffer(token, subject, await uow.now(), born(15), BUCKET, KEEPING), OPENER, uow)
    with pytest.raises(JourneyNotFoundError):
        await run(database.begin, deletes(DeleteSummary(journey_id, uuid4())))
    await run(database.begin, deletes(DeleteSummary(journey_id, subject)))
    async with database.engine.connect() as connection:
        row = (await connection.execute(select(journeys.c.wrapped_key, journeys.c.sealed_summary))).one()
    assert tuple(row) == (None, None)


def deletes(command: DeleteSummary) -> Callable[[UnitOfWork], Awaitable[None]]:
    return lambda uow: delete_summary(command, uow)


async def settle(database: Database, after: timedelta) -> None:
    """The bucket is over and its starts are told."""

    async def nobody(_: object) -> None:
        raise AssertionError

    await run_due(database.begin_at(after), {kind: timer for kind, timer in timers(nobody).items() if kind == "border.close"})

"""Another time than the agreed one: proposed by the unit or asked for by the youth; what is agreed stands until she says yes."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from helpjourney.clients import ReminderFile
from helpjourney.domain.appointments import Contact, NotNowError, Reminding, TimesError
from helpjourney.handlers.appointments import (
    AskForOtherTime,
    BookTime,
    CancelAppointment,
    CancelByUnit,
    DeclineTimes,
    ProposeOtherTimes,
    ask_for_other_time,
    book_time,
    cancel_appointment,
    cancel_by_unit,
    decline_times,
    propose_other_times,
)
from helpjourney.handlers.journeys import Clinician
from helpjourney.queries.clinic import today_at
from helpjourney.store.appointments import AppointmentNotFoundError, appointments, slots
from helpjourney.timers import timers
from helpjourney_givens import KEEPING
from helpjourney_scene import Scene, run
from servicekit.delivery.outbox import Begin
from servicekit.timers import run_due
from sqlalchemy import select


async def propose(scene: Scene, appointment_id: UUID, *days: int, by: Clinician | None = None) -> list[UUID]:
    async with scene.begin() as uow:
        now = await uow.now()
        times = tuple(now + timedelta(days=day) for day in days)
        await propose_other_times(ProposeOtherTimes(appointment_id, by or scene.by, times, 45), uow)
    async with scene.database.engine.connect() as connection:
        query = select(slots.c.id).where(slots.c.appointment_id == appointment_id).order_by(slots.c.starts_at)
        return list(await connection.scalars(query))


async def send(begin: Begin, folder: Path) -> list[dict[str, str]]:
    """All that is due is sent; what was sent until now."""
    due = timers(ReminderFile(folder).send)
    await run_due(begin, {kind: due[kind] for kind in ("appointment.remind", "appointment.news")})
    file = folder / "reminders.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def row(scene: Scene, appointment_id: UUID):  # type: ignore[no-untyped-def]
    async with scene.database.engine.connect() as connection:
        return (await connection.execute(select(appointments).where(appointments.c.id == appointment_id))).one()


async def test_an_appointment_is_moved_when_the_youth_takes_the_other_time(scene: Scene) -> None:
    """INVARIANT: moved is told once, after booked; a proposal alone tells nothing and changes nothing."""
    appointment_id = await scene.booked(days=3)
    before = await row(scene, appointment_id)
    first, _ = await propose(scene, appointment_id, 5, 6)
    assert (await row(scene, appointment_id)).starts_at == before.starts_at
    assert [name for _, name in await scene.facts(appointment_id)] == ["wished", "offered", "booked"]
    await scene.book(appointment_id, first)
    after = await row(scene, appointment_id)
    assert (after.state, after.minutes, after.starts_at - before.starts_at > timedelta(days=1)) == ("booked", 45, True)
    assert await scene.facts(appointment_id) == [(1, "wished"), (2, "offered"), (3, "booked"), (4, "moved")]
    with pytest.raises(AppointmentNotFoundError):
        await scene.book(appointment_id, first)


async def test_who_declines_the_other_time_keeps_the_agreed_one(scene: Scene) -> None:
    appointment_id = await scene.booked(days=3)
    before = await row(scene, appointment_id)
    await propose(scene, appointment_id, 5)
    await run(scene.begin, lambda uow: decline_times(DeclineTimes(appointment_id, scene.subject), uow))
    assert await row(scene, appointment_id) == before
    with pytest.raises(NotNowError):
        await run(scene.begin, lambda uow: decline_times(DeclineTimes(appointment_id, scene.subject), uow))
    assert [name for _, name in await scene.facts(appointment_id)][-1] == "booked"


async def test_of_many_parallel_choices_of_another_time_one_wins(scene: Scene) -> None:
    """INVARIANT: an appointment is moved once."""
    appointment_id = await scene.booked(days=3)
    offered = await propose(scene, appointment_id, 5, 6, 7)
    outcomes = await asyncio.gather(*(scene.book(appointment_id, offered[n % 3]) for n in range(9)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert [name for _, name in await scene.facts(appointment_id)].count("moved") == 1


async def test_a_move_and_a_cancellation_at_the_same_moment_leave_facts_in_order(scene: Scene) -> None:
    appointment_id = await scene.booked(days=3)
    slot_id = (await propose(scene, appointment_id, 5))[0]
    cancel = run(scene.begin, lambda uow: cancel_by_unit(CancelByUnit(appointment_id, scene.by, KEEPING), uow))
    await asyncio.gather(scene.book(appointment_id, slot_id), cancel, return_exceptions=True)
    assert await scene.state(appointment_id) == "cancelled"
    facts = await scene.facts(appointment_id)
    assert [sequence for sequence, _ in facts] == list(range(1, len(facts) + 1))


@pytest.mark.parametrize("days", [(), (-1,), (1, 2, 3, 4), (181,)])
async def test_other_times_that_cannot_be_are_refused(scene: Scene, days: tuple[int, ...]) -> None:
    appointment_id = await scene.booked(days=3)
    with pytest.raises(TimesError):
        await propose(scene, appointment_id, *days)


async def test_the_agreed_time_is_no_other_time(scene: Scene) -> None:
    appointment_id = await scene.booked(days=3)
    agreed = (await row(scene, appointment_id)).starts_at
    command = ProposeOtherTimes(appointment_id, scene.by, (agreed,), 30)
    with pytest.raises(TimesError) as refused:
        await run(scene.begin, lambda uow: propose_other_times(command, uow))
    assert refused.value.code == "same"


async def test_nothing_is_moved_that_is_not_agreed_is_over_or_is_somebody_elses(scene: Scene) -> None:
    wished, booked = await scene.wish(), await scene.booked(days=3)
    with pytest.raises(NotNowError):
        await propose(scene, wished, 5)
    with pytest.raises(AppointmentNotFoundError):
        await propose(scene, booked, 5, by=Clinician(uuid4(), "7654321"))
    with pytest.raises(AppointmentNotFoundError):
        await run(scene.begin, lambda uow: ask_for_other_time(AskForOtherTime(booked, uuid4()), uow))
    slot_id = (await propose(scene, booked, 9))[0]
    later = scene.database.begin_at(timedelta(days=3, hours=1))
    for act in (
        lambda uow: ask_for_other_time(AskForOtherTime(booked, scene.subject), uow),
        lambda uow: book_time(BookTime(booked, scene.subject, slot_id, KEEPING), uow),
    ):
        with pytest.raises(NotNowError):
            await run(later, act)


async def test_who_asks_for_another_time_is_on_the_list_until_it_is_answered(scene: Scene) -> None:
    appointment_id = await scene.booked(days=3)

    async def waiting() -> list[UUID]:
        async with scene.begin() as uow:
            return [one.appointment_id for one in (await today_at(uow.connection, scene.by.service_id, await uow.now())).waiting]

    assert await waiting() == []
    await run(scene.begin, lambda uow: ask_for_other_time(AskForOtherTime(appointment_id, scene.subject), uow))
    assert await waiting() == [appointment_id]
    await propose(scene, appointment_id, 5)
    assert await waiting() == []
    await run(scene.begin, lambda uow: ask_for_other_time(AskForOtherTime(appointment_id, scene.subject), uow))
    await run(scene.begin, lambda uow: cancel_appointment(CancelAppointment(appointment_id, scene.subject, KEEPING), uow))
    assert await waiting() == []


async def test_the_reminder_follows_the_appointment_also_if_one_was_sent(scene: Scene, tmp_path: Path) -> None:
    """INVARIANT: a moved appointment is reminded of at its new time, and never at the old one."""
    appointment_id = await scene.booked(days=3)
    slot_id = (await propose(scene, appointment_id, 8))[0]
    soon = scene.database.begin_at(timedelta(days=2, hours=1))
    assert len(await send(soon, tmp_path)) == 1
    await scene.book(appointment_id, slot_id)
    assert len(await send(scene.database.begin_at(timedelta(days=6)), tmp_path)) == 1
    sent = await send(scene.database.begin_at(timedelta(days=7, hours=1)), tmp_path)
    assert len({line["id"] for line in sent}) == len(sent) == 2
    assert [name for _, name in await scene.facts(appointment_id)][-3:] == ["reminded", "moved", "reminded"]


async def test_news_are_sent_only_to_who_asked_for_them_and_say_nothing(scene: Scene, tmp_path: Path) -> None:
    """INVARIANT: the message says that there is one, and no word more."""
    silent = await scene.wish(contact=Contact.HERE, reminder=Reminding.NONE)
    await scene.offer(silent, 3)
    assert await send(scene.database.begin, tmp_path) == []
    told = await scene.wish(contact=Contact.MESSAGE, reminder=Reminding.NONE)
    await scene.offer(told, 3)
    (line,) = await send(scene.database.begin, tmp_path)
    assert (line["text"], line["recipient"]) == ("Du har en beskjed.", str(scene.subject))
    assert len(await send(scene.database.begin, tmp_path)) == 1


async def test_news_that_were_answered_meanwhile_are_not_sent(scene: Scene, tmp_path: Path) -> None:
    appointment_id = await scene.wish(contact=Contact.MESSAGE, reminder=Reminding.NONE)
    await scene.book(appointment_id, (await scene.offer(appointment_id, 3))[0])
    assert await send(scene.database.begin, tmp_path) == []


async def test_a_release_before_this_one_reads_and_writes_the_reminder(scene: Scene) -> None:
    """INVARIANT: expand only. The former column decides where an older release wrote it last."""
    from helpjourney.store.appointments import reminding_of

    appointment_id = await scene.wish(reminder=Reminding.OVERVIEW)
    found = await row(scene, appointment_id)
    assert (found.reminds, found.reminder) == (False, "overview")
    assert reminding_of(True, "overview") is Reminding.TEXT
    assert reminding_of(False, "text") is Reminding.NONE
    assert reminding_of(False, None) is Reminding.NONE

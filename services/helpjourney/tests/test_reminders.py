"""Reminders: neutral, by their own choice, at least once, never for what was called off."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from helpjourney.clients import FILE_NAME, ReminderFile
from helpjourney.domain.appointments import Reminding
from helpjourney.domain.reminders import Reminder, reminder_text
from helpjourney.handlers.appointments import CancelAppointment, ChooseReminder, cancel_appointment, choose_reminder
from helpjourney.store.appointments import notices
from helpjourney.timers import timers
from helpjourney_givens import KEEPING
from helpjourney_scene import Scene, run
from servicekit.delivery.outbox import Begin
from servicekit.timers import run_due
from sqlalchemy import select, text

from deploy.testing import Database


@pytest.fixture
def database(database: Database) -> Database:
    """It is noon by its clock: no day begins while a test runs."""
    return database.moved(-timedelta(seconds=(time.time() - 43_200) % 86_400))


async def send_due(begin: Begin, send: Callable[..., object]) -> None:
    await run_due(begin, {kind: timer for kind, timer in timers(send).items() if kind == "appointment.remind"})  # type: ignore[arg-type]


def sent(folder: Path) -> list[dict[str, str]]:
    file = folder / FILE_NAME
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def test_a_reminder_goes_out_a_day_before_and_says_nothing_but_when(scene: Scene, tmp_path: Path) -> None:
    """INVARIANT: no name, unit, topic or address leaves with a reminder."""
    appointment_id, file = await scene.booked(days=3), ReminderFile(tmp_path)
    await send_due(scene.database.begin_at(timedelta(days=1, hours=23)), file.send)
    assert sent(tmp_path) == []
    await send_due(scene.database.begin_at(timedelta(days=2, minutes=1)), file.send)
    line = sent(tmp_path)[0]
    assert set(line) == {"id", "recipient", "text", "language"}
    assert line["recipient"] == str(scene.subject)
    assert line["text"].startswith("Du har en avtale i morgen kl. ")
    assert (await scene.facts(appointment_id))[-1] == (4, "reminded")
    assert os.stat(tmp_path / FILE_NAME).st_mode & 0o077 == 0


async def test_an_appointment_that_is_near_is_reminded_of_soon_and_once(scene: Scene, tmp_path: Path) -> None:
    appointment_id = await scene.wish()
    async with scene.begin() as uow:
        await uow.now()
    slot = (await scene.offer(appointment_id, 1))[0]
    await scene.book(appointment_id, slot)
    for _ in range(3):
        await send_due(scene.database.begin_at(timedelta(minutes=1)), ReminderFile(tmp_path).send)
    assert len(sent(tmp_path)) == 1


async def test_a_sender_that_fails_is_tried_again_with_the_same_id(scene: Scene, tmp_path: Path) -> None:
    """INVARIANT: at least once; what could not be handed over isn't told as sent."""
    appointment_id, tried = await scene.booked(days=3), []

    async def fails_after_writing(reminder: Reminder) -> None:
        tried.append(reminder.id)
        await ReminderFile(tmp_path).send(reminder)
        raise OSError

    await send_due(scene.database.begin_at(timedelta(days=2, minutes=1)), fails_after_writing)
    assert (await scene.facts(appointment_id))[-1] == (3, "booked")
    await send_due(scene.database.begin_at(timedelta(days=2, minutes=10)), ReminderFile(tmp_path).send)
    lines = sent(tmp_path)
    assert [UUID(line["id"]) for line in lines] == [tried[0], tried[0]]
    assert (await scene.facts(appointment_id))[-1] == (4, "reminded")


async def test_nothing_is_sent_for_what_was_called_off_or_declined_or_is_past(scene: Scene, tmp_path: Path) -> None:
    called_off, declined, past = await scene.booked(), await scene.booked(), await scene.booked()
    await run(scene.begin, lambda uow: cancel_appointment(CancelAppointment(called_off, scene.subject, KEEPING), uow))
    await run(scene.begin, lambda uow: choose_reminder(ChooseReminder(declined, scene.subject, Reminding.NONE), uow))
    async with scene.database.engine.connect() as connection:
        assert list(await connection.scalars(select(notices.c.appointment_id))) == [past]
        assert list(await connection.scalars(text("select subject from timers where kind = 'appointment.remind'"))) == [past]
    await send_due(scene.database.begin_at(timedelta(days=4)), ReminderFile(tmp_path).send)
    assert sent(tmp_path) == []
    assert await scene.state(past) == "booked"


async def test_a_reminder_can_be_chosen_again_and_is_never_sent_twice(scene: Scene, tmp_path: Path) -> None:
    appointment_id = await scene.booked()
    for wanted in (Reminding.OVERVIEW, Reminding.TEXT):
        command = ChooseReminder(appointment_id, scene.subject, wanted)
        await run(scene.begin, lambda uow, command=command: choose_reminder(command, uow))  # type: ignore[misc]
    await send_due(scene.database.begin_at(timedelta(days=2, hours=1)), ReminderFile(tmp_path).send)
    assert len(sent(tmp_path)) == 1
    async with scene.database.engine.connect() as connection:
        assert len((await connection.execute(select(notices))).all()) == 1
    for wanted in (Reminding.OVERVIEW, Reminding.TEXT):
        command = ChooseReminder(appointment_id, scene.subject, wanted)
        await run(scene.begin, lambda uow, command=command: choose_reminder(command, uow))  # type: ignore[misc]
    await send_due(scene.database.begin_at(timedelta(days=2, hours=2)), ReminderFile(tmp_path).send)
    assert len(sent(tmp_path)) == 1


@pytest.mark.parametrize(
    ("starts", "now", "language", "text"),
    [
        ("2026-12-01T13:30", "2026-11-30T13:30", "nb", "Du har en avtale i morgen kl. 14.30."),
        ("2026-12-01T13:30", "2026-11-30T23:30", "nn", "Du har ein avtale i dag kl. 14.30."),
        ("2026-12-01T13:30", "2026-11-28T08:00", "en", "You have an appointment 1.12. at 14:30."),
        ("2026-06-01T12:30", "2026-05-31T22:30", "se", "Du har en avtale i dag kl. 14.30."),
    ],
)
def test_the_text_counts_days_in_oslo(starts: str, now: str, language: str, text: str) -> None:
    instants = [datetime.fromisoformat(value).replace(tzinfo=UTC) for value in (starts, now)]
    assert reminder_text(instants[0], instants[1], language) == text

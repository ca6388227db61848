"""What info hears from dialog: golden messages, twice, in any order between topics, and of types that it doesn't know."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from contracts.catalogue import topics_read_by
from contracts.dialog import AnswerRecalled, ProviderClosed, ProviderOpened, QueueMeasured
from info.consumers import HANDLERS
from info.domain import AnswerNotFoundError
from info.queries import reading, register
from info.queries.search import Search, search
from info.store import answers
from servicekit.delivery.inbox import apply
from servicekit.delivery.tables import parked_events
from sqlalchemy import func, select

from deploy.testing import golden_examples, record_of, told
from deploy.testing.records import record_from

READ = golden_examples(*(event.type for event in HANDLERS))
SKRAVLA = UUID("1621a0c9-9321-4897-9fe8-8a3ac2e1dda9")
TUESDAY_MORNING = datetime(2026, 11, 24, 8, tzinfo=UTC)


async def hear(database, *records):
    await apply(database.begin, "info", records, HANDLERS)


async def facts(database):
    async with database.begin() as uow:
        return [(fact.type, fact.key, fact.sequence) for fact in await told(uow.connection) if "answer" in fact.type]


async def found(database, words="kurvelinjal"):
    async with database.begin() as uow:
        return [hit.publication_id for hit in (await search(uow.connection, Search(words))).hits]


async def parked(database):
    async with database.begin() as uow:
        return await uow.connection.scalar(select(func.count()).select_from(parked_events))


def test_there_is_a_golden_message_of_every_type_that_is_read():
    assert {example.type for example in READ} == {event.type for event in HANDLERS}


def test_every_topic_of_the_catalogue_is_read():
    read = {event.topic for event in HANDLERS} - {""} | {"identity.sessions-info.v1"}
    assert read == set(topics_read_by("info"))


@pytest.mark.parametrize("example", READ, ids=str)
async def test_a_golden_message_is_applied_once_however_often_it_comes(database, example):
    """INVARIANT: a duplicate, in one batch or later, changes nothing and isn't parked."""
    await hear(database, example.record(), example.record(offset=1))
    once = await facts(database)
    await hear(database, example.record(offset=2))
    assert await facts(database) == once
    assert await parked(database) == 0


async def test_an_approved_answer_is_searchable_and_told(database, approved):
    await hear(database, record_of(approved, key=approved.publication_id, sequence=1))
    assert await found(database) == [approved.publication_id]
    async with database.begin() as uow:
        assert (await reading.answer(uow.connection, approved.publication_id)).title == approved.title
    assert await facts(database) == [("info.answer.published.v1", approved.publication_id, 1)]


async def test_a_recalled_answer_is_gone_when_the_batch_is_applied(database, approved):
    """INVARIANT: after a recall the text is in no table, in the same transaction."""
    await hear(database, record_of(approved, key=approved.publication_id, sequence=1))
    await hear(database, record_of(AnswerRecalled(publication_id=approved.publication_id), key=approved.publication_id, sequence=2))
    assert await found(database) == []
    async with database.begin() as uow:
        row = (await uow.connection.execute(select(answers))).one()
        assert (row.title, row.question, row.answer) == (None, None, None)
        with pytest.raises(AnswerNotFoundError):
            await reading.answer(uow.connection, approved.publication_id)
    assert await facts(database) == [
        ("info.answer.published.v1", approved.publication_id, 1),
        ("info.answer.withdrawn.v1", approved.publication_id, 2),
    ]


async def test_approval_and_recall_in_one_batch_leave_nothing(database, approved):
    await hear(
        database,
        record_of(approved, key=approved.publication_id, sequence=1),
        record_of(AnswerRecalled(publication_id=approved.publication_id), key=approved.publication_id, sequence=2, offset=1),
    )
    assert await found(database) == []


async def test_a_recall_that_comes_first_stops_the_approval(database, approved):
    """INVARIANT: an answer that was taken back is never shown, whatever order the facts reach us in."""
    await hear(database, record_of(AnswerRecalled(publication_id=approved.publication_id), key=approved.publication_id, sequence=1))
    await hear(database, record_of(approved, key=approved.publication_id, sequence=2))
    assert await found(database) == []
    assert await facts(database) == []


async def test_a_newer_message_with_more_fields_and_codes_is_read(database, approved):
    """INVARIANT: dialog may ship first."""
    data = json.loads(approved.model_dump_json()) | {"topic_code": "climate", "language": "uk", "mood": "brave"}
    headers = record_of(approved, key=approved.publication_id, sequence=1).headers
    await hear(database, record_from(approved.topic, str(approved.publication_id), headers, json.dumps(data).encode()))
    assert await parked(database) == 0
    assert await found(database) == [approved.publication_id]


async def test_a_type_that_we_do_not_know_is_passed_over(database, approved):
    headers = record_of(approved, key=approved.publication_id, sequence=1).headers | {"ce_type": "dialog.answer.praised.v1"}
    await hear(database, record_from(approved.topic, str(approved.publication_id), headers, b"{}"))
    await hear(database, record_of(approved, key=approved.publication_id, sequence=2))
    assert await found(database) == [approved.publication_id]
    assert await parked(database) == 0


async def test_control_characters_in_an_answer_park_nothing(database, approved):
    odd = approved.model_copy(update={"title": "Kurve\x00linjal\x02", "question": "a\x00b", "answer": "a\x03b\x00", "answered_by": "c\x00"})
    await hear(database, record_of(odd, key=approved.publication_id, sequence=1))
    async with database.begin() as uow:
        assert (await reading.answer(uow.connection, approved.publication_id)).title == "Kurvelinjal"
    assert await parked(database) == 0


async def test_open_and_closed_follow_what_the_network_says(seeded):
    async def entry(instant):
        async with seeded.begin() as uow:
            return await register.service(uow.connection, SKRAVLA, instant)

    assert not (await entry(TUESDAY_MORNING)).open_now
    opened, measured, closed = (
        record_of(event, key=SKRAVLA, sequence=n, time=TUESDAY_MORNING)
        for n, event in enumerate(
            (
                ProviderOpened(service_id=SKRAVLA),
                QueueMeasured(service_id=SKRAVLA, length=3, wait_minutes=12),
                ProviderClosed(service_id=SKRAVLA),
            ),
            start=1,
        )
    )
    await hear(seeded, opened, measured)
    now = await entry(TUESDAY_MORNING + timedelta(minutes=1))
    assert (now.open_now, now.is_live, now.queue_length, now.wait_minutes) == (True, True, 3, 12)
    await hear(seeded, closed)
    afternoon = TUESDAY_MORNING + timedelta(hours=7)
    now = await entry(afternoon)
    assert (now.open_now, now.is_live, now.queue_length) == (False, True, None)
    assert (await entry(afternoon + timedelta(days=1))).open_now  # old news: its ordinary hours count again


async def test_a_queue_of_a_service_that_we_have_never_heard_of_is_kept(seeded):
    """No order holds between topics: dialog may speak of a service before the register lists it."""
    unknown = uuid4()
    await hear(seeded, record_of(QueueMeasured(service_id=unknown, length=1), key=unknown, sequence=1))
    assert await parked(seeded) == 0

"""Facts and timers are written with the state, or not at all; their headers tell no more than their topic allows."""

from datetime import timedelta
from uuid import uuid4

import pytest
from annotated_types import MaxLen
from contracts.dialog import AnswerRecalled
from contracts.event import Envelope
from contracts.identity import SessionEnded, sessions_topic
from contracts.info import ArticleWithdrawn
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from servicekit.delivery.outbox import LARGEST_VALUE, FactTooLargeError, NotTheOwnerError, beginner
from servicekit.delivery.record import Received
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from deploy.testing import Database, Told, golden_examples, told


async def outbox_of(database: Database) -> list[Told]:
    async with database.engine.connect() as connection:
        return await told(connection)


async def test_a_fact_is_written_with_its_state(database, articles):
    [article] = await articles.create(database)
    async with database.begin() as uow:
        await articles.withdraw(uow, article)
        await articles.withdraw(uow, article)
    facts = await outbox_of(database)
    assert [(fact.key, fact.sequence, fact.topic) for fact in facts] == [(article, n, ArticleWithdrawn.topic) for n in (1, 2)]
    assert Envelope.of(facts[0].headers).source == "info"


async def test_a_rolled_back_transaction_tells_and_schedules_nothing(database, articles):
    """INVARIANT: no fact without its state."""
    [article] = await articles.create(database)

    async def withdraw_and_fail():
        async with database.begin() as uow:
            await articles.withdraw(uow, article)
            uow.schedule("retention", await uow.now(), article)
            await uow.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await withdraw_and_fail()
    assert await outbox_of(database) == []
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from timers")) == 0


async def test_a_commit_that_fails_tells_nothing(database, articles):
    """INVARIANT: state and fact are one transaction, not two."""
    [article] = await articles.create(database)
    async with database.engine.begin() as connection:
        await connection.execute(text("create table notes (id uuid references articles (id) deferrable initially deferred)"))

    async def withdraw_and_fail_at_commit():
        async with database.begin() as uow:
            await articles.withdraw(uow, article)
            await uow.connection.execute(text("insert into notes values (gen_random_uuid())"))

    with pytest.raises(IntegrityError):
        await withdraw_and_fail_at_commit()
    assert await outbox_of(database) == []


async def test_only_the_owner_of_a_topic_tells_on_it(database):
    """INVARIANT: one writer per topic."""
    async with database.begin() as uow:
        with pytest.raises(NotTheOwnerError):
            uow.tell(AnswerRecalled(publication_id=uuid4()), key=uuid4(), sequence=1)
        with pytest.raises(NotTheOwnerError):
            uow.tell(ArticleWithdrawn(publication_id=uuid4()), key=uuid4(), sequence=1, topic="info.directory.v1")
        with pytest.raises(NotTheOwnerError):
            uow.tell(SessionEnded(session_id=uuid4()), key=uuid4(), sequence=1)
        with pytest.raises(ValueError, match="begin at 1"):
            uow.tell(ArticleWithdrawn(publication_id=uuid4()), key=uuid4(), sequence=0)


async def test_a_fact_that_kafka_would_refuse_fails_its_command(database, articles, monkeypatch):
    """INVARIANT: a command answered 2xx is never lost, not even by being too large."""
    monkeypatch.setattr("servicekit.delivery.outbox.LARGEST_VALUE", 10)
    [article] = await articles.create(database)

    async def withdraw():
        async with database.begin() as uow:
            await articles.withdraw(uow, article)

    with pytest.raises(FactTooLargeError):
        await withdraw()
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select told from articles")) == 0


@pytest.mark.parametrize("sign", ["😀", "\x01"], ids=["four bytes", "escaped in JSON"])
@pytest.mark.parametrize("example", golden_examples(), ids=str)
def test_the_longest_texts_that_a_contract_allows_fit_into_a_fact(example, sign):
    """INVARIANT: no door takes a text and then fails because Kafka wouldn't take what it tells."""
    event = example.event()
    longest = {
        name: sign * limit.max_length
        for name, field in type(event).model_fields.items()
        for limit in field.metadata
        if isinstance(limit, MaxLen) and field.annotation is str
    }
    assert len(event.model_copy(update=longest).model_dump_json().encode()) <= LARGEST_VALUE


async def test_times_are_as_exact_as_the_topic_allows(database):
    """INVARIANT: the time of a fact on a border topic can't be joined with another level's."""
    begin = beginner(database.engine, "dialog", timedelta(seconds=1, microseconds=7))
    async with begin() as uow:
        now = await uow.now()
        uow.tell(AnswerRecalled(publication_id=uuid4()), key=uuid4(), sequence=1)
    [fact] = await outbox_of(database)
    assert fact.time.timestamp() % 300 == 0
    assert timedelta(0) <= now - fact.time < timedelta(seconds=300)
    assert Envelope.of(fact.headers).time == fact.time


@pytest.fixture
def span():
    with TracerProvider().get_tracer("test").start_as_current_span("request") as span:
        yield span.get_span_context()


async def test_a_trace_travels_inside_a_zone_only(database, span):
    """INVARIANT: no trace or causation id passes from one zone to another."""
    received = Received(uuid4(), "x", "helpjourney", None, 1, uuid4(), "x")
    async with beginner(database.engine, "identity")() as uow:
        uow.received = received
        uow.tell(SessionEnded(session_id=uuid4()), key=uuid4(), sequence=1, topic=sessions_topic("helpjourney"))
        uow.tell(SessionEnded(session_id=uuid4()), key=uuid4(), sequence=1, topic=sessions_topic("dialog"))
        uow.received = Received(uuid4(), "x", "dialog", None, 1, uuid4(), "x")
        uow.tell(SessionEnded(session_id=uuid4()), key=uuid4(), sequence=1, topic=sessions_topic("helpjourney"))
    inside, outside, caused_outside = await outbox_of(database)
    assert format(span.trace_id, "032x") in inside.headers["traceparent"]
    assert inside.headers["ce_causationid"] == str(received.id)
    assert not {"traceparent", "ce_causationid", "tracestate", "baggage"} & set(outside.headers)
    assert "ce_causationid" not in caused_outside.headers
    assert trace.get_current_span().get_span_context() == span


async def test_scheduling_again_moves_a_timer(database):
    subject = uuid4()
    async with database.begin() as uow:
        uow.schedule("expire", await uow.now(), subject)
        uow.schedule("expire", await uow.now() + timedelta(hours=1), subject)
        uow.schedule("sweep", await uow.now())
    async with database.begin() as uow:
        due = await uow.now() + timedelta(hours=2)
        uow.schedule("expire", due, subject)
        uow.schedule("sweep", due)
        uow.schedule("other", due, subject)
    async with database.begin() as uow:
        uow.unschedule("other", subject)
    async with database.engine.connect() as connection:
        rows = (await connection.execute(text("select kind, subject, due_at from timers order by kind"))).all()
    assert [tuple(row) for row in rows] == [("expire", subject, due), ("sweep", None, due)]

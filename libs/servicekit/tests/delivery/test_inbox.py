"""Each event has its effect once, those of a key in order; what can't go on is parked, the rest flows."""

import asyncio
import io
import json
import logging
import os
import sys
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
import structlog
from contracts.identity import SessionEnded, sessions_topic
from contracts.info import ArticleWithdrawn, UsageCounted
from opentelemetry.trace import get_current_span
from servicekit import logs
from servicekit.database import is_transient, says_unwritable
from servicekit.delivery import metrics
from servicekit.delivery.inbox import apply
from servicekit.delivery.parking import parked_events, parked_keys
from servicekit.delivery.record import Record
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from deploy.testing import Database, record_of

ME = "reporting"


def withdrawn(article: UUID, sequence: int, **options):
    return record_of(ArticleWithdrawn(publication_id=article), key=article, sequence=sequence, **options)


@pytest.fixture
def deliver(reader: Database, articles):
    async def deliver(*records: Record, patient: bool = True) -> None:
        await apply(reader.begin, ME, records, {ArticleWithdrawn: articles.on_withdrawn}, patient=patient)

    return deliver


async def parked(reader: Database, key: object) -> list[tuple[int, str]]:
    async with reader.engine.connect() as connection:
        return [(event.sequence, event.reason) for event in await parked_events(connection, ME, str(key))]


def ignored(reason: str) -> float:
    return metrics.ignored.labels(reason)._value.get()


async def test_an_event_that_comes_again_has_no_second_effect(reader, articles, deliver):
    """INVARIANT: each event's effect is applied once, also when one batch holds it twice."""
    article, before = uuid4(), ignored("duplicate")
    first, second = withdrawn(article, 1), withdrawn(article, 2)
    await deliver(first, first, second)
    await deliver(first)
    await deliver(second, second)
    assert await articles.effects(reader, article) == (2, 0)
    assert ignored("duplicate") - before == 4


async def test_what_a_batch_holds_twice_keeps_its_first_place(reader, articles, deliver):
    """INVARIANT: a relay that tells its facts again, cut off anywhere, turns nothing round."""
    article = uuid4()
    first, second = withdrawn(article, 1), withdrawn(article, 2)
    await deliver(first, second, first)
    await deliver(second)
    assert await articles.effects(reader, article) == (2, 0)


async def test_the_first_sequence_that_is_seen_of_a_key_is_its_start(reader, articles, deliver):
    article = uuid4()
    await deliver(withdrawn(article, 7), withdrawn(article, 8))
    assert await articles.effects(reader, article) == (2, 0)


async def test_a_gap_parks_the_key_at_once_and_no_other(reader, articles, deliver):
    """INVARIANT: events of one key are applied in order, or wait for a person."""
    article, other = uuid4(), uuid4()
    await deliver(withdrawn(article, 1), withdrawn(article, 3), withdrawn(article, 4), withdrawn(other, 1))
    await deliver(withdrawn(article, 2), withdrawn(other, 2))
    assert await articles.effects(reader, article) == (1, 0)
    assert await articles.effects(reader, other) == (2, 0)
    behind = "behind_a_parked_event"
    assert await parked(reader, article) == [(2, behind), (3, "gap"), (4, behind)]
    async with reader.engine.connect() as connection:
        [key] = await parked_keys(connection, ME)
    assert (key.key, key.events, key.reason, key.type) == (str(article), 3, "gap", ArticleWithdrawn.type)


async def test_a_lower_or_equal_sequence_is_ignored_and_counted(reader, articles, deliver):
    """INVARIANT: a fact that was sent again behind its successors changes nothing."""
    article, before = uuid4(), ignored("old_sequence")
    await deliver(withdrawn(article, 1), withdrawn(article, 2), withdrawn(article, 1))
    await deliver(withdrawn(article, 2), withdrawn(article, 3))
    assert await articles.effects(reader, article) == (3, 0)
    assert ignored("old_sequence") - before == 2
    assert await parked(reader, article) == []


async def test_an_event_of_an_unknown_type_is_skipped_but_its_place_counts(reader, articles, deliver):
    article = uuid4()
    unknown = withdrawn(article, 2)
    headers = unknown.headers | {"ce_type": "info.article.translated.v1"}
    raw = SimpleNamespace(
        topic=unknown.topic,
        partition=0,
        offset=1,
        key=unknown.key.encode(),
        value=b"{}",
        headers=[(name, value.encode()) for name, value in headers.items()],
    )
    await deliver(withdrawn(article, 1), Record.of(raw), withdrawn(article, 3))
    assert await articles.effects(reader, article) == (2, 1)
    assert await parked(reader, article) == []


async def test_a_broken_event_parks_its_key_and_no_other(reader, articles, deliver):
    """INVARIANT: later events of a failed key wait; other keys flow on, each once."""
    broken, fine = uuid4(), uuid4()
    articles.failing = lambda article: LookupError("secret") if article == broken else None
    await deliver(withdrawn(fine, 1), withdrawn(broken, 1), withdrawn(fine, 2), withdrawn(broken, 2))
    await deliver(withdrawn(broken, 3), withdrawn(fine, 3))
    assert await articles.effects(reader, fine) == (3, 0)
    assert await articles.effects(reader, broken) is None
    assert await parked(reader, broken) == [(1, "LookupError"), (2, "behind_a_parked_event"), (3, "behind_a_parked_event")]


async def test_a_redelivered_event_that_was_applied_is_not_parked_with_its_key(reader, articles, deliver):
    article = uuid4()
    first = withdrawn(article, 1)
    await deliver(first, withdrawn(article, 3))
    await deliver(first, withdrawn(article, 1))
    assert await parked(reader, article) == [(3, "gap")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"headers": [("ce_type", b"\xff\xfe")]}, "unreadable"),
        ({"headers": []}, "unreadable"),
        ({"value": None}, "unreadable"),
        ({"value": b"not json \x00"}, "ValidationError"),
        ({"value": b"{}"}, "ValidationError"),
        ({"source": b"dialog"}, "wrong_source"),
        ({"sequence": b"0"}, "unreadable"),
        ({"sequence": b"x"}, "unreadable"),
        ({"key": b"\x00not a key\xff"}, "unreadable"),
        ({"sequence": str(2**63).encode()}, "unreadable"),
        ({"type": b"a\x00b", "source": b"dialog"}, "unreadable"),
        ({"key": None}, "unreadable"),
        ({"key": os.urandom(3000).hex().encode()}, "unreadable"),
        ({"key": uuid4().hex.encode() + b"-" * 3000}, "unreadable"),
    ],
)
async def test_a_record_that_is_no_event_of_ours_is_parked(reader, articles, deliver, change, reason):
    """INVARIANT: nothing that Kafka delivers is skipped in silence, and nothing that it delivers stops the rest."""
    article, fine = uuid4(), uuid4()
    good = withdrawn(article, 1)
    headers = {name: value.encode() for name, value in good.headers.items()}
    headers |= {f"ce_{name}": value for name, value in change.items() if name in ("source", "sequence", "type")}
    parts = {"key": good.key.encode(), "value": good.value, "headers": list(headers.items())} | change
    record = Record.of(
        SimpleNamespace(topic=good.topic, partition=0, offset=5, key=parts["key"], value=parts["value"], headers=parts["headers"])
    )
    await deliver(record, withdrawn(fine, 1))
    await deliver(record)
    assert await parked(reader, record.key) == [(record.sequence, reason)]
    assert await articles.effects(reader, fine) == (1, 0)


class FakeDeadlockError(Exception):
    sqlstate = "40P01"


class FullDiskError(Exception):
    sqlstate = "53100"


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError(), DBAPIError("", {}, FakeDeadlockError())])
async def test_what_passes_by_itself_is_raised_and_nothing_has_happened(reader, articles, deliver, error):
    """INVARIANT: an event that could not be applied comes again; no key is parked because the database was away."""
    article, fine = uuid4(), uuid4()
    articles.failing = lambda one: error if one == article else None
    records = [withdrawn(fine, 1), withdrawn(article, 1)]
    with pytest.raises(type(error)):
        await deliver(*records)
    assert await articles.effects(reader, fine) is None
    articles.failing = lambda _: None
    await deliver(*records)
    assert await articles.effects(reader, fine) == await articles.effects(reader, article) == (1, 0)


async def test_patience_ends_for_one_event_but_not_while_the_database_is_away(reader, articles, deliver):
    article, fine = uuid4(), uuid4()
    error: Exception = DBAPIError("", {}, FakeDeadlockError())
    articles.failing = lambda one: error if one == article else None
    await deliver(withdrawn(fine, 1), withdrawn(article, 1), patient=False)
    assert await parked(reader, article) == [(1, "DBAPIError")]
    assert await articles.effects(reader, fine) == (1, 0)
    error = DBAPIError("", {}, FullDiskError())
    articles.failing = lambda _: error
    with pytest.raises(DBAPIError):
        await deliver(withdrawn(fine, 2), patient=False)


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), OSError(), PoolTimeoutError()])
async def test_a_handler_that_fails_as_if_the_network_did_tires_patience_too(reader, articles, deliver, error):
    """INVARIANT: what a handler raises by itself is its own failure, as long as the transaction that it was in can go on."""
    article, fine = uuid4(), uuid4()
    articles.failing = lambda one: error if one == article else None
    await deliver(withdrawn(article, 1), withdrawn(fine, 1), withdrawn(article, 2), patient=False)
    assert await parked(reader, article) == [(1, type(error).__name__), (2, "behind_a_parked_event")]
    assert await articles.effects(reader, fine) == (1, 0)


@pytest.mark.parametrize("raised", [TimeoutError, ConnectionResetError, None])
async def test_a_connection_that_ends_in_a_handler_parks_nothing(reader, articles, raised):
    """INVARIANT: no key is parked because the database was away, however often it was tried."""

    async def end(event, uow):
        await articles.on_withdrawn(event, uow)
        async with reader.engine.connect() as other:
            await other.execute(
                text("select pg_terminate_backend(:pid)"), {"pid": await uow.connection.scalar(text("select pg_backend_pid()"))}
            )
        if raised:
            raise raised
        await uow.connection.execute(text("select 1"))

    article = uuid4()
    for _ in range(2):
        with pytest.raises((DBAPIError, raised or DBAPIError)):
            await apply(reader.begin, ME, [withdrawn(article, 1)], {ArticleWithdrawn: end}, patient=False)
    await apply(reader.begin, ME, [withdrawn(article, 1)], {ArticleWithdrawn: articles.on_withdrawn})
    assert await parked(reader, article) == []
    assert await articles.effects(reader, article) == (1, 0)


async def test_a_database_that_takes_no_writes_parks_nothing(reader, articles):
    """INVARIANT: after a failover to a standby, or where operators stopped all writes, events wait as if it were away."""
    article = uuid4()

    async def on_withdrawn(event, uow):
        await uow.connection.execute(text("set transaction read only"))
        await articles.on_withdrawn(event, uow)

    for patient in (True, False):
        with pytest.raises(DBAPIError) as refused:
            await apply(reader.begin, ME, [withdrawn(article, 1)], {ArticleWithdrawn: on_withdrawn}, patient=patient)
        assert says_unwritable(refused.value)
        assert is_transient(refused.value)
    await apply(reader.begin, ME, [withdrawn(article, 1)], {ArticleWithdrawn: articles.on_withdrawn})
    assert await articles.effects(reader, article) == (1, 0)


async def test_when_a_database_takes_writes_again_so_do_those_who_asked_meanwhile(reader, articles, deliver, take_writes):
    """INVARIANT: nobody needs a restart because connections were made while the database was stopped, or led to a standby."""
    article = uuid4()
    await take_writes(reader, False)
    await reader.engine.dispose()
    for patient in (True, False):
        with pytest.raises(DBAPIError) as refused:
            await deliver(withdrawn(article, 1), patient=patient)
        assert says_unwritable(refused.value)
    await take_writes(reader, True)
    await deliver(withdrawn(article, 1))
    assert await articles.effects(reader, article) == (1, 0)


async def test_what_a_handler_tells_and_schedules_is_kept_only_if_its_event_was_applied(reader):
    """INVARIANT: effect, receipt and next facts commit together."""

    async def on_withdrawn(event, uow):
        uow.schedule("follow_up", await uow.now(), event.publication_id)
        if event.publication_id == bad:
            raise LookupError

    good, bad = uuid4(), uuid4()
    await apply(reader.begin, ME, [withdrawn(bad, 1), withdrawn(good, 1), withdrawn(bad, 2)], {ArticleWithdrawn: on_withdrawn})
    async with reader.engine.connect() as connection:
        assert list(await connection.scalars(text("select subject from timers"))) == [good]


async def test_consumers_with_the_same_batch_at_once_apply_it_once(reader, articles, deliver):
    """INVARIANT: a consumer that was taken for dead and goes on applies nothing twice."""
    keys = [uuid4() for _ in range(20)]
    batch = [withdrawn(key, sequence) for sequence in (1, 2, 3) for key in keys]
    await asyncio.gather(*(deliver(*batch) for _ in range(4)))
    assert {await articles.effects(reader, key) for key in keys} == {(3, 0)}


@pytest.fixture
def lines(monkeypatch):
    """What this process logs, as in production."""
    before, stream = logging.getLogger().handlers[:], io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    logs.configure("reporting")
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


async def test_a_payload_is_never_in_a_log_line(reader, articles, deliver, lines):
    """INVARIANT: logs hold no value that came from outside."""
    secret = "01017012345"
    good = withdrawn(uuid4(), 1)
    await deliver(good._replace(value=json.dumps({"publication_id": secret}).encode()))
    assert "key parked" in lines.getvalue()
    assert "ValidationError" in lines.getvalue()
    assert secret not in lines.getvalue()
    assert good.key not in lines.getvalue()


async def test_events_that_nobody_handles_leave_receipts_only(reader):
    usage = UsageCounted.model_validate({"bucket_id": uuid4(), "bucket_start": "2026-11-24T10:00:00Z", "bucket_seconds": 60, "counts": ()})
    await apply(reader.begin, ME, [record_of(usage, key=usage.bucket_id, sequence=1)], {})
    async with reader.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from inbox")) == 1


async def test_a_handler_goes_on_with_a_trace_of_its_own_zone_only(reader):
    """INVARIANT: a trace begins anew where an event crosses a border."""
    traces: list[int] = []

    async def look(_event, _uow):
        traces.append(get_current_span().get_span_context().trace_id)

    for name in ("helpjourney", "dialog"):
        record = record_of(SessionEnded(session_id=uuid4()), key=uuid4(), sequence=1, topic=sessions_topic(name))
        trace = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        await apply(reader.begin, ME, [record._replace(raw_headers=(*record.raw_headers, trace))], {SessionEnded: look})
    assert format(traces[0], "032x") == "0af7651916cd43dd8448eb211c80319c"
    assert traces[1] != traces[0]


async def test_a_batch_adds_up_to_one_write_and_an_event_that_fails_adds_nothing(reader):
    """INVARIANT: what was added up commits with the receipts of the same events, and goes with its savepoint."""
    written: list[dict[str, int]] = []
    bad = uuid4()

    async def write(_connection, totals):
        written.append(dict(totals))

    async def add(event, uow):
        uow.add_up(write, "all", 1)
        if event.publication_id == bad:
            raise ValueError

    async def read(*keys):
        records = [record_of(ArticleWithdrawn(publication_id=key), key=key, sequence=1) for key in keys]
        await apply(reader.begin, "reporting", records, {ArticleWithdrawn: add})

    await read(uuid4(), uuid4(), uuid4())
    assert written == [{"all": 3}]
    written.clear()
    await read(uuid4(), bad, uuid4())
    assert written == [{"all": 1}, {"all": 1}]

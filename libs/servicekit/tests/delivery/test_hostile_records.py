"""Whatever bytes Kafka brings end applied, ignored or parked, and counted: nothing stops the partition that they came in."""

import os
from types import SimpleNamespace
from uuid import uuid4

import pytest
from contracts.info import ArticleWithdrawn
from hypothesis import given
from hypothesis import strategies as st
from servicekit.delivery import metrics
from servicekit.delivery.inbox import apply
from servicekit.delivery.parking import Decision, parked_keys
from servicekit.delivery.record import Record
from servicekit.delivery.replay import retry
from sqlalchemy import text

from deploy.testing import record_of

ME = "reporting"
TOPIC = ArticleWithdrawn.topic
OFFSET = 5
UNREADABLE, APPLIED, IGNORED = "unreadable", "applied", "ignored"


def withdrawn(article, sequence=1):
    return record_of(ArticleWithdrawn(publication_id=article), key=article, sequence=sequence)


def raw_record(headers: dict[str, bytes | None], *, key: bytes | None = None, value: bytes | None = None):
    """A record as aiokafka hands it out: a good one of a key of its own, with some headers changed."""
    good = withdrawn(uuid4())
    changed = {name: text.encode() for name, text in good.headers.items()} | headers
    return SimpleNamespace(
        topic=TOPIC,
        partition=0,
        offset=OFFSET,
        key=good.key.encode() if key is None else key,
        value=good.value if value is None else value,
        headers=tuple(changed.items()),
    )


names = st.sampled_from(["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_sequence", "ce_causationid", "traceparent", "x"])
values = st.one_of(st.none(), st.binary(max_size=40), st.text(max_size=20).map(str.encode), st.integers().map(lambda one: b"%d" % one))


@given(st.dictionaries(names, values), st.one_of(st.none(), st.binary(max_size=200)), st.binary(max_size=40))
def test_a_record_can_always_be_read(headers, key, value):
    """INVARIANT: nothing that stands in a record makes reading it fail, and what is kept of it fits a table."""
    record = Record.of(raw_record(headers, key=key, value=value))
    kept = record.key + record.type + "".join(record.headers.values())
    assert "\x00" not in kept
    kept.encode()


@pytest.fixture
def outcome(reader, articles):
    """What becomes of a record that comes twice, each time with a good one behind it."""

    async def outcome(record: Record) -> str:
        fine, handlers = uuid4(), {ArticleWithdrawn: articles.on_withdrawn}
        applied, ignored = metrics.applied.labels(ArticleWithdrawn.type)._value, metrics.ignored.labels("unknown_type")._value
        before = applied.get(), ignored.get()
        for sequence in (1, 2):
            await apply(reader.begin, ME, [record, withdrawn(fine, sequence)], handlers)
        assert await articles.effects(reader, fine) == (2, 0)
        counted = int(applied.get() - before[0]) - 2, int(ignored.get() - before[1])
        async with reader.engine.connect() as connection:
            waiting = await parked_keys(connection, ME)
        if not waiting:
            return {(1, 0): APPLIED, (0, 1): IGNORED}[counted]
        assert (counted, [key.events for key in waiting]) == ((0, 0), [1])
        again = await retry(reader.begin, ME, (TOPIC, record.key), handlers, Decision("kari", "retry"))
        assert (again.applied, again.stops_at) == (0, waiting[0].reason)
        assert (await retry(reader.begin, ME, (TOPIC, record.key), handlers, Decision("kari", "skip", "broken"), skip=True)).left == 0
        return waiting[0].reason

    return outcome


STRANGE = {
    "an id without a value": ({"ce_id": None}, UNREADABLE),
    "a type without a value": ({"ce_type": None}, UNREADABLE),
    "a source without a value": ({"ce_source": None}, UNREADABLE),
    "a time without a value": ({"ce_time": None}, UNREADABLE),
    "a number without a value": ({"ce_sequence": None}, UNREADABLE),
    "others without a value": ({"ce_causationid": None, "traceparent": None, "x": None}, APPLIED),
    "a long type": ({"ce_type": b"t" * 10_000}, IGNORED),
    "a long source": ({"ce_source": b"s" * 100_000}, "wrong_source"),
    "a long header": ({"ce_id": b"?", "x": b"v" * 200_000}, UNREADABLE),
    "a long name": ({"ce_id": b"?", "n" * 100_000: b"v"}, UNREADABLE),
    "many headers": ({"ce_id": b"?"} | {f"n{number}": b"" for number in range(10_000)}, UNREADABLE),
    "half a character": ({"x": b"\xed\xa0\x80", "ce_type": b"\xed\xa0\x80"}, UNREADABLE),
    "NUL": ({"x\x00": b"\x00", "ce_type": b"a\x00b"}, UNREADABLE),
    "NUL as an escape": ({"x": b"\\u0000", "ce_source": b"\\u0000"}, "wrong_source"),
    "the year 0": ({"ce_time": b"0000-01-01T00:00:00Z"}, UNREADABLE),
    "the year 1": ({"ce_time": b"0001-01-01T00:00:00+23:59"}, APPLIED),
    "the year 9999": ({"ce_time": b"9999-12-31T23:59:59-23:59"}, APPLIED),
    "the year 300000": ({"ce_time": b"300000-01-01T00:00:00Z"}, UNREADABLE),
    "the largest number": ({"ce_sequence": b"9223372036854775807"}, APPLIED),
    "a number of 6,000 digits": ({"ce_sequence": b"9" * 6_000}, UNREADABLE),
}


@pytest.mark.parametrize("what", STRANGE)
async def test_a_record_with_strange_headers_stops_nothing(outcome, what):
    """INVARIANT: what can't be read waits for a person, read again or not; the rest flows."""
    headers, expected = STRANGE[what]
    assert await outcome(Record.of(raw_record(headers))) == expected


@pytest.mark.parametrize(
    "value",
    [b"", b"\x00", b"[" * 100_000, b"1" * 200_000, b'{"publication_id": "\\ud800"}', b'{"publication_id": "\\u0000"}', os.urandom(200_000)],
    ids=["nothing", "NUL", "deep", "a long number", "half a character", "NUL as an escape", "noise"],
)
async def test_a_record_with_a_strange_value_stops_nothing(outcome, value):
    assert await outcome(Record.of(raw_record({}, value=value))) == "ValidationError"


@pytest.mark.parametrize(
    ("key", "kept_under"),
    [
        (b"", f"{TOPIC}/0/{OFFSET}"),
        (b"k" * 8_192, f"{TOPIC}/0/{OFFSET}"),
        (b"k" * 128, "k" * 128),
        (b"\xff" * 128, "\ufffd" * 128),
        (b"\x00", "\ufffd"),
    ],
    ids=["nothing", "8 KB", "as long as can be", "no text", "NUL"],
)
async def test_a_record_with_a_strange_key_stops_nothing(outcome, key, kept_under):
    record = Record.of(raw_record({}, key=key))
    assert (await outcome(record), record.key) == (UNREADABLE, kept_under)


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("select cast(:value as bigint)", 2**63),
        ("select cast(:value as text)", "\x00"),
        ("select cast(:value as text)", "\ud800"),
        ("select cast(cast(:value as text) as jsonb)", '"\\u0000"'),
        ("select make_timestamptz(:value, 1, 1, 0, 0, 0)", 300_000),
        ("select pg_sleep(:value)", 1.0),
    ],
)
async def test_what_the_database_refuses_parks_its_key(reader, articles, statement, value):
    """INVARIANT: also an event that is well formed, and that no table takes, stops its own key only."""

    async def store(event, uow):
        await articles.on_withdrawn(event, uow)
        if event.publication_id == bad:
            await uow.connection.execute(text("set local statement_timeout = 50"))
            await uow.connection.execute(text(statement), {"value": value})

    fine, bad = uuid4(), uuid4()
    await apply(reader.begin, ME, [withdrawn(bad), withdrawn(fine)], {ArticleWithdrawn: store}, patient="sleep" not in statement)
    assert (await articles.effects(reader, fine), await articles.effects(reader, bad)) == ((1, 0), None)
    async with reader.engine.connect() as connection:
        assert [(key.key, key.reason) for key in await parked_keys(connection, ME)] == [(str(bad), "DBAPIError")]

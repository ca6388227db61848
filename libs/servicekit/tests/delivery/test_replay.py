"""A parked key is looked at, tried again or helped on by a person: each event once, in order, and every act leaves a row."""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from contracts.info import ArticleWithdrawn
from servicekit import housekeeping, parked
from servicekit.deletions import Ledger
from servicekit.delivery import replay
from servicekit.delivery.inbox import apply
from servicekit.delivery.parking import Decision, parked_events
from servicekit.delivery.record import LARGEST_SEQUENCE, Record
from servicekit.delivery.replay import NothingParkedError, retry
from servicekit.service import Service
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from deploy.testing import Database, record_of
from deploy.testing.records import record_from

ME = "reporting"
TOPIC = ArticleWithdrawn.topic
BEHIND = "behind_a_parked_event"
FIXED = Decision("kari", "retry", "fixed in 0.2.1")


def withdrawn(article: UUID, sequence: int, **options) -> Record:
    return record_of(ArticleWithdrawn(publication_id=article), key=article, sequence=sequence, **options)


@pytest.fixture
def handlers(articles):
    return {ArticleWithdrawn: articles.on_withdrawn}


@pytest.fixture
def deliver(reader: Database, handlers):
    async def deliver(*records: Record) -> None:
        await apply(reader.begin, ME, records, handlers)

    return deliver


@pytest.fixture
def again(reader: Database, handlers):
    async def again(article: object, *, skip: bool = False, begin=None):
        return await retry(begin or reader.begin, ME, (TOPIC, str(article)), handlers, FIXED, skip=skip)

    return again


async def waiting(reader: Database, article: object) -> list[tuple[int, str]]:
    async with reader.engine.connect() as connection:
        return [(event.sequence, event.reason) for event in await parked_events(connection, ME, str(article))]


async def audited(reader: Database) -> list[tuple[str, str, int, int, int]]:
    async with reader.engine.connect() as connection:
        rows = await connection.execute(text('select actor, action, applied, skipped, "left" from parked_audit order by id'))
        return [tuple(row) for row in rows]


def failing_for(article: UUID):
    return lambda one: LookupError("a bug") if one == article else None


async def test_after_a_fix_each_event_is_applied_once_in_order_and_the_key_flows_again(reader, articles, deliver, again):
    """INVARIANT: replay applies each event once, in order; there is no gap behind it."""
    article = uuid4()
    records = [withdrawn(article, sequence) for sequence in range(1, 7)]
    await deliver(records[0])
    articles.failing = failing_for(article)
    await deliver(*records[1:4])
    assert await waiting(reader, article) == [(2, "LookupError"), (3, BEHIND), (4, BEHIND)]
    articles.failing = lambda _: None
    outcome = await again(article)
    assert (outcome.applied, outcome.left, outcome.stops_at) == (3, 0, None)
    await deliver(*records)
    assert await articles.effects(reader, article) == (6, 0)
    assert await waiting(reader, article) == []
    assert await audited(reader) == [("kari", "retry", 3, 0, 0)]


async def test_a_retry_that_fails_again_leaves_the_rest_in_order(reader, articles, deliver, again):
    """INVARIANT: no event overtakes one that still fails."""
    article, seen = uuid4(), []

    def fails_at_the_second(one: UUID) -> Exception | None:
        seen.append(one)
        return ZeroDivisionError() if len(seen) > 1 else None

    articles.failing = failing_for(article)
    await deliver(*(withdrawn(article, sequence) for sequence in (1, 2, 3)))
    articles.failing = fails_at_the_second
    outcome = await again(article)
    assert (outcome.applied, outcome.left, outcome.stops_at) == (1, 2, "ZeroDivisionError")
    await deliver(withdrawn(article, 4))
    assert await waiting(reader, article) == [(2, "ZeroDivisionError"), (3, BEHIND), (4, BEHIND)]
    assert await articles.effects(reader, article) == (1, 0)


async def test_a_retry_while_the_database_fails_changes_nothing(reader, articles, deliver, again):
    class DeadlockError(Exception):
        sqlstate = "40P01"

    article = uuid4()
    articles.failing = failing_for(article)
    await deliver(withdrawn(article, 1))
    articles.failing = lambda _: DBAPIError("", {}, DeadlockError())
    with pytest.raises(DBAPIError):
        await again(article)
    assert await waiting(reader, article) == [(1, "LookupError")]
    assert await audited(reader) == []
    with pytest.raises(NothingParkedError):
        await again(uuid4())


async def test_events_that_came_in_the_wrong_order_are_put_right_by_a_retry(reader, articles, deliver, again):
    article = uuid4()
    await deliver(*(withdrawn(article, sequence, offset=offset) for offset, sequence in enumerate((1, 3, 4, 2))))
    assert await waiting(reader, article) == [(2, BEHIND), (3, "gap"), (4, BEHIND)]
    assert (await again(article)).left == 0
    assert await articles.effects(reader, article) == (4, 0)


async def test_a_skip_leaves_out_nothing_that_was_never_tried(reader, articles, deliver, again):
    """INVARIANT: what came late and goes before the event that stopped the key is applied, not skipped."""
    article = uuid4()
    await deliver(*(withdrawn(article, sequence, offset=offset) for offset, sequence in enumerate((1, 4, 2, 5))))
    assert await waiting(reader, article) == [(2, BEHIND), (4, "gap"), (5, BEHIND)]
    outcome = await again(article, skip=True)
    assert (outcome.applied, outcome.skipped, outcome.left, outcome.stops_at) == (1, 0, 2, "gap")
    outcome = await again(article, skip=True)
    assert (outcome.applied, outcome.skipped, outcome.left) == (2, 0, 0)


async def test_a_skip_behind_the_greatest_number_that_a_key_can_have(reader, articles, deliver, again):
    article = uuid4()
    await deliver(withdrawn(article, LARGEST_SEQUENCE), record_from(TOPIC, str(article), {}, b"?", offset=1))
    outcome = await again(article, skip=True)
    assert (outcome.skipped, outcome.left) == (1, 0)


async def test_a_gap_that_stays_stops_a_retry_and_a_skip_goes_on_behind_it(reader, articles, deliver, again):
    """INVARIANT: events that never came are left out by a person's decision only."""
    article = uuid4()
    await deliver(withdrawn(article, 1), withdrawn(article, 4, offset=1), withdrawn(article, 5, offset=2))
    assert (await again(article)).stops_at == "gap"
    outcome = await again(article, skip=True)
    assert (outcome.applied, outcome.skipped, outcome.left) == (2, 0, 0)
    await deliver(withdrawn(article, 6, offset=3))
    assert (await articles.effects(reader, article))[0] == 4


async def test_a_skip_leaves_out_the_event_that_fails_and_no_other(reader, articles, deliver, again):
    article = uuid4()
    await deliver(withdrawn(article, 1))
    articles.failing = failing_for(article)
    await deliver(*(withdrawn(article, sequence, offset=sequence) for sequence in (2, 3)))
    outcome = await again(article, skip=True)
    assert (outcome.skipped, outcome.applied, outcome.left) == (1, 0, 1)
    articles.failing = lambda _: None
    assert (await again(article)).applied == 1
    await deliver(withdrawn(article, 4, offset=4))
    assert (await articles.effects(reader, article))[0] == 3
    assert [row[2:] for row in await audited(reader)] == [(0, 1, 1), (1, 0, 0)]


@pytest.mark.parametrize("following", [True, False])
async def test_a_record_that_cannot_be_read_keeps_its_place_until_it_is_skipped(reader, articles, deliver, again, following):
    """INVARIANT: what has no sequence of its own holds back what came behind it, and a skip leaves no gap."""
    article = uuid4()
    await deliver(withdrawn(article, 1, offset=0), record_from(TOPIC, str(article), {}, b"?", offset=1))
    if following:
        await deliver(withdrawn(article, 3, offset=2))
    outcome = await again(article)
    assert (outcome.applied, outcome.stops_at) == (0, "unreadable")
    outcome = await again(article, skip=True)
    assert (outcome.skipped, outcome.left) == (1, 0)
    await deliver(withdrawn(article, 3, offset=2), withdrawn(article, 4, offset=3))
    assert (await articles.effects(reader, article))[0] == 3
    assert await waiting(reader, article) == []


async def test_a_replay_thirty_days_later_applies_once(reader, articles, deliver, again, handlers):
    """INVARIANT: receipts outlive the topics and the time in which a key may be replayed."""
    article = uuid4()
    records = [withdrawn(article, sequence) for sequence in (1, 2, 3)]
    await deliver(records[0])
    articles.failing = failing_for(article)
    await deliver(*records[1:])
    articles.failing = lambda _: None
    later = reader.begin_at(timedelta(days=30))
    async with later() as uow:
        await housekeeping.forget_receipts(uow, None)
    assert (await again(article, begin=later)).applied == 2
    await apply(later, ME, records, handlers)
    assert await articles.effects(reader, article) == (3, 0)


async def test_a_retry_while_new_events_arrive_loses_and_doubles_none(reader, articles, deliver, again):
    """INVARIANT: a new event of the key either waits behind it or follows it; it is never left alone behind a key that flows."""
    article, last = uuid4(), 60
    for start in range(1, last, 6):
        articles.failing = failing_for(article)
        await deliver(withdrawn(article, start))
        articles.failing = lambda _: None

        async def arrive(start: int = start) -> None:
            for sequence in range(start + 1, start + 6):
                await deliver(withdrawn(article, sequence))

        arriving = asyncio.create_task(arrive())
        await again(article)
        await arriving
        assert await waiting(reader, article) == []
    assert await articles.effects(reader, article) == (last, 0)


@pytest.fixture
def ask(reader, handlers, capsys, tmp_path):
    """Asks as on the command line; returns the lines that were printed."""

    async def ask(*words: str) -> list[dict]:
        settings = SimpleNamespace(dsn=reader.dsn, clock_offset=timedelta(0), ledger=Ledger(tmp_path))
        service = Service(ME, settings, [], None, handlers=handlers)
        await parked.parked(service, parked.parse(ME, [*words, "--by", "kari"]))
        return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]

    return ask


async def test_people_see_what_surrounds_an_event_and_its_payload_only_with_a_reason(reader, articles, deliver, ask):
    """INVARIANT: who has seen a payload, and why, can be read afterwards."""
    article = uuid4()
    articles.failing = failing_for(article)
    await deliver(withdrawn(article, 1), withdrawn(article, 2))
    [key] = await ask("list")
    assert (key["key"], key["events"], key["reason"]) == (str(article), 2, "LookupError")
    shown = await ask("show", str(article))
    assert [event["sequence"] for event in shown] == [1, 2]
    assert "data" not in shown[0]
    with pytest.raises(SystemExit):
        await ask("show", str(article), "--payload")
    [first, _] = await ask("show", str(article), "--payload", "--reason", "look for the bug")
    assert json.loads(first["data"]) == {"publication_id": str(article)}
    articles.failing = lambda _: None
    [outcome] = await ask("retry", str(article))
    assert (outcome["applied"], outcome["left"]) == (2, 0)
    assert [row[:2] for row in await audited(reader)] == [("kari", act) for act in ("list", "show", "show payload", "retry")]


@pytest.mark.parametrize("words", [["skip", "a key"], ["retry"], ["show"], ["skip", "a key", "--reason", " "], ["remove", "a key"]])
def test_what_makes_no_sense_is_refused_before_anything_is_done(words):
    with pytest.raises(SystemExit) as refused:
        parked.parse(ME, words)
    assert refused.value.code == 2


@pytest.mark.parametrize("words", [["show", "a key"], ["retry", "a key", "--topic", TOPIC], ["skip", "--topic", TOPIC, "--reason", "old"]])
async def test_an_act_on_what_is_not_parked_is_said_in_one_line_and_leaves_its_row(reader, ask, words):
    """INVARIANT: who looked for a key can be read afterwards, also where there was none."""
    with pytest.raises(SystemExit, match=r"nothing is parked|no key of .* is parked"):
        await ask(*words)
    assert await audited(reader) == [("kari", words[0], 0, 0, 0)]


async def test_a_key_on_two_topics_asks_which(reader, deliver, ask):
    key = str(uuid4())
    await deliver(record_from(TOPIC, key, {}, b"?"), record_from("info.directory.v1", key, {}, b"?", offset=1))
    with pytest.raises(SystemExit, match="--topic"):
        await ask("skip", key, "--reason", "no event of ours")
    assert await audited(reader) == [("kari", "skip", 0, 0, 0)]
    [outcome] = await ask("skip", key, "--reason", "no event of ours", "--topic", TOPIC)
    assert (outcome["skipped"], outcome["left"]) == (1, 0)


async def test_many_events_are_replayed_in_steps_between_which_new_ones_of_the_key_and_others_flow(
    reader, articles, deliver, ask, monkeypatch, handlers
):
    """INVARIANT: a key is parked until its last event is applied; each step leaves its row, and nobody waits for more than one step."""
    monkeypatch.setattr(replay, "MOST", 3)
    article, other, came = uuid4(), uuid4(), iter(range(8, 100))
    articles.failing = failing_for(article)
    await deliver(
        record_from(TOPIC, str(article), {}, b"?", offset=0), *(withdrawn(article, number, offset=number) for number in range(1, 8))
    )
    articles.failing = lambda _: None

    @asynccontextmanager
    async def begin_after_others():
        if (number := next(came)) < 10:
            await apply(reader.begin, ME, [withdrawn(article, number, offset=number), withdrawn(other, number)], handlers)
        async with reader.begin() as uow:
            yield uow

    monkeypatch.setattr(parked, "beginner", lambda *_: begin_after_others)
    outcomes = await ask("skip", str(article), "--reason", "no event of ours")
    assert [(one["skipped"], one["applied"], one["left"], one["stops_at"]) for one in outcomes] == [
        (1, 2, 7, "replay_unfinished"),
        (0, 3, 4, "replay_unfinished"),
        (0, 3, 1, "replay_unfinished"),
        (0, 1, 0, None),
    ]
    assert await articles.effects(reader, article) == (9, 0)
    assert await articles.effects(reader, other) == (2, 0)
    assert [row[1:] for row in await audited(reader)] == [("skip", 2, 1, 7), ("skip", 3, 0, 4), ("skip", 3, 0, 1), ("skip", 1, 0, 0)]


async def test_a_replay_that_was_cut_off_between_two_steps_says_so_and_goes_on(reader, articles, deliver, ask, again, monkeypatch):
    monkeypatch.setattr(replay, "MOST", 2)
    article = uuid4()
    articles.failing = failing_for(article)
    await deliver(*(withdrawn(article, sequence, offset=sequence) for sequence in range(1, 6)))
    articles.failing = lambda _: None
    assert (await again(article)).left == 3
    assert await waiting(reader, article) == [(3, "replay_unfinished"), (4, BEHIND), (5, BEHIND)]
    assert [outcome["left"] for outcome in await ask("retry", str(article))] == [1, 0]
    assert await articles.effects(reader, article) == (5, 0)


async def test_what_a_replay_deletes_stays_away_after_a_restore(articles, deliver, ask, handlers, tmp_path):
    """INVARIANT: a deletion is in the ledger whoever carries it out, also a person at the command line."""

    async def delete(event, uow):
        uow.forget("article", event.publication_id)

    article = uuid4()
    articles.failing = failing_for(article)
    await deliver(withdrawn(article, 1))
    handlers[ArticleWithdrawn] = delete
    [outcome] = await ask("retry", str(article))
    assert outcome["applied"] == 1
    assert Ledger(tmp_path).read() == {"article": {article}}


async def test_keys_that_are_done_are_said_though_a_later_one_fails(articles, deliver, ask, reader, capsys):
    """INVARIANT: nobody is told that nothing was changed where something was."""

    class DeadlockError(Exception):
        sqlstate = "40P01"

    first, second = uuid4(), uuid4()
    articles.failing = lambda _: LookupError()
    await deliver(withdrawn(first, 1))
    await deliver(withdrawn(second, 1))
    articles.failing = lambda article: DBAPIError("", {}, DeadlockError()) if article == second else None
    with pytest.raises(SystemExit, match="what is said above is done, nothing else was changed, try again"):
        await ask("retry", "--topic", TOPIC)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["key"] == str(first)
    assert (await waiting(reader, first), await waiting(reader, second)) == ([], [(1, "LookupError")])


async def test_the_verb_works_in_a_process_of_its_own(reader):
    code = (
        "from pathlib import Path\nfrom servicekit.cli import main\nfrom servicekit.service import Service\n"
        "from servicekit.settings import ServiceSettings\nmain('reporting', lambda s: Service('reporting', s, [], None), ServiceSettings)"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "parked", "retry", "no-such-key"), env={"DATABASE_URL": reader.dsn}, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, errors.decode()) == (1, "reporting: nothing is parked under this key\n")

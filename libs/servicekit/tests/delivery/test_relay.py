"""What was committed reaches Kafka, in order per key, whatever restarts meanwhile."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import accumulate
from uuid import UUID

import asyncpg
import pytest
from aiokafka import TopicPartition
from contracts.catalogue import TOPICS
from contracts.info import ArticleWithdrawn
from servicekit.delivery import metrics
from servicekit.delivery import relay as relaying
from servicekit.delivery.depth import watch_outbox
from servicekit.delivery.lanes import Outcome, _partition
from servicekit.delivery.relay import Relay
from sqlalchemy import text
from structlog.testing import capture_logs

from deploy.local.postgres import LocalPostgres
from deploy.testing import Database, Templates, until
from deploy.testing.databases import opened

TOPIC = ArticleWithdrawn.topic
INSERT = text(
    """insert into outbox (topic, key, headers, value, time)
    select :topic, :key, '{}', :value, '2026-11-24T10:00:00Z' from generate_series(1, :times)"""
)


@pytest.fixture
def relay(database, kafka, settings):
    return Relay(settings(database.dsn, kafka.access("info")))


async def left(database: Database) -> int:
    async with database.engine.connect() as connection:
        return await connection.scalar(text("select count(*) from outbox"))


def has_left(database: Database, count: int) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        return await left(database) == count

    return has


def is_empty(database: Database) -> Callable[[], Awaitable[bool]]:
    return has_left(database, 0)


async def tell(database: Database, articles, *ids: UUID, times: int = 1) -> None:
    for _ in range(times):
        for article in ids:
            async with database.begin() as uow:
                await articles.withdraw(uow, article)


async def test_a_fact_reaches_kafka_and_its_row_is_forgotten(database, articles, relay, running, log):
    """INVARIANT: the record's own timestamp tells no more than the rounded time in its envelope."""
    [article] = await articles.create(database)
    async with running(relay):
        await tell(database, articles, article)
        await until(lambda: log.has(article, [1]))
        await until(is_empty(database))
    [record] = log.records
    headers = {name: value.decode() for name, value in record.headers}
    assert headers["ce_type"] == ArticleWithdrawn.type
    assert datetime.fromtimestamp(record.timestamp / 1000, UTC) == datetime.fromisoformat(headers["ce_time"])
    assert record.timestamp % 1000 == 0
    assert ArticleWithdrawn.model_validate_json(record.value).publication_id == article


async def test_a_relay_whose_database_is_read_only_sends_nothing_until_it_takes_writes(
    database, articles, relay, running, log, take_writes
):
    """INVARIANT: what can't be forgotten isn't sent: Kafka's disk would fill with it for as long as the database takes no writes."""
    [article] = await articles.create(database)
    await tell(database, articles, article)
    await take_writes(database, False)
    async with running(relay) as reading:
        with capture_logs() as lines:
            await asyncio.sleep(3)
        assert 0 < len([line for line in lines if line["event"] == "relay waits"]) < 8  # each time for longer
        await log.read()
        assert log.sequences[str(article)] == []
        assert await reading.part.is_live()
        await take_writes(database, True)
        await until(lambda: log.has(article, [1]), seconds=30)
        await until(is_empty(database))


async def test_a_relay_that_loses_its_lead_in_a_bad_round_leaves_nothing_that_is_sent_later(database, articles, relay, monkeypatch):
    """INVARIANT: a standby that takes over isn't followed by what the old leader's producer still held."""
    [article] = await articles.create(database)
    await tell(database, articles, article)

    async with relay._connected() as (connection, _):

        async def too_late(*_: object) -> Outcome:
            connection.terminate()
            return Outcome(broken=True, late={f"{TOPIC} {article}"})

        monkeypatch.setattr(relaying, "send", too_late)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await relay.round(connection)
    assert relay._producer is None
    assert relay._waiting() == [f"{TOPIC} {article}"]


async def test_two_relays_keep_the_order_of_every_key(database, articles, settings, kafka, running, log):
    """INVARIANT: one relay leads; a standby never overtakes it."""
    ids = await articles.create(database, 20)
    both = [Relay(settings(database.dsn, kafka.access("info"))) for _ in range(2)]
    async with running(both[0]), running(both[1]):
        await asyncio.gather(*(tell(database, articles, article, times=15) for article in ids))
        for article in ids:
            await until(lambda article=article: log.has(article, list(range(1, 16))))
        await until(is_empty(database))


async def test_when_the_leader_is_killed_another_goes_on(database, articles, settings, kafka, running, log):
    [article] = await articles.create(database)
    async with running(Relay(settings(database.dsn, kafka.access("info")))):
        async with running(Relay(settings(database.dsn, kafka.access("info"))), hard=True):
            await tell(database, articles, article, times=3)
            await until(lambda: log.has(article, [1, 2, 3]))
        await tell(database, articles, article)
        await until(lambda: _told_in_order(log, article, 4))
        await until(is_empty(database))


async def test_a_row_that_becomes_visible_late_is_not_skipped(database, articles, relay, running, log):
    """INVARIANT: rows are claimed by state, never by a high-water mark; a long-open transaction hides nothing for ever."""
    slow, fast = await articles.create(database, 2)
    async with running(relay):
        async with database.begin() as uow:
            await articles.withdraw(uow, slow)
            await uow.flush()  # it has the lower position, and commits later
            await tell(database, articles, fast)
            await until(lambda: log.has(fast, [1]))
            assert log.sequences[str(slow)] == []
        await until(lambda: log.has(slow, [1]))
    assert log.sequences == {str(fast): [1], str(slow): [1]}


@pytest.mark.parametrize("largest", [240_000, 10**6], ids=["refused by the relay", "refused by the broker"])
async def test_a_fact_that_is_refused_holds_back_its_key_and_no_other(database, articles, relay, running, log, largest, monkeypatch):
    """INVARIANT: no fact overtakes its predecessor, and a stopped key, however long, doesn't stop the others."""
    monkeypatch.setattr("servicekit.delivery.lanes.LARGEST_FACT", largest)
    [fine] = await articles.create(database)
    stuck = "00000000-0000-4000-8000-000000000001"
    large = random.Random(1).randbytes(300_000)  # noise can't be compressed below the topic's limit
    async with database.engine.begin() as connection:
        await connection.execute(INSERT, {"topic": TOPIC, "key": stuck, "value": large, "times": 1})
        await connection.execute(INSERT, {"topic": TOPIC, "key": stuck, "value": b"small", "times": 5000})
    async with running(relay):
        await tell(database, articles, fine, times=3)
        await until(lambda: log.has(fine, [1, 2, 3]))
        await tell(database, articles, fine)
        await until(lambda: log.has(fine, [1, 2, 3, 4]), seconds=30)
        assert log.sequences[stuck] == []
        await until(has_left(database, 5001))
        assert log.sequences[stuck] == []
        async with database.engine.begin() as connection:
            await connection.execute(text("delete from outbox where length(value) > 1000"))
        await until(is_empty(database), seconds=20)


async def test_a_topic_that_kafka_does_not_have_holds_back_its_own_facts_only(database, articles, relay, running, log):
    [fine] = await articles.create(database)
    async with database.engine.begin() as connection:
        await connection.execute(INSERT, {"topic": "info.unheard.v1", "key": str(fine), "value": b"{}", "times": 1})
    async with running(relay):
        await tell(database, articles, fine)
        await until(lambda: log.has(fine, [1]))
        await tell(database, articles, fine)
        await until(lambda: log.has(fine, [1, 2]))
        await until(has_left(database, 1))


async def test_the_relay_starts_without_kafka_and_shows_what_waits(database, articles, settings, running, monkeypatch):
    """INVARIANT: nothing stays stuck unnoticed."""
    monkeypatch.setattr("servicekit.delivery.depth.WATCH_SECONDS", 0.1)
    monkeypatch.setattr("servicekit.delivery.depth.STUCK_SECONDS", 0.5)
    [article] = await articles.create(database)
    relay = Relay(settings(database.dsn, "127.0.0.1:1"))
    await tell(database, articles, article, times=3)
    with capture_logs() as lines:
        watching = asyncio.create_task(watch_outbox(database.engine, []))
        async with running(relay):

            async def three_wait() -> bool:
                said = [line["rows"] for line in lines if line["log_level"] == "error"]
                seen = [one.labels(ArticleWithdrawn.topic)._value.get() for one in (metrics.outbox_rows, metrics.outbox_oldest_seconds)]
                return seen[0] == 3 and seen[1] > 0.5 and said[:1] == [3]

            await until(three_wait)
            assert await relay.is_live()
        watching.cancel()
    assert await left(database) == 3


async def test_a_fact_wakes_the_relay_at_once_and_a_look_finds_what_told_nobody(database, articles, relay, running, log, monkeypatch):
    """INVARIANT: NOTIFY makes it quick, and isn't needed: a look at most a second later finds the row."""
    article, silent = await articles.create(database, 2)
    monkeypatch.setattr("servicekit.delivery.relay.POLL", 60.0)
    async with running(relay):
        await tell(database, articles, article)
        await until(lambda: log.has(article, [1]))
        await asyncio.sleep(0.5)  # it sleeps for a minute now, unless it is woken
        await tell(database, articles, article)
        await until(lambda: log.has(article, [1, 2]), seconds=30)
        monkeypatch.undo()
        await tell(database, articles, article)
        await until(lambda: log.has(article, [1, 2, 3]), seconds=30)
        async with database.engine.begin() as connection:
            await connection.execute(INSERT, {"topic": TOPIC, "key": str(silent), "value": b"{}", "times": 1})
        await until(lambda: log.has(silent, [0]), seconds=30)


async def test_what_has_gathered_goes_window_by_window_without_a_pause(database, articles, relay, running, log, monkeypatch):
    """INVARIANT: nothing wakes the relay for facts that one round left."""
    [article] = await articles.create(database)
    monkeypatch.setattr("servicekit.delivery.relay.WINDOW", 10)
    monkeypatch.setattr("servicekit.delivery.relay.POLL", 60.0)
    await tell(database, articles, article, times=35)
    async with running(relay):
        await until(is_empty(database), seconds=30)
        await until(lambda: log.has(article, list(range(1, 36))))


async def test_a_producer_that_is_out_of_step_is_made_anew(database, articles, relay, running, log):
    """INVARIANT: after OutOfOrderSequenceNumber, which the broker never forgives, facts go on with a new producer, in order."""
    [article] = await articles.create(database)
    partition = TopicPartition(TOPIC, _partition(str(article), TOPICS[TOPIC].partitions))
    with capture_logs() as lines:
        async with running(relay):
            await tell(database, articles, article, times=2)
            await until(lambda: log.has(article, [1, 2]))
            await until(is_empty(database))
            broken = relay._producer
            broken._txn_manager.increment_sequence_number(partition, 7)  # what the broker expects is 7 less
            await tell(database, articles, article, times=3)
            await until(lambda: log.has(article, [1, 2, 3, 4, 5]), seconds=20)
            await until(is_empty(database))
            assert relay._producer is not broken
    assert {line["reason"] for line in lines if line["event"] == "fact was refused"} == {"OutOfOrderSequenceNumber"}


@asynccontextmanager
async def own_cluster(articles, prepare):
    """A cluster that a test may crash, with the publisher's database."""
    cluster = LocalPostgres(fsync=True).start()
    try:
        templates = Templates(cluster.dsn)
        async with templates.copy("own", prepare) as dsn, opened("info", dsn) as database:
            yield cluster, database
    finally:
        cluster.stop()


async def test_relay_and_standby_survive_crashes_of_their_database(prepare, articles, settings, kafka, running, log):
    """INVARIANT: a command that was answered is told, though the database crashed meanwhile; none is told out of order."""
    async with own_cluster(articles, prepare) as (cluster, database):
        ids = await articles.create(database, 8)
        told = dict.fromkeys(ids, 0)

        async def write(article: UUID, until_told: int) -> None:
            while told[article] < until_told:
                try:
                    async with database.begin() as uow:
                        last = await articles.withdraw(uow, article)
                    told[article] = last
                except Exception:  # away: the client tries again
                    await asyncio.sleep(0.05)

        where = settings(database.dsn, kafka.access("info"))
        leads, stands_by = Relay(where), Relay(where)
        async with running(leads), running(stands_by):
            for round_number in (1, 2, 3):
                writing = asyncio.gather(*(write(article, 20 * round_number) for article in ids))
                await until(lambda number=round_number: _any(told, 20 * number - 15))
                cluster.crash()
                await asyncio.to_thread(cluster.start)
                await writing
            await until(is_empty(database), seconds=20)
            for article in ids:
                last = told[article]
                await until(lambda article=article, last=last: _told_in_order(log, article, last))


async def _any(told: dict[UUID, int], least: int) -> bool:
    return any(last >= least for last in told.values())


async def _told_in_order(log, article: UUID, last: int) -> bool:
    """Nothing is missing; a repeat may follow a crash, also between what the other relay still sends, a jump may not."""
    await log.read()
    sequences = log.sequences[str(article)]
    assert all(after <= highest + 1 for highest, after in zip(accumulate([0, *sequences], max), sequences, strict=False))
    return sorted(set(sequences)) == list(range(1, last + 1))

"""What the border tells, and when: per bucket, shuffled, and with no id that leads back. Real PostgreSQL."""

import asyncio
import re
import time
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from contracts.dialog import HandoffWithdrawn
from helpjourney.handlers.binding import BindOffer, bind_offer
from helpjourney.store.claims import holders, offers
from helpjourney.store.journeys import border_buckets, count_claim, journeys, open_bucket
from helpjourney.timers import timers
from helpjourney_givens import BUCKET, KEEPING, OPENER, OWN_KEY, SUMMARY, Given, a_typed_offer, an_offer, born, offered, presented
from servicekit.claim_secret import open_summary
from servicekit.crypto import CannotOpenError, decrypt, hkdf, open_sealed
from servicekit.delivery.outbox import Begin
from servicekit.idempotency import once
from servicekit.timers import run_due
from sqlalchemy import inspect, select, text

from deploy.testing import Database, told, until

HOUR = timedelta(seconds=BUCKET)


@pytest.fixture
def database(database: Database) -> Database:
    """A bucket has just begun by its clock: what a test does in a moment lies in one bucket, also when it's a minute to twelve."""
    return database.moved(-timedelta(seconds=time.time() % BUCKET))


async def claim(database: Database, given: Given, begin: Begin | None = None) -> UUID:
    opened = begin or database.begin
    await offered(database, given)
    token = await presented(opened, given)
    async with opened() as uow:
        command = BindOffer(token, uuid4(), await uow.now(), born(15), BUCKET, KEEPING)
        return await bind_offer(command, OPENER, uow)


async def no_sender(_: object) -> None:
    raise AssertionError


async def close_buckets(begin: Begin) -> None:
    border = {kind: timer for kind, timer in timers(no_sender).items() if kind.startswith("border.")}
    while await run_due(begin, border):
        pass


async def facts(database: Database) -> list[tuple[str, dict[str, object]]]:
    async with database.engine.connect() as connection:
        return [(fact.type, dict(fact.data)) for fact in await told(connection)]


async def test_claims_are_counted_by_need_when_the_bucket_is_over_and_not_before(database: Database) -> None:
    """INVARIANT: nothing that is told points at one claim."""
    for need in ("school", "school", "family"):
        await claim(database, an_offer(need=need))
    await close_buckets(database.begin)
    assert await facts(database) == []
    await close_buckets(database.begin_at(HOUR))
    told_now = await facts(database)
    counted = [data for name, data in told_now if name == "helpjourney.claims.counted.v1"]
    assert [row["counts"] for row in counted] == [[{"need": "family", "claimed": 1}, {"need": "school", "claimed": 2}]]
    assert counted[0]["bucket_seconds"] == BUCKET
    assert sum(name == "helpjourney.journey.started.v1" for name, _ in told_now) == 3


async def test_buckets_that_passed_while_nobody_was_there_are_told_each_for_itself(database: Database) -> None:
    await claim(database, an_offer())
    await claim(database, an_offer(life=timedelta(hours=3)), database.begin_at(HOUR))
    await close_buckets(database.begin_at(5 * HOUR))
    starts = [data["bucket_start"] for name, data in await facts(database) if name == "helpjourney.claims.counted.v1"]
    assert len(set(starts)) == 2


async def test_starts_of_one_bucket_come_in_no_order(database: Database) -> None:
    """INVARIANT: the order of the starts says nothing of the order of the claims."""
    orders = []
    for hours in range(4):
        begin = database.begin_at(hours * HOUR)
        claimed = [await claim(database, an_offer(summary=None, life=timedelta(days=1)), begin) for _ in range(6)]
        await close_buckets(database.begin_at((hours + 1) * HOUR))
        started = [UUID(str(data["journey_id"])) for name, data in await facts(database) if name == "helpjourney.journey.started.v1"]
        orders.append([claimed.index(one) for one in started[-6:]])
    assert any(order != sorted(order) for order in orders)


async def test_claims_that_race_with_the_closing_of_their_bucket_are_all_counted(database: Database) -> None:
    """INVARIANT: no claim is lost between two buckets."""
    given = [an_offer(summary=None) for _ in range(10)]
    claims = [claim(database, one) for one in given]
    await asyncio.gather(*claims, *(close_buckets(database.begin_at(HOUR)) for _ in range(3)))
    for _ in range(2):
        await close_buckets(database.begin_at(HOUR))
    told_now = await facts(database)
    counts = [row["claimed"] for name, data in told_now if name == "helpjourney.claims.counted.v1" for row in data["counts"]]  # type: ignore[attr-defined]
    assert sum(counts) == 10
    assert sum(name == "helpjourney.journey.started.v1" for name, _ in told_now) == 10


async def test_no_time_in_a_journey_is_more_exact_than_its_bucket(database: Database) -> None:
    """INVARIANT: a journey's row doesn't say when in its bucket it was claimed."""
    await claim(database, an_offer())
    async with database.engine.connect() as connection:
        row = (await connection.execute(select(journeys))).one()
    times = [value for value in row if isinstance(value, datetime)]
    assert len(times) == 3
    assert all(time.timestamp() % BUCKET == 0 for time in times)


async def test_a_bucket_does_not_close_while_a_claim_is_in_it(database: Database) -> None:
    """INVARIANT: closing waits for the transaction that has the bucket, from its first look at it."""
    await claim(database, an_offer())
    async with database.engine.connect() as connection:
        bucket = (await connection.execute(select(border_buckets))).one()

    async def waits() -> bool:
        query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        async with database.engine.connect() as connection:
            return bool(await connection.scalar(text(query)))

    async with database.begin() as uow:
        assert await open_bucket(uow.connection, bucket.starts_at, bucket.seconds) == (bucket.id, False)
        closing = asyncio.create_task(close_buckets(database.begin_at(HOUR)))
        await until(waits)
        await count_claim(uow.connection, bucket.id, "rights")
    await closing
    counts = [data["counts"] for name, data in await facts(database) if name == "helpjourney.claims.counted.v1"]
    assert counts == [[{"need": "mental_health", "claimed": 1}, {"need": "rights", "claimed": 1}]]


async def test_with_our_private_key_in_hand_an_unclaimed_summary_cannot_be_read(database: Database) -> None:
    """INVARIANT: unclaimed, withdrawn or expired text can be read by nobody."""
    for given in (an_offer(), a_typed_offer()):
        await offered(database, given)
        await presented(database.begin, given)
    async with database.engine.connect() as connection:
        sealed = list(await connection.scalars(select(offers.c.sealed_summary)))
        held = list(await connection.scalars(select(holders.c.sealed_secret)))
        names = list(await connection.scalars(select(holders.c.id_hash)))
        everything = repr([row for table in await _tables(database) for row in await connection.execute(text(f"select * from {table}"))])
    assert len(sealed) == len(held) == 2
    assert SUMMARY not in everything
    for key in [*names, *(sha256(name).digest() for name in names), bytes(32), OPENER.vault.wrapping_key]:
        for one in held:  # what the table says of a browser isn't its key
            with pytest.raises(CannotOpenError):
                decrypt(hkdf(key, "holder"), one, b"holders")
    for one in sealed:
        inner = open_sealed(one, OWN_KEY)  # what the private key opens ...
        assert SUMMARY.encode() not in inner
        for key in [bytes(32), *(secret[-32:] for secret in held), *(secret[:32] for secret in held), OPENER.vault.wrapping_key]:
            with pytest.raises(CannotOpenError):  # ... isn't the text, and nothing in the tables opens the rest
                open_summary(one, key, OWN_KEY)


ANONYMOUS_SIDE = {"offers", "withdrawn_early", "holders", "spent_secrets", "tries", "inbox", "inbox_keys", "parked_events"}
IDS = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?:[0-9a-f]{32})?")


async def test_no_id_is_common_to_the_two_sides_of_the_border(database: Database) -> None:
    """INVARIANT: no table, fact or receipt of a journey holds an id of an offer, and the other way round."""
    given, other = an_offer(), an_offer()
    journey_id = await claim(database, given)
    await offered(database, other, HandoffWithdrawn(handoff_id=other.key))
    await close_buckets(database.begin_at(HOUR))
    async with database.engine.connect() as connection:
        tables = {table: repr([*await connection.execute(text(f"select * from {table}"))]) for table in await _tables(database)}
        told_now = await told(connection)
    before = set(IDS.findall(" ".join(rows for table, rows in tables.items() if table in ANONYMOUS_SIDE)))
    after = set(IDS.findall(" ".join(rows for table, rows in tables.items() if table not in ANONYMOUS_SIDE)))
    after |= set(IDS.findall(" ".join(f"{fact.key} {fact.headers} {fact.data}" for fact in told_now)))
    assert {str(other.key), given.event.lookup_hash} <= before
    assert str(given.key) not in before, "a claimed offer's id is forgotten, by the inbox too"
    assert str(journey_id) in after
    assert not before & after
    assert not any("ce_causationid" in fact.headers for fact in told_now)


async def test_no_transaction_number_joins_a_spent_secret_with_its_journey(database: Database) -> None:
    """INVARIANT: PostgreSQL's own row versions (xmin) don't link them once the bucket is over."""
    given = an_offer()
    await offered(database, given)
    token = await presented(database.begin, given)
    async with database.begin() as uow:
        command = BindOffer(token, uuid4(), await uow.now(), born(15), BUCKET, KEEPING)

        async def act() -> dict[str, str]:
            return {"journey": str(await bind_offer(command, OPENER, uow))}

        await once(uow, b"k" * 32, b"f", act)
    await close_buckets(database.begin_at(HOUR))
    async with database.engine.connect() as connection:
        spent = set(await connection.scalars(text("select xmin::text from spent_secrets")))
        claims = "select xmin::text from journeys union all select xmin::text from idempotency_keys"
        assert spent
        joined = await connection.scalar(text(f"select count(*) from ({claims}) as known(x) where x = any(:spent)"), {"spent": list(spent)})
    assert joined == 0


async def _tables(database: Database) -> list[str]:
    async with database.engine.connect() as connection:
        return [name for name in await connection.run_sync(lambda sync: inspect(sync).get_table_names()) if name != "alembic_version"]

"""Several relays of one service: each key has one leader at a time, whatever number of shards they count with."""

import asyncio
from itertools import pairwise

import asyncpg
import pytest
from servicekit.database import driver_dsn
from servicekit.delivery.relay import _LEAD, _NEXT, SLOTS, Relay
from sqlalchemy import text

from deploy.testing import until


@pytest.fixture
def sharded(database, kafka, settings):
    """The relays of one process with so many shards."""

    def sharded(shards: int) -> list[Relay]:
        where = settings(database.dsn, kafka.access("info"))
        return [Relay(where, shard=shard, shards=shards) for shard in range(shards)]

    return sharded


async def tell(database, articles, article, times: int) -> None:
    for _ in range(times):
        async with database.begin() as uow:
            await articles.withdraw(uow, article)


async def test_four_shards_with_standbys_keep_the_order_of_every_key_through_a_takeover(database, articles, sharded, running, log):
    """INVARIANT: one relay per shard leads, a standby waits and then takes over; no key's facts are turned round or lost."""
    ids = await articles.create(database, 24)
    leaders, standbys = sharded(4), sharded(4)
    tasks = [asyncio.create_task(relay.run(asyncio.Event())) for relay in leaders]
    stop = asyncio.Event()
    try:
        writing = [asyncio.create_task(tell(database, articles, article, 20)) for article in ids]
        await until(lambda: _has_some(log, 40))
        tasks += [asyncio.create_task(relay.run(stop)) for relay in standbys]
        for task in tasks[:4]:
            task.cancel()
        await asyncio.gather(*writing)
        for article in ids:
            await until(lambda article=article: _in_order(log, article, 20), seconds=30)
    finally:
        stop.set()
        await asyncio.wait(tasks, timeout=20)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from outbox")) == 0


async def _has_some(log, count: int) -> bool:
    await log.read()
    return len(log.records) >= count


async def _in_order(log, article, last: int) -> bool:
    """A takeover may repeat facts, it may not jump over one."""
    await log.read()
    sequences = log.sequences[str(article)]
    assert all(after <= before + 1 for before, after in pairwise([0, *sequences]))
    return sorted(set(sequences)) == list(range(1, last + 1))


@pytest.fixture
async def connections(database):
    made = [await asyncpg.connect(driver_dsn(database.dsn)) for _ in range(2)]
    yield made
    for connection in made:
        await connection.close()


@pytest.mark.parametrize("others", [1, 2, 4, 8, 16])
async def test_relays_that_count_with_different_shards_never_lead_for_one_key(connections, others):
    """INVARIANT: while a changed shard count is rolled out, old and new relays keep away from each other's keys."""
    ours, theirs = connections
    for shard in range(4):
        async with ours.transaction():
            assert await ours.fetchval(_LEAD, 4, shard, SLOTS)
            for other in range(others):
                shared = set(range(shard, SLOTS, 4)) & set(range(other, SLOTS, others))
                async with theirs.transaction():
                    assert await theirs.fetchval(_LEAD, others, other, SLOTS) is not bool(shared)


async def test_every_key_belongs_to_exactly_one_shard(database, articles, connections):
    ids = await articles.create(database, 200)
    for article in ids:
        await tell(database, articles, article, 1)
    shares = [await connections[0].fetch(_NEXT, 4, shard, [], 1000) for shard in range(4)]
    keys = [row["key"] for share in shares for row in share]
    assert sorted(keys) == sorted(map(str, ids))
    assert all(len(share) > 20 for share in shares)


@pytest.mark.parametrize(("shard", "shards"), [(0, 3), (4, 4), (-1, 2)])
def test_a_share_that_there_is_not_is_refused(settings, shard, shards):
    with pytest.raises(ValueError, match="shards"):
        Relay(settings("postgresql://localhost/info"), shard=shard, shards=shards)

"""Page counts: minutes, classes and languages; nothing of who read."""

from datetime import timedelta

import pytest
from contracts.codes import PageClass
from info.store import usage_counts
from info.timers import TIMERS
from info.usage import UsageCounter, tell_usage
from servicekit.timers import Every
from sqlalchemy import select

from deploy.testing import told

LATER = timedelta(minutes=2)


async def tell(database, offset=LATER):
    async with database.begin_at(offset)() as uow:
        await tell_usage(uow, None)
    async with database.begin() as uow:
        return [fact for fact in await told(uow.connection) if fact.type == "info.usage.counted.v1"]


async def test_page_views_are_told_by_the_minute_when_it_is_over(database):
    counter = UsageCounter()
    for _ in range(3):
        counter.count(PageClass.ARTICLE, "nb")
    counter.count(PageClass.FRONT, "nn")
    await counter.flush(database.begin)
    counter.count(PageClass.ARTICLE, "nb")
    await counter.flush(database.begin_at(timedelta(0)))
    facts = await tell(database)
    counts = {(row["page_class"], row["language"]): 0 for fact in facts for row in fact.data["counts"]}
    for fact in facts:
        for row in fact.data["counts"]:
            counts[row["page_class"], row["language"]] += row["count"]
    assert counts == {("article", "nb"): 4, ("front", "nn"): 1}
    assert {fact.sequence for fact in facts} == {1}
    assert {fact.data["bucket_seconds"] for fact in facts} == {60}


async def test_the_running_minute_is_not_told_and_nothing_is_told_twice(database):
    """INVARIANT: a count is told once, when nobody can add to it any more."""
    counter = UsageCounter()
    counter.count(PageClass.SEARCH, "en")
    far = timedelta(days=1)
    await counter.flush(database.begin_at(far))
    assert await tell(database, timedelta(0)) == []
    assert len(await tell(database, far + LATER)) == 1
    assert len(await tell(database, far + LATER)) == 1


async def test_a_bucket_holds_counts_and_nothing_else(database):
    """INVARIANT: no session, address, page, time of day or person is in what we tell or store."""
    counter = UsageCounter()
    counter.count(PageClass.ANSWER, "nb")
    await counter.flush(database.begin)
    assert {column.name for column in usage_counts.columns} == {"bucket_start", "page_class", "language", "count"}
    (fact,) = await tell(database)
    assert set(fact.data) == {"bucket_id", "bucket_start", "bucket_seconds", "counts"}
    assert set(fact.data["counts"][0]) == {"page_class", "language", "count"}
    assert fact.key.version == 4
    assert fact.time.second == 0


async def test_counts_are_kept_when_the_database_is_away(database):
    counter = UsageCounter()
    counter.count(PageClass.FRONT, "nb")

    def away():
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        await counter.flush(away)
    await counter.flush(database.begin)
    async with database.begin() as uow:
        assert await uow.connection.scalar(select(usage_counts.c.count)) == 1


def test_a_timer_tells_the_counts():
    assert TIMERS["usage.tell"] == Every(15, tell_usage)

"""Logins are counted in buckets of time, and told without any person."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.identity import LoginsCounted
from identity.domain.ages import band_of
from identity.domain.clients import read_login_request, registered
from identity.domain.providers import Refusal
from identity.handlers.logins import TurnAway, turn_away
from identity.store.logins import delete_old
from identity.timers import timers
from identity_world import DAUGHTER, DAUGHTER_BORN, RawClient, World, query_of
from servicekit.timers import Every
from sqlalchemy import text

from deploy.testing import told

SECONDS = 2


async def count_now(world: World, later: timedelta) -> list[LoginsCounted]:
    """Runs the timer some time later and reads what was told about counts."""
    timer = timers(SECONDS)["logins.count"]
    assert isinstance(timer, Every)
    async with world.identity.begin_at(later)() as uow:
        await timer.run(uow, None)
    async with world.identity.begin() as uow:
        facts = [fact for fact in await told(uow.connection) if fact.type == LoginsCounted.type]
    assert all(fact.key == UUID(str(fact.data["bucket_id"])) and fact.sequence == 1 for fact in facts)
    return [LoginsCounted.model_validate(fact.data) for fact in facts]


async def test_logins_are_told_when_their_bucket_is_over(world: World) -> None:
    """INVARIANT: counts by outcome, level and age band; no person, no client, no exact time."""
    raw = RawClient(world)
    await raw.code(DAUGHTER)
    request = read_login_request(query_of(raw.request()), registered({"helpjourney": world.ports.min_url}))
    async with world.identity.begin() as uow:
        await turn_away(TurnAway(request, Refusal.NO_NATIONAL_ID, SECONDS), uow)
        await turn_away(TurnAway(request, Refusal.NO_NATIONAL_ID, SECONDS), uow)
        await turn_away(TurnAway(request, Refusal.FAILED, SECONDS), uow)
    counted = [count for fact in await count_now(world, timedelta(seconds=SECONDS)) for count in fact.counts]
    totals = {(str(count.outcome), str(count.age_band)): count.count for count in counted}
    hers = str(band_of(DAUGHTER_BORN, datetime.now(UTC)))
    assert totals == {("completed", hers): 1, ("no_national_id", "unknown"): 2, ("failed", "unknown"): 1}
    before = await count_now(world, timedelta(seconds=SECONDS * 2))
    assert len(before) == len({fact.bucket_id for fact in before})
    assert sum(count.count for fact in before for count in fact.counts) == 4


async def test_staff_are_not_counted_with_youths(world: World) -> None:
    await RawClient(world, "helpjourney", "staff").code()
    assert await count_now(world, timedelta(seconds=SECONDS)) == []


async def test_a_bucket_that_is_not_over_stays(world: World) -> None:
    await RawClient(world).code()
    timer = timers(3600)["logins.count"]
    assert isinstance(timer, Every)
    async with world.identity.begin() as uow:
        await uow.connection.execute(text("update login_tallies set bucket_start = date_trunc('hour', now())"))
        await timer.run(uow, None)
    async with world.identity.begin() as uow:
        assert await told(uow.connection) == []


async def test_logins_are_forgotten_a_day_after_they_are_over(world: World) -> None:
    """INVARIANT: who logged in where and when isn't kept; the person's own row stays, so that she is known again."""
    raw = RawClient(world)
    await raw.exchange(await raw.code())
    for later, left in ((timedelta(hours=25), 1), (timedelta(hours=27), 0)):
        async with world.identity.begin_at(later)() as uow:
            await delete_old(uow.connection, await uow.now())
        async with world.identity.begin() as uow:
            for table in ("logins", "codes", "refresh_tokens"):
                assert await uow.connection.scalar(text(f"select count(*) from {table}")) == left, table
            assert await uow.connection.scalar(text("select count(*) from used_assertions")) == 0
    assert await world.people() == 1

"""Due work is done once: by one of several replicas, after a time away, and again when it failed."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from contracts.info import ArticleWithdrawn
from servicekit import overdue
from servicekit.delivery.outbox import UnitOfWork
from servicekit.timers import Every, ensure_recurring, run_due, run_timers, with_housekeeping
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from deploy.testing import Database, told, until

HOUR = timedelta(hours=1)


class Work:
    """What a timer does; says how often, and for whom."""

    def __init__(self) -> None:
        self.done: Counter[UUID | None] = Counter()
        self.error: Exception | None = None

    async def __call__(self, uow: UnitOfWork, subject: UUID | None) -> None:
        await uow.connection.execute(
            text("insert into effects values (:id, 1, 0, 0) on conflict (id) do update set times = effects.times + 1"),
            {"id": subject or UUID(int=0)},
        )
        self.done[subject] += 1
        if self.error:
            raise self.error


@pytest.fixture
def work():
    return Work()


async def schedule(database: Database, *subjects: UUID | None, due: timedelta = -HOUR, kind: str = "expire") -> None:
    async with database.begin() as uow:
        for subject in subjects:
            uow.schedule(kind, await uow.now() + due, subject)


async def rows(database: Database) -> dict[tuple[str, UUID | None], tuple[float, int]]:
    """Seconds until due, and attempts."""
    async with database.engine.connect() as connection:
        found = await connection.execute(text("select kind, subject, extract(epoch from due_at - now()) as wait, attempts from timers"))
        return {(row.kind, row.subject): (float(row.wait), row.attempts) for row in found}


async def effects(database: Database) -> dict[UUID, int]:
    async with database.engine.connect() as connection:
        return {row.id: row.times for row in await connection.execute(text("select id, times from effects"))}


async def test_due_work_is_done_once_and_what_is_not_due_waits(database, work):
    now, later = uuid4(), uuid4()
    await schedule(database, now)
    await schedule(database, later, due=HOUR)
    assert [await run_due(database.begin, {"expire": work}) for _ in range(2)] == [1, 0]
    assert work.done == {now: 1}
    assert list(await rows(database)) == [("expire", later)]
    assert await run_due(database.begin_at(2 * HOUR), {"expire": work}) == 1


async def test_several_replicas_do_each_thing_once(database, work):
    """INVARIANT: due work is done once, however many look for it."""
    subjects = [uuid4() for _ in range(60)]
    await schedule(database, *subjects)
    stop = asyncio.Event()
    replicas = [asyncio.create_task(run_timers(database.begin, {"expire": work, "sweep": Every(3600, work)}, stop)) for _ in range(4)]

    async def nothing_left():
        return not [1 for (kind, _), (wait, _) in (await rows(database)).items() if kind == "expire" or wait < 0]

    await until(nothing_left)
    stop.set()
    await asyncio.gather(*replicas)
    assert await effects(database) == dict.fromkeys(subjects, 1) | {UUID(int=0): 1}


async def test_recurring_work_runs_once_after_a_time_when_nobody_was_there(database, work):
    """INVARIANT: after downtime each due thing runs once, not once per time that was missed."""
    timers = {"sweep": Every(60, work)}
    await ensure_recurring(database.begin, timers)
    assert await run_due(database.begin, timers) == 1
    tomorrow = database.begin_at(timedelta(days=1))
    await ensure_recurring(tomorrow, timers)
    assert [await run_due(tomorrow, timers) for _ in range(3)] == [1, 0, 0]
    assert work.done == {None: 2}


@pytest.mark.parametrize("error", [LookupError(), TimeoutError(), ConnectionResetError()], ids=lambda error: type(error).__name__)
async def test_failed_work_leaves_nothing_and_is_tried_again_later(database, work, error):
    """INVARIANT: what a timer does and its row change together, and one that always fails holds up no other."""
    broken, fine = uuid4(), uuid4()
    await schedule(database, broken, due=-2 * HOUR)
    await schedule(database, fine)
    failing = Work()
    failing.error = error

    async def some_fail(uow: UnitOfWork, subject: UUID | None) -> None:
        uow.tell(ArticleWithdrawn(publication_id=uuid4()), key=uuid4(), sequence=1)
        await (failing if subject == broken else work)(uow, subject)

    assert await run_due(database.begin, {"expire": some_fail}) == 2
    assert await effects(database) == {fine: 1}
    async with database.engine.connect() as connection:
        assert len(await told(connection)) == 1
    wait, attempts = (await rows(database))["expire", broken]
    assert -60 < wait < 5  # seconds: not two hours ago, as it was, however slowly this came here
    assert attempts == 1
    assert await run_due(database.begin_at(HOUR), {"expire": work}) == 1
    assert await rows(database) == {}


async def test_a_database_that_goes_away_counts_as_no_try(database):
    """INVARIANT: who comes back finds due work due, not put off."""
    subject = uuid4()
    await schedule(database, subject)

    async def goes_away(uow: UnitOfWork, _: UUID | None) -> None:
        await uow.connection.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DBAPIError):
        await run_due(database.begin, {"expire": goes_away})
    wait, attempts = (await rows(database))["expire", subject]
    assert wait < 0
    assert attempts == 0


async def test_a_timer_that_is_moved_while_it_runs_keeps_its_new_time(database):
    """INVARIANT: a command that holds its aggregate never waits for the timer that waits for the aggregate."""
    subject = uuid4()
    async with database.engine.begin() as connection:
        await connection.execute(text("insert into articles values (:id, 0)"), {"id": subject})
    await schedule(database, subject)
    lock = text("select told from articles where id = :id for update")

    async def expire(uow: UnitOfWork, article: UUID | None) -> None:
        await uow.connection.execute(lock, {"id": article})

    async with database.begin() as uow:
        await uow.connection.execute(lock, {"id": subject})
        running = asyncio.create_task(run_due(database.begin, {"expire": expire}))

        async def expire_waits():
            async with database.engine.connect() as connection:
                waiting = text("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
                return await connection.scalar(waiting)

        await until(expire_waits)
        uow.schedule("expire", await uow.now() + HOUR, subject)
    assert await running == 1
    assert (await rows(database))["expire", subject][0] > 3000


async def test_a_timer_may_schedule_itself(database):
    subject = uuid4()
    await schedule(database, subject)

    async def again(uow: UnitOfWork, article: UUID | None) -> None:
        uow.schedule("expire", await uow.now() + HOUR, article)

    assert [await run_due(database.begin, {"expire": again}) for _ in range(2)] == [1, 0]
    assert (await rows(database))["expire", subject][0] > 3000


async def test_work_of_an_unknown_kind_is_left_to_the_version_that_knows_it(database, work):
    subject = uuid4()
    await schedule(database, subject, kind="newer")
    assert await run_due(database.begin, {"expire": work}) == 0
    assert ("newer", subject) in await rows(database)


async def test_receipts_and_expired_sessions_are_forgotten_when_their_time_is_up(database):
    """INVARIANT: receipts outlive retention and replay (35 days), sessions their end by nothing."""
    async with database.engine.begin() as connection:
        for statement in (
            "insert into inbox values ('info', gen_random_uuid(), now())",
            "insert into inbox_keys values ('info', 't', 'k', 1, now())",
            """insert into browser_sessions (id_hash, state, created_at, seen_at, expires_at)
            values ('\\x00', '{}', now(), now(), now() + interval '2 hours')""",
        ):
            await connection.execute(text(statement))

    async def left(after: timedelta) -> list[int]:
        begin = database.begin_at(after)
        await ensure_recurring(begin, with_housekeeping({}))
        await run_due(begin, with_housekeeping({}))
        async with database.engine.connect() as connection:
            return [await connection.scalar(text(f"select count(*) from {name}")) for name in ("inbox", "inbox_keys", "browser_sessions")]

    assert await left(HOUR) == [1, 1, 1]
    assert await left(3 * HOUR) == [1, 1, 0]
    assert await left(timedelta(days=34)) == [1, 1, 0]
    assert await left(timedelta(days=36)) == [0, 0, 0]


async def test_due_work_that_is_not_done_is_shown_and_told(database, work, monkeypatch):
    """INVARIANT: nothing stays stuck unnoticed: work that nobody does, and work that fails each time, of all that is due some day."""
    monkeypatch.setattr(overdue, "LOOK_SECONDS", 0.05)
    work.error = RuntimeError()
    await schedule(database, uuid4())
    for _ in range(overdue.STUCK_ATTEMPTS):
        assert await run_due(database.begin, {"expire": work}) == 1
        async with database.engine.begin() as connection:
            await connection.execute(text("update timers set due_at = now() where attempts < :last"), {"last": overdue.STUCK_ATTEMPTS})
    await schedule(database, None, kind="sweep", due=-timedelta(seconds=70))
    await schedule(database, None, kind="remind", due=-timedelta(seconds=30))
    await schedule(database, None, kind="of a later release")
    await schedule(database, uuid4(), due=HOUR)
    kinds = ("sweep", "remind", "expire", "idle")

    async def said() -> bool:
        return {line["kind"] for line in lines if line["log_level"] == "error"} == {"sweep", "expire"}

    with capture_logs() as lines:
        watching = asyncio.create_task(overdue.watch_timers(database.begin, kinds))
        await until(said)
        late = {kind: overdue.LATE.labels(kind)._value.get() for kind in kinds}
        assert (late["sweep"] > 60, 20 < late["remind"] < 60, late["expire"], late["idle"]) == (True, True, 0, 0)
        assert [overdue.ATTEMPTS.labels(kind)._value.get() for kind in kinds] == [0, 0, overdue.STUCK_ATTEMPTS, 0]
        watching.cancel()
    assert len([line for line in lines if line["log_level"] == "error"]) == 2

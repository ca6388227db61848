"""Due work as rows: done once, by whichever replica comes first, also after a time when nobody was there."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from prometheus_client import Counter
from sqlalchemy import Row, text

from servicekit import crash, housekeeping
from servicekit.crash import Place
from servicekit.database import answers, is_away
from servicekit.delivery.outbox import Begin, UnitOfWork

POLL = 1.0
"""Seconds between two looks for due work, unless something is due earlier."""
SHORTEST_WAIT = 0.05
LOOK = 100
"""Due timers seen in one look."""
FIRST_BACK_OFF, LONGEST_BACK_OFF = 1.0, 300.0
"""Seconds until a failed timer is tried again; doubled each time."""
JITTER = 0.2
LONGEST_WAIT = timedelta(seconds=LONGEST_BACK_OFF * (1 + JITTER))
"""Until a failed timer is due again, at most."""

log = structlog.get_logger("timers")
_tracer = trace.get_tracer("servicekit.timers")
_runs = Counter("stegvis_timer_runs_total", "Timers run, by kind and how it went", ["kind", "outcome"])

TimerHandler = Callable[[UnitOfWork, UUID | None], Awaitable[None]]
"""`(uow, subject)`, in a transaction of its own. It locks the aggregate and looks whether the work is still to be done: the
youth may have acted in the same moment. Failure rolls everything back; it's tried again later."""


@dataclass(frozen=True, slots=True)
class Every:
    """Recurring work: its next time is set in the transaction that does it. After downtime it runs once, not once per time missed."""

    seconds: float
    run: TimerHandler


Timers = Mapping[str, TimerHandler | Every]
"""Kind -> what to do. Stands in a service's `timers.py`."""

_DUE = text("select kind, subject, due_at from timers where due_at <= :now and kind = any(:kinds) order by due_at limit :look")
_NEXT = text("select min(due_at) from timers where kind = any(:kinds)")
_CLAIM = text(
    """select pg_try_advisory_xact_lock(
      hashtextextended('timer/' || :kind || '/' || coalesce(cast(cast(:subject as uuid) as text), ''), 0))"""
)
_STILL = text("select attempts from timers where kind = :kind and subject is not distinct from cast(:subject as uuid) and due_at = :due_at")
_DONE = text("delete from timers where kind = :kind and subject is not distinct from cast(:subject as uuid) and due_at = :due_at")
_LATER = text(
    """update timers set due_at = :later, attempts = attempts + 1
    where kind = :kind and subject is not distinct from cast(:subject as uuid) and due_at = :due_at"""
)
_ENSURE = text(
    """insert into timers (kind, due_at) select kind, :now from unnest(cast(:kinds as text[])) as recurring(kind)
    on conflict (kind, subject) do nothing"""
)


async def run_timers(begin: Begin, timers: Timers, stop: asyncio.Event) -> None:
    """Do what is due until `stop` is set, the plumbing's own timers too. Any number of replicas may run this."""
    timers = with_housekeeping(timers)
    ensured = False
    while not stop.is_set():
        wait = POLL
        try:
            if not ensured:
                await ensure_recurring(begin, timers)
                ensured = True
            if await run_due(begin, timers, stop):
                continue
            wait = min(POLL, await _until_next(begin, timers))
        except Exception as error:
            log.warning("timers could not be looked at", exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)


def with_housekeeping(timers: Timers) -> Timers:
    """The service's timers and those that every service has."""
    return {**{kind: Every(seconds, work) for kind, (seconds, work) in housekeeping.WORK.items()}, **timers}


async def ensure_recurring(begin: Begin, timers: Timers) -> None:
    """Give each recurring timer its row, due now, unless it has one."""
    kinds = sorted(kind for kind, timer in timers.items() if isinstance(timer, Every))
    async with begin() as uow:
        await uow.connection.execute(_ENSURE, {"kinds": kinds, "now": await uow.now()})


async def run_due(begin: Begin, timers: Timers, stop: asyncio.Event | None = None) -> int:
    """One look: run each timer that is due, in its own transaction, until `stop` is set. Returns how many this replica ran."""
    async with begin() as uow:
        due = (await uow.connection.execute(_DUE, {"now": await uow.now(), "kinds": list(timers), "look": LOOK})).all()
    return sum([await _run_one(begin, timers[timer.kind], timer) for timer in due if stop is None or not stop.is_set()])


async def _until_next(begin: Begin, timers: Timers) -> float:
    async with begin() as uow:
        due: datetime | None = await uow.connection.scalar(_NEXT, {"kinds": list(timers)})
        return max((due - await uow.now()).total_seconds(), SHORTEST_WAIT) if due else POLL


async def _run_one(begin: Begin, timer: TimerHandler | Every, row: Row[tuple[str, UUID | None, datetime]]) -> bool:
    """Claim, run and forget one timer.

    The claim is an advisory lock, not a lock on the row: a command that holds its aggregate may move the timer meanwhile, and
    would otherwise wait for us while we wait for the aggregate. A timer that was moved keeps its new time.
    """
    which = {"kind": row.kind, "subject": row.subject, "due_at": row.due_at}
    async with begin() as uow:
        if not await uow.connection.scalar(_CLAIM, {"kind": row.kind, "subject": row.subject}):
            return False
        attempts = await uow.connection.scalar(_STILL, which)
        if attempts is None:
            return False
        crash.reach(Place.TIMER_CLAIMED)
        try:
            with _tracer.start_as_current_span(
                f"timer {row.kind}", context=Context(), attributes={"stegvis.timer": row.kind}, record_exception=False
            ):
                async with uow.connection.begin_nested():
                    await _run(uow, timer, row)
            crash.reach(Place.TIMER_DONE)
        except Exception as error:
            if is_away(error) and not await answers(uow.connection):
                raise
            uow.discard()
            later = await uow.now() + _back_off(attempts)
            await uow.connection.execute(_LATER, {**which, "later": later})
            _runs.labels(row.kind, "failed").inc()
            log.error("timer failed", kind=row.kind, attempts=attempts + 1, exc_info=error)
            return True
    crash.reach(Place.TIMER_COMMITTED)
    _runs.labels(row.kind, "done").inc()
    return True


async def _run(uow: UnitOfWork, timer: TimerHandler | Every, row: Row[tuple[str, UUID | None, datetime]]) -> None:
    handler = timer.run if isinstance(timer, Every) else timer
    await handler(uow, row.subject)
    await uow.connection.execute(_DONE, {"kind": row.kind, "subject": row.subject, "due_at": row.due_at})
    if isinstance(timer, Every):
        uow.schedule(row.kind, await uow.now() + timedelta(seconds=timer.seconds))
    await uow.flush()


def _back_off(attempts: int) -> timedelta:
    return timedelta(seconds=min(FIRST_BACK_OFF * 2 ** min(attempts, 20), LONGEST_BACK_OFF) * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - jitter

"""Due work that isn't done, seen by each process that serves or relays: one that is gone or hangs can't say so itself."""

import asyncio
import time
from collections.abc import Collection

import structlog
from prometheus_client import Gauge
from sqlalchemy import text

from servicekit.delivery.outbox import Begin
from servicekit.timers import LONGEST_WAIT

LOOK_SECONDS = 5.0
STUCK_SECONDS = 55.0
"""Lateness at which a line says so; with the time between two looks it is out before 60 s."""
STUCK_ATTEMPTS = 5
"""The same for work that fails again and again: about half a minute after its first time."""

LATE = Gauge("stegvis_timer_late_seconds", "How long the oldest due timer of a kind has waited, seconds", ["kind"])
ATTEMPTS = Gauge("stegvis_timer_attempts", "How often the timer of a kind that failed most often has failed in a row", ["kind"])

# What failed is due again soon, so that an index on the time finds it among all that is due some day.
_LOOK = text(
    """select kind, max(attempts) as attempts, greatest(0, max(extract(epoch from cast(:now as timestamptz) - due_at))) as late
    from timers where due_at <= cast(:now as timestamptz) + cast(:longest as interval) and kind = any(:kinds) group by kind"""
)

log = structlog.get_logger("timers")


async def watch_timers(begin: Begin, kinds: Collection[str]) -> None:
    """Show by kind how late its work is and how often it failed, until cancelled; say so once a minute when it is too much."""
    said = float("-inf")
    while True:
        try:
            async with begin() as uow:
                which = {"now": await uow.now(), "longest": LONGEST_WAIT, "kinds": list(kinds)}
                found = {row.kind: row for row in await uow.connection.execute(_LOOK, which)}
            for kind in kinds:
                row = found.get(kind)
                LATE.labels(kind).set(float(row.late) if row else 0)
                ATTEMPTS.labels(kind).set(row.attempts if row else 0)
            stuck = [row for row in found.values() if row.late > STUCK_SECONDS or row.attempts >= STUCK_ATTEMPTS]
            if stuck and time.monotonic() - said > STUCK_SECONDS:
                said = time.monotonic()
                for row in stuck:
                    log.error("due work is not done", kind=row.kind, attempts=row.attempts, seconds=round(row.late))
        except Exception as error:
            log.warning("timers can't be looked at", reason=type(error).__name__)
        await asyncio.sleep(LOOK_SECONDS)

"""How much waits in the outbox, seen by every process that writes or relays: a relay that is gone can't say so itself."""

import asyncio
import time
from collections.abc import Sequence

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from servicekit.delivery import metrics
from servicekit.delivery.parking import FREE, TOLD, count_parked

WATCH_SECONDS = 5.0
STUCK_SECONDS = 55.0
"""Age of the oldest fact at which a line says so; with the time between two looks it is out before 60 s."""

_DEPTH = text(
    f"""select topic, count(*) as rows, coalesce(extract(epoch from clock_timestamp() - min(written_at)), 0) as oldest
    from outbox where {FREE} group by topic"""  # noqa: S608 - both parts are ours
)

log = structlog.get_logger("outbox")


async def watch_outbox(engine: AsyncEngine, topics: Sequence[str]) -> None:
    """Show how much waits, by topic, until cancelled; say so once a minute when it has waited too long. `topics`: what may be written."""
    said = float("-inf")
    seen = set(topics)
    for topic in topics:
        metrics.relayed.labels(topic)  # from zero: the first one counts
    while True:
        try:
            async with engine.connect() as connection:
                waiting = {row.topic: row for row in await connection.execute(_DEPTH)}
                parked = await count_parked(connection, TOLD)
            seen |= waiting.keys()
            for topic in seen:
                row = waiting.get(topic)
                metrics.parked_events.labels(topic).set(parked.get(topic, 0))
                metrics.outbox_rows.labels(topic).set(row.rows if row else 0)
                metrics.outbox_oldest_seconds.labels(topic).set(float(row.oldest) if row else 0)
            oldest = max((float(row.oldest) for row in waiting.values()), default=0.0)
            if oldest > STUCK_SECONDS and time.monotonic() - said > STUCK_SECONDS:
                said = time.monotonic()
                rows = sum(row.rows for row in waiting.values())
                log.error("facts are stuck in the outbox", rows=rows, oldest_seconds=round(oldest))
        except Exception as error:
            log.warning("outbox can't be looked at", reason=type(error).__name__)
        await asyncio.sleep(WATCH_SECONDS)

"""The ledger of a whole platform: what Kafka was told, and whether every reader has heard it."""

import asyncio
from time import monotonic
from uuid import UUID

import asyncpg
from contracts.catalogue import SERVICES, topics_read_by

from deploy.local.journey.ground import Ground
from deploy.local.journey.timeline import Watch
from deploy.local.platform import Progress

SETTLE = 60.0
"""Seconds by which nothing may be stuck any more (the promise of delivery)."""


async def unheard(platform: Ground, watch: Watch, progress: Progress) -> int:
    """How many events some reader has no receipt for, or has parked, or an owner hasn't sent, a minute after the last."""
    deadline = monotonic() + SETTLE
    while True:
        while await watch.new(wait_ms=500):
            pass
        found = {name: await _missing(platform.dsn(name), name, watch) for name in SERVICES}
        if not any(found.values()) or monotonic() > deadline:
            break
        await asyncio.sleep(0.5)
    for name, count in found.items():
        if count:
            progress(f"{name}: {count} events not sent, not heard or parked")
    receipts = sum(len(_expected(name, watch)) for name in SERVICES)
    progress(f"{len(watch.told)} events were told; every reader's receipts: {receipts - sum(found.values())} of {receipts}")
    return sum(found.values())


def _expected(service: str, watch: Watch) -> set[UUID]:
    topics = set(topics_read_by(service))
    return {event for event, topic in watch.told.items() if topic in topics}


async def _missing(dsn: str, service: str, watch: Watch) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        heard = {row["event_id"] for row in await connection.fetch("select event_id from inbox where consumer = $1", service)}
        stuck = await connection.fetchval("select (select count(*) from outbox) + (select count(*) from parked_events)")
    finally:
        await connection.close()
    return len(_expected(service, watch) - heard) + int(stuck)

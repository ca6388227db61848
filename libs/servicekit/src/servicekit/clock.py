"""How far the clock here is off the database's: tokens and codes are judged by the one, rows by the other."""

import asyncio
import time
from contextlib import suppress

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

EVERY_SECONDS = 5.0
ANSWER_SECONDS = 5.0

AHEAD = Gauge("stegvis_clock_ahead_seconds", "How far the clock here is ahead of the database's, seconds; below 0: behind")

_NOW = text("select extract(epoch from clock_timestamp())")


async def ahead(connection: AsyncConnection) -> float:
    """By how many seconds the clock here is ahead at least, whatever the answer took; below 0: behind."""
    before = time.time()
    there = float(await connection.scalar(_NOW))
    after = time.time()
    return max(0.0, before - there) or min(0.0, after - there)


async def watch_clock(engine: AsyncEngine) -> None:
    """Measure until cancelled. While the database is away the last number stays: readiness tells that it is away."""
    while True:
        with suppress(Exception):
            async with asyncio.timeout(ANSWER_SECONDS), engine.connect() as connection:
                AHEAD.set(await ahead(connection))
        await asyncio.sleep(EVERY_SECONDS)

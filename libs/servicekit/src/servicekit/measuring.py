"""Keeps a service's own gauges fresh. Each process that relays measures for itself: one that stands by must not show old numbers."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from servicekit.delivery.outbox import Begin, UnitOfWork

EVERY_SECONDS = 5.0

Measure = Callable[[UnitOfWork], Awaitable[None]]
"""Reads and sets gauges; writes nothing."""

log = structlog.get_logger("measuring")


async def keep_measuring(begin: Begin, measure: Measure) -> None:
    """Until cancelled, also while the database is away."""
    while True:
        try:
            async with begin() as uow:
                await measure(uow)
        except Exception as error:
            log.warning("nothing measured", reason=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)

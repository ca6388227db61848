"""How much is read: counts per minute, class of page and language. Nothing about who, from where, or what before."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import groupby
from uuid import UUID, uuid4

import structlog
from contracts.codes import PageClass
from contracts.info import UsageCount, UsageCounted
from fastapi import FastAPI
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.upserts import add_up
from sqlalchemy import delete

from info.store import usage_counts

BUCKET_SECONDS = 60
log = structlog.get_logger("usage")


class UsageCounter:
    """Counts in memory between two flushes. What a killed process had not yet flushed (some seconds) is not counted."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[PageClass, str]] = Counter()

    def count(self, page: PageClass, language: str) -> None:
        self._counts[page, language] += 1

    async def flush(self, begin: Begin) -> None:
        """Add the counts to the rows of the current minute; on failure they are kept for the next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            async with begin() as uow:
                await _add(uow, counts)
        except Exception:
            self._counts += counts
            raise


async def _add(uow: UnitOfWork, counts: Counter[tuple[PageClass, str]]) -> None:
    minute = (await uow.now()).replace(second=0, microsecond=0)
    rows = [
        {"bucket_start": minute, "page_class": page, "language": language, "count": n} for (page, language), n in sorted(counts.items())
    ]
    await add_up(uow.connection, usage_counts, *rows)


async def tell_usage(uow: UnitOfWork, _subject: UUID | None) -> None:
    """Tell the minutes that are over, and forget them. Rows that a slow flush adds later are told as a bucket of their own."""
    minute = (await uow.now()).replace(second=0, microsecond=0)
    taken = await uow.connection.execute(delete(usage_counts).where(usage_counts.c.bucket_start < minute).returning(usage_counts))
    rows = sorted(taken.all(), key=lambda row: (row.bucket_start, row.page_class, row.language))
    for start, bucket in groupby(rows, key=lambda row: row.bucket_start):
        counts = tuple(UsageCount(page_class=row.page_class, language=row.language, count=row.count) for row in bucket)
        bucket_id = uuid4()
        event = UsageCounted(bucket_id=bucket_id, bucket_start=start, bucket_seconds=BUCKET_SECONDS, counts=counts)
        uow.tell(event, key=bucket_id, sequence=1)


@asynccontextmanager
async def flushing(app: FastAPI) -> AsyncIterator[None]:
    """Flush the application's counter every few seconds while it serves, and once more when it stops."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_flush_until(app, stopping))
    try:
        yield
    finally:
        stopping.set()
        await task


async def _flush_until(app: FastAPI, stopping: asyncio.Event) -> None:
    counter: UsageCounter = app.state.usage
    while not stopping.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), app.state.settings.usage_flush_seconds)
        try:
            await counter.flush(app.state.begin)
        except Exception as error:
            log.warning("counts wait for the database", error=type(error).__name__)

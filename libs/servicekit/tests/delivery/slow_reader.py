"""A reader in a process of its own that takes its time over each event: `python slow_reader.py DSN GROUP`."""

import asyncio
import sys
from typing import Any

import structlog
from contracts.info import ArticleWithdrawn
from servicekit.database import create_engine
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.outbox import UnitOfWork, beginner
from servicekit.settings import ServiceSettings
from sqlalchemy import text

COUNT = text(
    """insert into effects values (:id, 1, :sequence, 0) on conflict (id) do update set times = effects.times + 1,
    inversions = effects.inversions + (case when excluded.last_sequence = effects.last_sequence + 1 then 0 else 1 end),
    last_sequence = excluded.last_sequence"""
)


async def count(event: Any, uow: UnitOfWork) -> None:
    assert uow.received is not None
    await uow.connection.execute(COUNT, {"id": event.publication_id, "sequence": uow.received.sequence})
    print("in hand", flush=True)  # noqa: T201 - the test waits for it
    await asyncio.sleep(0.3)


async def main(dsn: str, group: str) -> None:
    settings = ServiceSettings(database_url=dsn)  # Kafka as the environment says
    begin = beginner(create_engine(dsn, "reporting"), "reporting")
    await Consumer("reporting", settings, begin, {ArticleWithdrawn: count}, group=group).run(asyncio.Event())


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the test reads stdout
    asyncio.run(main(*sys.argv[1:]))

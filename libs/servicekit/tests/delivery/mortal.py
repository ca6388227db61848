"""A publisher and a reader in one process that may die: `python mortal.py PUBLISHER_DSN READER_DSN GROUP ARTICLE COUNT`.

Kafka is where KAFKA_* say, for the publisher's principal; the reader's has READER_PASSWORD.
Tells COUNT facts of an article, prints the number of each that was committed, and ends when the reader has applied all of them.
"""

import asyncio
import os
import sys
from typing import Any
from uuid import UUID

import structlog
from contracts.info import ArticleWithdrawn
from servicekit import crash
from servicekit.database import create_engine
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.outbox import UnitOfWork, beginner
from servicekit.delivery.relay import Relay
from servicekit.settings import ServiceSettings
from servicekit.timers import run_timers
from sqlalchemy import text

TELL = text("update articles set told = told + 1 where id = :id returning told")
COUNT = text(
    """insert into effects values (:id, 1, :sequence, 0) on conflict (id) do update set times = effects.times + 1,
    inversions = effects.inversions + (case when excluded.last_sequence = effects.last_sequence + 1 then 0 else 1 end),
    last_sequence = excluded.last_sequence"""
)
APPLIED = text("select times from effects where id = :id")


async def tick(uow: UnitOfWork, subject: UUID | None) -> None:
    await uow.connection.execute(text("insert into effects values (:id, 1, 1, 0)"), {"id": subject})


async def count(event: Any, uow: UnitOfWork) -> None:
    assert uow.received is not None
    await uow.connection.execute(COUNT, {"id": event.publication_id, "sequence": uow.received.sequence})


async def main(publisher_dsn: str, reader_dsn: str, group: str, article: UUID, most: int) -> None:
    engine, reader = create_engine(publisher_dsn, "info"), create_engine(reader_dsn, "reporting")
    begin, begin_reading = beginner(engine, "info"), beginner(reader, "reporting")
    relay = Relay(ServiceSettings(database_url=publisher_dsn))
    where = ServiceSettings(database_url=reader_dsn, kafka_username="reporting", kafka_password=os.environ["READER_PASSWORD"])
    consumer = Consumer("reporting", where, begin_reading, {ArticleWithdrawn: count}, group=group)
    stop = asyncio.Event()
    crash.arm(os.environ.get("CRASH_AT"))
    tasks = [asyncio.create_task(run) for run in (relay.run(stop), consumer.run(stop), run_timers(begin, {"tick": tick}, stop))]
    told = 0
    while told < most:
        async with begin() as uow:
            told = (await uow.connection.execute(TELL, {"id": article})).scalar_one()
            if told <= most:
                uow.tell(ArticleWithdrawn(publication_id=article), key=article, sequence=told)
        print(told, flush=True)  # noqa: T201 - the answer: from here on it must not be lost
    while True:
        async with reader.connect() as connection:
            if await connection.scalar(APPLIED, {"id": article}) == most:
                break
        await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # what is answered is alone on stdout
    asyncio.run(main(*sys.argv[1:4], UUID(sys.argv[4]), int(sys.argv[5])))

"""Makes a database that was restored fit to serve. Every process of a service sees to it before it does anything else.

A restore begins a new timeline of PostgreSQL, so a service notices one by itself. Then, in one transaction: what was deleted since is
deleted again (the ledger of deletions), keys of which others know more are parked, and what was read since is read again.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TypeVar

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from servicekit.database import create_engine
from servicekit.delivery.behind import Told, TopicsForgotError, Unknown, park_unknown, read_again, read_told, settle
from servicekit.delivery.lineage import accept, is_accepted, is_new
from servicekit.delivery.outbox import UnitOfWork, beginner
from servicekit.service import Service
from servicekit.stopping import unless

WAIT_SECONDS, LONGEST_WAIT = 0.5, 5.0
AT_ONCE = 1000
"""Ids that one statement looks for."""
T = TypeVar("T")

_LOCK = text("select pg_try_advisory_lock(hashtext('stegvis/restored'))")
_UNLOCK = text("select pg_advisory_unlock(hashtext('stegvis/restored'))")

log = structlog.get_logger("restored")


class UnknownKindError(Exception):
    """The ledger names a kind that this service can't delete: a newer release wrote it."""

    def __str__(self) -> str:
        return f"the ledger of deletions names {self.args[0]!r}, which this release can't delete: start the newer one"


class NoWayToKafkaError(Exception):
    """This process has no password for Kafka (a process that serves needs none): one that relays or reads mends what was restored."""


REFUSALS = (UnknownKindError, TopicsForgotError)
"""Why a restored database can't be made fit: a person must look first."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a restore had taken away, and what was done about it."""

    unknown: list[Unknown]
    """Facts that others know and the store doesn't."""
    parked: int
    """Keys that wait for a person."""
    settled: int
    """Keys of which others know more, and that are deleted here as there."""
    read_back: int
    """Deletions in the ledger."""
    deleted: int
    """Of those, things that the restore had brought back."""

    @property
    def facts(self) -> int:
        """How many facts others know and the store doesn't."""
        return sum(len(key.sequences) for key in self.unknown)


async def ensure(service: Service) -> Report | None:
    """Returns at once unless the database was restored since a process of this service last started. Waits while Kafka is away."""
    engine = create_engine(service.settings.dsn, f"{service.name} restored", pool_size=2)
    try:
        async with _alone(engine) as connection:
            new, accepted = await is_new(connection), await is_accepted(connection)
            await connection.commit()
            if new:
                async with beginner(engine, service.name)() as uow:
                    await accept(uow)
            if accepted:
                return None
            log.warning("the database was restored")
            if service.settings.kafka_security_protocol.startswith("SASL") and not service.settings.kafka_password:
                raise NoWayToKafkaError
            return await _mend(service, engine)
    finally:
        await engine.dispose()


async def until_fit(service: Service, stop: asyncio.Event) -> None:
    """Returns when the database is there and fit to serve, or `stop` is set. Raises SystemExit where a person must look first."""
    delay = WAIT_SECONDS
    while not stop.is_set():
        try:
            await unless(stop, ensure(service))
        except REFUSALS as error:
            raise SystemExit(f"{service.name}: {error}") from None
        except NoWayToKafkaError:
            log.warning("waits for the process of this service that mends what was restored")
        except Exception as error:  # away, not migrated yet, another password: it stays unready, and says why
            log.warning("waits for the database", reason=type(error).__name__)
        else:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), delay)
        delay = min(delay * 2, LONGEST_WAIT)


async def restored(service: Service) -> None:
    """The verb: does what a start does, and prints the facts that others know and the store doesn't, a JSON object per key."""
    try:
        report = await ensure(service)
    except REFUSALS as error:
        raise SystemExit(f"{service.name}: {error}") from None
    for key in report.unknown if report else ():
        sys.stdout.write(json.dumps(asdict(key)) + "\n")
    sys.stderr.write(f"{service.name}: {summary(report)}\n")


def summary(report: Report | None) -> str:
    """One line."""
    if report is None:
        return "nothing was restored"
    return (
        f"restored: unknown_keys={len(report.unknown)} unknown_facts={report.facts} parked={report.parked} settled={report.settled} "
        f"read_back={report.read_back} deleted={report.deleted}"
    )


async def _mend(service: Service, engine: AsyncEngine) -> Report:
    told = await _patiently(lambda: _told(service, engine))
    await _patiently(lambda: read_again(service.name, service.settings))
    async with beginner(engine, service.name, service.settings.clock_offset)() as uow:
        unknown = await park_unknown(uow, told)
        read_back, deleted = await _read_back(service, uow)
        await uow.flush()
        settled = await settle(uow)
        await accept(uow)
    report = Report(unknown, len(unknown) - len(settled), len(settled), read_back, deleted)
    log.warning(
        "restored",
        unknown_keys=len(report.unknown),
        unknown_facts=report.facts,
        parked=report.parked,
        settled=report.settled,
        read_back=report.read_back,
        deleted=report.deleted,
    )
    return report


async def _read_back(service: Service, uow: UnitOfWork) -> tuple[int, int]:
    """How much the ledger says, and how much of it the restore had brought back."""
    ledger = await asyncio.to_thread(service.settings.ledger.read)
    deleted = 0
    for kind, ids in sorted(ledger.items()):
        if kind not in service.erasers:
            raise UnknownKindError(kind)
        ordered = sorted(ids)
        for first in range(0, len(ordered), AT_ONCE):
            deleted += await service.erasers[kind](uow, ordered[first : first + AT_ONCE])
    return sum(map(len, ledger.values())), deleted


async def _told(service: Service, engine: AsyncEngine) -> Told:
    async with engine.connect() as connection:
        return await read_told(service.name, service.settings, connection)


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One process of the service at a time; the others wait and then find the work done."""
    async with engine.connect() as connection:
        while not await connection.scalar(_LOCK):
            await connection.commit()
            await asyncio.sleep(WAIT_SECONDS)
        try:
            yield connection
        finally:
            await connection.execute(_UNLOCK)
            await connection.commit()


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Waits for Kafka as long as it takes: before that nothing may be told or served."""
    while True:
        try:
            return await work()
        except (KafkaError, OSError) as error:
            log.warning("waits for Kafka to mend what was restored", reason=type(error).__name__)
            await asyncio.sleep(WAIT_SECONDS * 4)

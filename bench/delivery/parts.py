"""The real parts that delivery is measured on: PostgreSQL with fsync, Kafka with the catalogue's topics and principals."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from servicekit.migrations import upgrade
from servicekit.settings import ServiceSettings

from deploy.kafka.access import Access
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import Child
from deploy.testing.databases import Database, opened
from deploy.testing.infra import Kafka, start_kafka

SETTINGS = {"shared_buffers": "128MB", "max_connections": "120", "max_wal_size": "2GB"}
"""Of PostgreSQL; everything that decides durability is left as it comes, with fsync on."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs while delivery is measured."""

    postgres: LocalPostgres
    kafka: Kafka
    folder: Path

    async def dsn(self, service: str, name: str | None = None) -> str:
        """The address of a service's migrated database; another `name` makes another one."""
        dsn = await asyncio.to_thread(self.postgres.create_role_and_database, name or f"bench_{service}")
        await asyncio.to_thread(upgrade, service, dsn)
        return dsn

    @asynccontextmanager
    async def database(self, service: str, name: str | None = None) -> AsyncIterator[Database]:
        """A service's migrated database with an engine as the service has."""
        async with opened(service, await self.dsn(service, name)) as database:
            yield database

    def settings(self, service: str, dsn: str) -> ServiceSettings:
        """The settings of a service's process."""
        return settings_of(dsn, self.kafka.access(service))


def settings_of(dsn: str, access: Access) -> ServiceSettings:
    """The settings of a process with this database and this way to Kafka."""
    given: dict[str, Any] = {name.lower(): value for name, value in access.environment.items()}
    return ServiceSettings(database_url=dsn, **given)


@asynccontextmanager
async def started(folder: Path, more: Mapping[str, str]) -> AsyncIterator[Parts]:
    """Starts both, and stops them at the end. `more`: further settings of PostgreSQL."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    gc.collect()
    gc.freeze()  # as a service's process does when it begins
    postgres = await asyncio.to_thread(LocalPostgres(fsync=True, settings={**SETTINGS, **more}).start)
    try:
        kafka = await asyncio.to_thread(start_kafka)
        try:
            yield Parts(postgres, kafka, folder)
        finally:
            await asyncio.to_thread(kafka.cluster.stop)
    finally:
        await asyncio.to_thread(postgres.stop)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def running(child: Child, ready: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
    """A process until it isn't needed any more."""
    await asyncio.to_thread(child.start)
    try:
        await asyncio.to_thread(child.wait_until, ready, 60.0, "ready")
        yield
    finally:
        await asyncio.to_thread(child.stop)

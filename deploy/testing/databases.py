"""A database per test: a copy of a template that was migrated once per service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest_asyncio

if TYPE_CHECKING:
    from servicekit.delivery.outbox import Begin
    from sqlalchemy.ext.asyncio import AsyncEngine

Prepare = Callable[[str], Awaitable[None]]
"""Fills an empty database, given its address."""


@dataclass(frozen=True, slots=True)
class Database:
    """A fresh, migrated database of one service, for one test."""

    service: str
    engine: "AsyncEngine"
    begin: "Begin"
    dsn: str
    ahead: timedelta = timedelta(0)
    """How far the clock of `begin` is moved already."""

    def begin_at(self, offset: timedelta) -> "Begin":
        """As `begin`, with the clock moved."""
        from servicekit.delivery.outbox import beginner

        return beginner(self.engine, self.service, self.ahead + offset)

    def moved(self, offset: timedelta) -> "Database":
        """The same database for a test whose clock is moved from the beginning."""
        return replace(self, begin=self.begin_at(offset), ahead=self.ahead + offset)


class Templates:
    """Makes each template once and copies it for each test."""

    def __init__(self, superuser_dsn: str) -> None:
        self._dsn = superuser_dsn
        self._made: set[str] = set()

    @asynccontextmanager
    async def copy(self, name: str, prepare: Prepare) -> AsyncIterator[str]:
        """The address of a fresh copy of the template `name`; the copy is dropped afterwards."""
        template = f"template_{name}"
        if name not in self._made:
            await self._execute(f"create database {template}")
            await prepare(self.address(template))
            self._made.add(name)
        copy = f"test_{uuid4().hex}"
        await self._execute(f"create database {copy} template {template}")
        try:
            yield self.address(copy)
        finally:
            await self._execute(f"drop database {copy} with (force)")

    def address(self, database: str) -> str:
        """The superuser's address of a database of this cluster."""
        return urlunsplit(urlsplit(self._dsn)._replace(path=f"/{database}"))

    async def _execute(self, statement: str) -> None:
        import asyncpg

        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def service_database(service: str) -> Any:
    """A fixture: `database = service_database("dialog")` in a service's conftest gives each test a `Database`."""

    @pytest_asyncio.fixture
    async def database(templates: Templates) -> AsyncIterator[Database]:
        async with templates.copy(service, lambda dsn: _migrate(service, dsn)) as dsn, opened(service, dsn) as fresh:
            yield fresh

    return database


@asynccontextmanager
async def opened(service: str, dsn: str) -> AsyncIterator[Database]:
    """An engine on a database that exists."""
    from servicekit.database import create_engine
    from servicekit.delivery.outbox import beginner

    engine = create_engine(dsn, service)
    try:
        yield Database(service, engine, beginner(engine, service), dsn)
    finally:
        await engine.dispose()


async def _migrate(service: str, dsn: str) -> None:
    from servicekit.migrations import upgrade

    await asyncio.to_thread(upgrade, service, dsn)  # it starts an event loop of its own

"""The tables in code are those that the migrations make, and the way back exists."""

import asyncio

from alembic import command
from servicekit.migrations import check, config
from sqlalchemy import inspect


async def test_the_tables_are_those_of_the_migrations(database):
    await asyncio.to_thread(check, "info", database.dsn)


async def test_the_migrations_can_be_taken_back(database):
    await asyncio.to_thread(command.downgrade, config("info", database.dsn), "base")
    async with database.engine.connect() as connection:
        assert await connection.run_sync(lambda sync: inspect(sync).get_table_names()) == ["alembic_version"]

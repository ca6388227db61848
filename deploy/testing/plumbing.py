"""A database with the plumbing's tables only, for tests of what no service owns."""

from typing import Any, cast

from alembic.migration import MigrationContext
from alembic.operations import Operations
from servicekit.database import create_engine
from servicekit.migrations import audit_parking, create_plumbing, survive_restores
from sqlalchemy import Connection


async def prepare_plumbing(dsn: str) -> None:
    """Fill an empty database; for `Templates.copy`."""
    engine = create_engine(dsn, "test")
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_create)
    finally:
        await engine.dispose()


def _create(connection: Connection) -> None:
    op = cast(Any, Operations(MigrationContext.configure(connection)))
    create_plumbing(op)
    audit_parking(op)
    survive_restores(op)

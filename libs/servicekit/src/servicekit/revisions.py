"""Which revisions of the database a service's code knows, without loading Alembic: only migrating needs that."""

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_HAS_ANY = text("select to_regclass('alembic_version') is not null")
_THERE = text("select version_num from alembic_version")


def folder_of(service_package: str) -> Path:
    """The migrations inside a service's package. Raises ModuleNotFoundError."""
    spec = find_spec(service_package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(service_package)
    return Path(spec.origin).parent / "migrations"


def revisions_of(service_package: str) -> list[str]:
    """Oldest first: the number that each file's name begins with, `0001_first.py`."""
    return sorted(file.name.partition("_")[0] for file in (folder_of(service_package) / "versions").glob("[0-9]*_*.py"))


async def lacking(connection: AsyncConnection, service_package: str) -> str | None:
    """The newest revision of this code if the database hasn't got it; None also for a database that a newer release has migrated."""
    known = revisions_of(service_package)
    there = set(await connection.scalars(_THERE)) if await connection.scalar(_HAS_ANY) else set()
    return None if there - set(known) or known[-1] in there else known[-1]

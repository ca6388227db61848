"""Which history of the database a service has accepted: a restore begins a new timeline, and nothing is told or served on it unseen."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from servicekit.delivery.outbox import UnitOfWork

_NOW = "select system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) from pg_control_system()"
"""Cluster and timeline; any role may ask."""
ACCEPTED = f"select not exists (select from lineages) or exists (select from lineages where lineage = ({_NOW}))"  # noqa: S608 - ours
"""True also where nothing was noted yet: a new database, before its first start."""
_ANY = text("select exists (select from lineages)")
_ACCEPT = text(f"insert into lineages (lineage, noted_at) select ({_NOW}), :now on conflict do nothing")


async def is_accepted(connection: AsyncConnection) -> bool:
    """False after a restore, until the service has been made fit for it (`servicekit.restored`)."""
    return bool(await connection.scalar(text(ACCEPTED)))


async def is_new(connection: AsyncConnection) -> bool:
    """Nothing was accepted yet."""
    return not await connection.scalar(_ANY)


async def accept(uow: UnitOfWork) -> None:
    """From here on this history is the one."""
    await uow.connection.execute(_ACCEPT, {"now": await uow.now()})

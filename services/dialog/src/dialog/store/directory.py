"""Dialog's own copy of the register of help services, kept up by events of its owner."""

from typing import Any
from uuid import UUID

from servicekit.upserts import put
from sqlalchemy import Column, Table, Text, Uuid, delete
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.store import metadata

help_services = Table(
    "help_services",
    metadata,
    Column("service_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("owner_number", Text, nullable=False, index=True),
    Column("entry", JSONB, nullable=False),
)
"""`entry` is the whole `contracts.info.HelpService` as it came, so that fields of later versions survive."""


async def put_help_service(connection: AsyncConnection, service_id: UUID, entry: dict[str, Any]) -> None:
    """Take in or replace an entry."""
    values = {"service_id": service_id, "entry": entry} | {name: entry[name] for name in ("name", "kind", "owner_number")}
    await put(connection, help_services, values)


async def remove_help_service(connection: AsyncConnection, service_id: UUID) -> None:
    await connection.execute(delete(help_services).where(help_services.c.service_id == service_id))

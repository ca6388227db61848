"""Reads of dialog's copy of the register."""

from uuid import UUID

from contracts.info import HelpService
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.store.directory import help_services


async def help_service(connection: AsyncConnection, service_id: UUID) -> HelpService | None:
    """One entry, None if it isn't (or no longer) listed."""
    entry = await connection.scalar(select(help_services.c.entry).where(help_services.c.service_id == service_id))
    return None if entry is None else HelpService.model_validate(entry)


async def help_services_of(connection: AsyncConnection, owner_number: str) -> list[HelpService]:
    """The entries of one organisation, by name."""
    return await _listed(connection, owner_number)


async def all_help_services(connection: AsyncConnection) -> list[HelpService]:
    """Every entry, by name."""
    return await _listed(connection, None)


async def _listed(connection: AsyncConnection, owner_number: str | None) -> list[HelpService]:
    query = select(help_services.c.entry)
    entries = await connection.scalars(query if owner_number is None else query.where(help_services.c.owner_number == owner_number))
    return sorted((HelpService.model_validate(entry) for entry in entries), key=lambda service: service.name.casefold())

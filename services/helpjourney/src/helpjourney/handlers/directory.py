"""Keeps our own copy of those entries of the register that take appointments."""

from contracts.codes import Channel
from contracts.info import HelpService, ServiceChanged, ServiceDelisted, ServiceListed
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.store.units import UnitRow, delist_unit, save_unit


async def on_service_listed(event: ServiceListed, uow: UnitOfWork) -> None:
    """A new unit can be wished for."""
    await _keep(event.service, uow)


async def on_service_changed(event: ServiceChanged, uow: UnitOfWork) -> None:
    """The whole entry is told each time; one that no longer takes appointments is no longer offered."""
    await _keep(event.service, uow)


async def on_service_delisted(event: ServiceDelisted, uow: UnitOfWork) -> None:
    """No new wishes; what was agreed stands."""
    await delist_unit(uow.connection, event.service_id)


async def _keep(service: HelpService, uow: UnitOfWork) -> None:
    if Channel.APPOINTMENT not in service.channels:
        await delist_unit(uow.connection, service.service_id)
        return
    unit = UnitRow(
        service_id=service.service_id,
        name=service.name,
        owner_name=service.owner_name,
        owner_number=service.owner_number,
        municipality=service.municipality,
        phone=service.phone,
        age_from=service.age_from,
        age_to=service.age_to,
        takes_drop_in=Channel.DROP_IN in service.channels,
        is_listed=True,
    )
    await save_unit(uow.connection, unit)

"""What dialog does when an entry of the register changes: it keeps its own copy."""

from contracts.info import ServiceChanged, ServiceDelisted, ServiceListed
from servicekit.delivery.outbox import UnitOfWork

from dialog.store.directory import put_help_service, remove_help_service


async def on_service_listed(event: ServiceListed, uow: UnitOfWork) -> None:
    await put_help_service(uow.connection, event.service.service_id, event.service.model_dump(mode="json"))


async def on_service_changed(event: ServiceChanged, uow: UnitOfWork) -> None:
    await put_help_service(uow.connection, event.service.service_id, event.service.model_dump(mode="json"))


async def on_service_delisted(event: ServiceDelisted, uow: UnitOfWork) -> None:
    await remove_help_service(uow.connection, event.service_id)

"""Helpers come on duty and leave; services open, close and tell how long their queue is."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from contracts.codes import ServiceKind
from contracts.dialog import ProviderClosed, ProviderOpened, QueueMeasured
from contracts.info import HelpService
from servicekit.delivery.outbox import UnitOfWork

from dialog.domain.availability import MOST_AT_ONCE, Provider, UnknownServiceError
from dialog.domain.retention import Retention
from dialog.queries.directory import help_service
from dialog.store.availability import (
    count_helpers,
    duty_of,
    end_duty,
    end_silent_duties,
    load_of,
    lock_provider,
    provider_ids,
    save_provider,
    see_helper,
    set_duty,
)


@dataclass(frozen=True, slots=True)
class GoOnDuty:
    helper: UUID
    organisation: str
    """Of the helper, 9 digits."""
    service_id: UUID
    capacity: int
    """Chats at once, 1 to MOST_AT_ONCE; other numbers are brought into that range."""


async def go_on_duty(command: GoOnDuty, uow: UnitOfWork) -> None:
    """The helper takes chats of one service, and of no other. Raises UnknownServiceError."""
    await _own_chat_service(uow, command.service_id, command.organisation)
    before = await duty_of(uow.connection, command.helper)
    now = await uow.now()
    affected = [await lock_provider(uow.connection, each) for each in sorted({command.service_id, before or command.service_id})]
    capacity = min(max(command.capacity, 1), MOST_AT_ONCE)
    await set_duty(uow.connection, command.helper, command.service_id, capacity, now)
    for provider in affected:
        await _follow(provider, uow, now)


@dataclass(frozen=True, slots=True)
class TakeBreak:
    helper: UUID


async def take_break(command: TakeBreak, uow: UnitOfWork) -> None:
    """The helper takes no more chats; those at hand go on. Twice is as good as once."""
    service_id = await duty_of(uow.connection, command.helper)
    if service_id is None:
        return
    provider = await lock_provider(uow.connection, service_id)
    await end_duty(uow.connection, command.helper)
    await _follow(provider, uow, await uow.now())


async def note_desk(helper: UUID, uow: UnitOfWork) -> None:
    """The helper's desk is open. Kept to the minute."""
    await see_helper(uow.connection, helper, await uow.now())


@dataclass(frozen=True, slots=True)
class SetRetention:
    organisation: str
    service_id: UUID
    retention: Retention


async def set_retention(command: SetRetention, uow: UnitOfWork) -> None:
    """The provider's promise for chats that are asked for from now on. Raises UnknownServiceError."""
    await _own_chat_service(uow, command.service_id, command.organisation)
    provider = await lock_provider(uow.connection, command.service_id)
    await save_provider(uow.connection, replace(provider, retention=command.retention))


async def measure_services(uow: UnitOfWork) -> None:
    """End silent duties, close what has no helper, tell each queue that changed."""
    now = await uow.now()
    for service_id in await provider_ids(uow.connection):
        provider = await lock_provider(uow.connection, service_id)
        await end_silent_duties(uow.connection, service_id, now)
        provider = await _follow(provider, uow, now)
        measured = provider.measure(await load_of(uow.connection, service_id))
        if measured is not provider:
            await save_provider(uow.connection, measured)
            told = QueueMeasured(service_id=service_id, length=measured.told_length or 0, wait_minutes=measured.told_wait)
            uow.tell(told, key=service_id, sequence=measured.sequence)


async def chat_service(uow: UnitOfWork, service_id: UUID) -> HelpService:
    """The register's entry of a chat service. Raises UnknownServiceError for everything else."""
    service = await help_service(uow.connection, service_id)
    if service is None or service.kind != ServiceKind.CHAT_SERVICE:
        raise UnknownServiceError
    return service


async def _own_chat_service(uow: UnitOfWork, service_id: UUID, organisation: str) -> None:
    if (await chat_service(uow, service_id)).owner_number != organisation:
        raise UnknownServiceError


async def _follow(provider: Provider, uow: UnitOfWork, now: datetime) -> Provider:
    changed = provider.follow(await count_helpers(uow.connection, provider.service_id), now)
    if changed is not provider:
        fact = ProviderOpened if changed.is_open else ProviderClosed
        await save_provider(uow.connection, changed)
        uow.tell(fact(service_id=changed.service_id), key=changed.service_id, sequence=changed.sequence)
    return changed

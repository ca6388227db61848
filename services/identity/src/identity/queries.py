"""Reads: which logins a person has now, and what became of one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork

from identity.store import logins


@dataclass(frozen=True, slots=True)
class LiveLogin:
    """One line of the list of sessions."""

    id: UUID
    reader: str
    level: str
    since: datetime
    until: datetime
    """When it ends by itself at the latest."""
    here: bool
    """Whether it was made in this browser."""


async def my_logins(uow: UnitOfWork, person_id: UUID, browser: UUID | None) -> list[LiveLogin]:
    """The logins of a person that hold now, in all browsers, newest first."""
    now = await uow.now()
    found = await logins.live_logins(uow.connection, now, person_id=person_id)
    here = {login.id for login in await logins.live_logins(uow.connection, now, person_id=person_id, browser=browser)} if browser else set()
    return [LiveLogin(login.id, login.reader, login.level, login.created_at, login.expires_at, login.id in here) for login in found]


async def login_lives(uow: UnitOfWork, login_id: UUID, person_id: UUID) -> bool:
    """Whether a login of this person still holds."""
    return bool(await logins.live_logins(uow.connection, await uow.now(), id=login_id, person_id=person_id))


async def provider_of(uow: UnitOfWork, reader: str, sid: UUID) -> tuple[str, bool] | None:
    """Where the login that a reader calls `sid` took place, and whether it still holds."""
    login = await logins.login_by_sid(uow.connection, reader, sid)
    return (login.provider, login.lives(await uow.now())) if login else None

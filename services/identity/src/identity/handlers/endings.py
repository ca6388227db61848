"""A login ends: by logout, by the quick exit, from the list of sessions, or because the provider says so."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from contracts.identity import SessionEnded, sessions_topic
from servicekit.delivery.outbox import UnitOfWork

from identity.store import logins
from identity.store.logins import Login


async def end_login(uow: UnitOfWork, login: Login) -> None:
    """Ended here, and told on the reader's own topic; once, however many ask."""
    told = await logins.end(uow.connection, login.id, await uow.now())
    if told is not None:
        uow.tell(SessionEnded(session_id=login.sid), key=login.sid, sequence=told, topic=sessions_topic(login.reader))


@dataclass(frozen=True, slots=True)
class EndByToken:
    """A service says that a login is over (RFC 7009)."""

    reader: str
    refresh_token: str


async def end_by_token(command: EndByToken, uow: UnitOfWork) -> Login | None:
    """Ends the login; a token of another service, or an unknown one, ends nothing."""
    found = await logins.find_refresh_token(uow.connection, command.refresh_token)
    if found is None or found[1].reader != command.reader:
        return None
    await end_login(uow, found[1])
    return found[1]


@dataclass(frozen=True, slots=True)
class EndBySid:
    """A browser with the service's own name for a login wishes to log out."""

    reader: str
    sid: UUID


async def end_by_sid(command: EndBySid, uow: UnitOfWork) -> Login | None:
    """Ends the login and says which it was."""
    login = await logins.login_by_sid(uow.connection, command.reader, command.sid)
    if login is not None:
        await end_login(uow, login)
    return login


@dataclass(frozen=True, slots=True)
class EndMine:
    """A person ends one of her logins, or all, also those in other browsers."""

    person_id: UUID
    login_id: UUID | None


async def end_mine(command: EndMine, uow: UnitOfWork) -> None:
    """Another person's login can't be ended."""
    chosen = {"id": command.login_id} if command.login_id else {}
    for login in await logins.live_logins(uow.connection, await uow.now(), person_id=command.person_id, **chosen):
        await end_login(uow, login)


@dataclass(frozen=True, slots=True)
class EndByProvider:
    """A provider says that its session is over (OpenID Connect Back-Channel Logout)."""

    provider: str
    session: str
    token_id: str
    issued_at: int
    """Epoch seconds."""


async def end_by_provider(command: EndByProvider, uow: UnitOfWork) -> bool:
    """Ends every login that came from the provider's session. False if the token was used before."""
    expires = datetime.fromtimestamp(command.issued_at + 600, UTC)
    if not await logins.take_assertion(uow.connection, command.provider, command.token_id, expires):
        return False
    name = logins.upstream_name(command.provider, command.session)
    for login in await logins.live_logins(uow.connection, await uow.now(), upstream=name):
        await end_login(uow, login)
    return True

"""A service exchanges a code, and renews: what is good once is used up in the same transaction, and used twice ends the login."""

import secrets
from dataclasses import dataclass

from servicekit.crypto import b64
from servicekit.delivery.outbox import UnitOfWork

from identity.domain.clients import Client, proves
from identity.handlers.endings import end_login
from identity.store import logins
from identity.store.logins import Login


@dataclass(frozen=True, slots=True)
class Grant:
    """What tokens may now be made of."""

    login: Login
    refresh_token: str
    nonce: str | None


@dataclass(frozen=True, slots=True)
class ExchangeCode:
    """A service presents the code that a browser brought."""

    client: Client
    code: str
    redirect_uri: str
    verifier: str


async def exchange_code(command: ExchangeCode, uow: UnitOfWork) -> Grant | None:
    """None = invalid_grant. The code is used up either way; a code that comes twice ends the login (RFC 6749, 4.1.2)."""
    now = await uow.now()
    found = await logins.take_code(uow.connection, command.code, now)
    if found is None:
        return None
    code, login = found
    if login.reader != command.client.name:
        return None
    if code.used_at is not None:
        await end_login(uow, login)
        return None
    asked_alike = command.redirect_uri == code.redirect_uri and proves(command.verifier, code.challenge)
    if not asked_alike or now >= code.expires_at or not login.lives(now):
        return None
    return Grant(login, await _new_refresh_token(uow, login), code.nonce)


@dataclass(frozen=True, slots=True)
class Renew:
    """A service asks for new tokens of a login."""

    client: Client
    refresh_token: str


async def renew(command: Renew, uow: UnitOfWork) -> Grant | None:
    """None = invalid_grant. Each refresh token is good once; one that comes twice was copied, and ends the login (RFC 9700, 4.14)."""
    now = await uow.now()
    found = await logins.find_refresh_token(uow.connection, command.refresh_token)
    if found is None or found[1].reader != command.client.name:
        return None
    used, login = found
    if used:
        await end_login(uow, login)
        return None
    if not login.lives(now):
        return None
    await logins.mark_used(uow.connection, command.refresh_token, now)
    return Grant(login, await _new_refresh_token(uow, login), None)


async def _new_refresh_token(uow: UnitOfWork, login: Login) -> str:
    token = b64(secrets.token_bytes(32))
    await logins.add_refresh_token(uow.connection, token, login.id)
    return token

"""A login is vouched for anew every five minutes, so that one which ended at identity can't go on here unseen."""

import time
from typing import Any

import structlog
from fastapi import Request
from sqlalchemy import delete, select, update

from servicekit.crypto import CannotOpenError
from servicekit.delivery.outbox import Begin
from servicekit.delivery.tables import browser_sessions
from servicekit.problems import Problem
from servicekit.web.browser_session import BrowserSession, open_tokens, seal_tokens
from servicekit.web.identity_client import IdentityAwayError, IdentityClient, RefusedByIdentityError, TokenAnswer

TOKEN_SECONDS = 300
"""Age at which a token is renewed."""
GRACE_SECONDS = 600
"""How much older it may get while identity is away: ended sessions are still told over Kafka. After that we refuse."""

log = structlog.get_logger("renewal")


async def renew(request: Request, session: BrowserSession) -> bool:
    """Whether the login still holds; asks identity if its token is old. Raises Problem 503 if identity has been away too long."""
    if session.record.tokens_sealed is None:
        return False
    age = _age(request, session.token, session.record.tokens_sealed)
    if age is not None and age < TOKEN_SECONDS:
        return True
    try:
        holds = await _ask(request, session)
    except IdentityAwayError:
        if age is None or age > TOKEN_SECONDS + GRACE_SECONDS:
            raise Problem(503, headers={"Retry-After": "10"}) from None
        log.warning("identity is away; login not renewed")
        return True
    if not holds:
        session.record.login = session.record.tokens_sealed = None
        session.record.saved = False
        session.record.ended = True
    return holds


def refresh_token_of(session: BrowserSession) -> str | None:
    """The refresh token of a login; none where there is none, or it can't be read."""
    try:
        return str(open_tokens(session.token, session.record.tokens_sealed or b"")["refresh"])
    except (CannotOpenError, KeyError):
        return None


async def revoke(client: IdentityClient, refresh: str) -> None:
    """Tell identity that a login is over; does identity not answer, the login ends there by itself."""
    try:
        await client.revoke(refresh)
    except IdentityAwayError:
        log.warning("identity is away; a login ends there by itself")


async def _ask(request: Request, session: BrowserSession) -> bool:
    """Under a lock on the session's row: a refresh token is good once, and two requests may come together."""
    begin: Begin = request.app.state.begin
    mine = browser_sessions.c.id_hash == session.id_hash
    async with begin() as uow:
        sealed = await uow.connection.scalar(select(browser_sessions.c.tokens_sealed).where(mine).with_for_update())
        if sealed is None:
            return False
        age = _age(request, session.token, sealed)
        if age is None or age >= TOKEN_SECONDS:
            answer = await _renewed(request, open_tokens(session.token, sealed) if age is not None else {}, session)
            if answer is None:
                await uow.connection.execute(delete(browser_sessions).where(mine))
                return False
            sealed = seal_tokens(session.token, answer.kept())
            await uow.connection.execute(update(browser_sessions).where(mine).values(tokens_sealed=sealed))
        session.record.tokens_sealed = sealed
    return True


async def _renewed(request: Request, tokens: dict[str, Any], session: BrowserSession) -> TokenAnswer | None:
    try:
        answer = await IdentityClient.of(request.app).renew(str(tokens["refresh"]))
    except (RefusedByIdentityError, KeyError):
        return None
    same = answer.claims["sub"] == str(session.subject) and answer.claims.get("sid") == str(session.sid)
    return answer if same else None


def _age(request: Request, token: str, sealed: bytes) -> float | None:
    """Seconds since the tokens were given; none where they can't be read."""
    try:
        issued: float = open_tokens(token, sealed)["issued_at"]
    except (CannotOpenError, KeyError):
        return None
    offset: float = request.app.state.settings.clock_offset_seconds
    return time.time() + offset - issued

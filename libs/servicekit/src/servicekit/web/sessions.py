"""Who is here: the session of each request, and the doors for those who have logged in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NoReturn
from urllib.parse import quote, urlsplit
from uuid import UUID

from contracts.codes import LevelOfAssurance
from fastapi import Depends, Request

from servicekit.delivery.outbox import Begin
from servicekit.problems import Problem, reads_pages
from servicekit.web import cookie
from servicekit.web.browser_session import (
    BrowserSession,
    Login,
    SessionGoneError,
    end,
    load,
    log_in,
    new_record,
    on_session_ended,
    save,
)
from servicekit.web.identity_client import IdentityClient
from servicekit.web.interrupted import InterruptedFormError
from servicekit.web.renewal import refresh_token_of, renew, revoke

__all__ = [
    "BrowserSession",
    "KnownSession",
    "Login",
    "SessionGoneError",
    "SessionNow",
    "StaffMember",
    "StaffSession",
    "YouthSession",
    "current_session",
    "end",
    "fresh_session",
    "leave",
    "log_in",
    "login_address",
    "on_session_ended",
    "reaches",
    "save",
    "youth_session_at",
]

LOGIN_PATHS = {"youth": "/logg-inn", "staff": "/ansatt/logg-inn"}
FRONTS = {"youth": "/", "staff": "/ansatt"}
"""Where a login leads that was begun nowhere in particular."""
_revocations: set[asyncio.Task[None]] = set()
_RANKS = {level.value: rank for rank, level in enumerate(LevelOfAssurance)}


def reaches(level: str | None, wanted: str) -> bool:
    """Whether a level of assurance is as high as another, by rank; an unknown one reaches nothing."""
    return level in _RANKS and wanted in _RANKS and _RANKS[level] >= _RANKS[wanted]


async def current_session(request: Request) -> BrowserSession:
    """The browser's session; anonymous and unsaved where it has none."""
    token = cookie.token_of(request)
    if token is None:
        return fresh_session(request)
    begin: Begin = request.app.state.begin
    async with begin() as uow:
        record = await load(uow, token)
    cookie.remember(request, record)
    return BrowserSession(record)


def fresh_session(request: Request) -> BrowserSession:
    """A new anonymous session, whatever cookie came along. If it's saved, it takes the place of the one in the browser."""
    record = new_record()
    cookie.remember(request, record)
    return BrowserSession(record)


SessionNow = Annotated[BrowserSession, Depends(current_session)]


@dataclass(frozen=True, slots=True)
class KnownSession(BrowserSession):
    """The session of someone who has logged in."""

    @property
    def login(self) -> Login:
        if self.record.login is None:
            raise SessionGoneError
        return self.record.login

    @property
    def subject(self) -> UUID:
        return self.login.subject

    @property
    def sid(self) -> UUID:
        return self.login.sid

    @property
    def level(self) -> str:
        return self.login.level

    @property
    def auth_time(self) -> datetime:
        return self.login.auth_time


@dataclass(frozen=True, slots=True)
class StaffMember(KnownSession):
    """The session of someone at work: always on behalf of an organisation."""

    @property
    def organisation(self) -> str:
        return self.login.organisation or ""

    @property
    def organisation_name(self) -> str:
        return self.login.organisation_name or ""


async def youth_session(request: Request, session: SessionNow) -> KnownSession:
    """A youth who has logged in; else the way to the login page (pages) or 401 (programs)."""
    if session.login is None or session.organisation is not None or not await renew(request, session):
        _ask_to_log_in(request, "youth")
    return KnownSession(session.record)


async def staff_session(request: Request, session: SessionNow) -> StaffMember:
    """Someone at work who has logged in; else the way to the staff login page (pages) or 401 (programs)."""
    if session.login is None or session.organisation is None or not await renew(request, session):
        _ask_to_log_in(request, "staff")
    return StaffMember(session.record)


YouthSession = Annotated[KnownSession, Depends(youth_session)]
StaffSession = Annotated[StaffMember, Depends(staff_session)]


def youth_session_at(level: str) -> Callable[..., Awaitable[KnownSession]]:
    """A dependency for what needs a higher level of assurance: leads to a login at that level."""

    async def at_level(request: Request, session: YouthSession) -> KnownSession:
        if not reaches(session.level, level):
            _ask_to_log_in(request, "youth", level)
        return session

    return at_level


async def leave(request: Request) -> None:
    """The quick exit: forget the session here at once, then let identity end the login. Never fails for want of either."""
    session = await current_session(request)
    begin: Begin = request.app.state.begin
    async with begin() as uow:
        refresh = refresh_token_of(session)
        await end(uow, session)
    if refresh is not None:
        task = asyncio.create_task(revoke(IdentityClient.of(request.app), refresh))
        _revocations.add(task)
        task.add_done_callback(_revocations.discard)


def _ask_to_log_in(request: Request, who: str, level: str | None = None) -> NoReturn:
    if not reads_pages(request):
        raise Problem(401, headers={"WWW-Authenticate": "Bearer"})
    location = (login_address(request, who) or "/") + (f"&niva={level}" if level else "")
    headers = {"Location": location, "Cache-Control": "no-store"}
    if request.method not in ("GET", "HEAD"):
        raise InterruptedFormError(303, "not_logged_in", who=who, headers=headers)
    raise Problem(303, "not_logged_in", headers=headers)


def login_address(request: Request, who: str | None) -> str | None:
    """Where youths or staff log in, and come back to the page that was asked for; None where no login is needed."""
    return f"{LOGIN_PATHS[who]}?neste={quote(_way_back(request), safe='/')}" if who else None


def _way_back(request: Request) -> str:
    """The page that was asked for, or that the form stood on. Without its query, which may say something about her."""
    if request.method in ("GET", "HEAD"):
        return request.url.path
    page = urlsplit(request.headers.get("referer", ""))
    return page.path if page.netloc == request.headers.get("host") and page.path.startswith("/") else "/"

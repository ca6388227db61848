"""What every page of a youth needs: what her browser holds, whether she said that the login is hers, errors as pages."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from servicekit.crypto import Vault, b64, unb64
from servicekit.idempotency import KeyReusedError
from servicekit.problems import Problem
from servicekit.web.form import new_form
from servicekit.web.sessions import BrowserSession, KnownSession, SessionGoneError, YouthSession
from webkit import Pages

from helpjourney.domain.appointments import NotNowError
from helpjourney.domain.journeys import CareStartedError
from helpjourney.handlers.appointments import TooManyWishesError
from helpjourney.handlers.binding import Opener
from helpjourney.handlers.presenting import HOLDER_BYTES
from helpjourney.settings import Settings
from helpjourney.store.appointments import AppointmentNotFoundError
from helpjourney.store.journeys import JourneyNotFoundError
from helpjourney.store.units import UnitNotFoundError

HOLDER_COOKIE = "__Host-inn"
"""The key to what this browser presented. It outlives a login, which gives the session a new name, and opens nothing alone."""
HOLDER_SECONDS = 7200
RENEW_SECONDS = 3
"""How often a page looks again whether what she brought has come."""
CONFIRMED = "confirmed"
"""In the session's state: the login that she said yes to."""
PROBLEMS: dict[type[Exception], int] = {
    JourneyNotFoundError: 404,
    AppointmentNotFoundError: 404,
    UnitNotFoundError: 404,
    NotNowError: 409,
    CareStartedError: 409,
    TooManyWishesError: 409,
    KeyReusedError: 409,
    SessionGoneError: 401,
}


@contextmanager
def problems(*passed_on: type[Exception]) -> Iterator[None]:
    """What is true in the domain, as a status. `passed_on`: what has a page of its own."""
    try:
        yield
    except tuple(PROBLEMS) as error:
        if isinstance(error, passed_on):
            raise
        raise Problem(PROBLEMS[type(error)]) from error


def settings_of(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def vault_of(request: Request) -> Vault:
    return Vault(request.app.state.keys.vault)


def opener_of(request: Request) -> Opener:
    return Opener(request.app.state.keys.encryption, vault_of(request))


def new_holder() -> bytes:
    """A holder key for one browser."""
    return secrets.token_bytes(HOLDER_BYTES)


def holder_of(request: Request) -> bytes | None:
    """The holder key that the browser has, if it has one."""
    try:
        token = unb64(request.cookies.get(HOLDER_COOKIE, ""))
    except ValueError:
        return None
    return token if len(token) == HOLDER_BYTES else None


def hold(response: Response, token: bytes) -> Response:
    """Have the browser keep a holder key: this host only, unseen by scripts."""
    response.set_cookie(HOLDER_COOKIE, b64(token), HOLDER_SECONDS, path="/", secure=True, httponly=True, samesite="lax")
    return response


def let_go_of(response: Response) -> Response:
    """Have the browser forget its holder key."""
    response.delete_cookie(HOLDER_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


def render(request: Request, session: BrowserSession, template: str, status: int = 200, **context: object) -> Response:
    """A page. `new_form()` in a template is a form of this session with a key of its own."""
    pages: Pages = request.app.state.pages
    return pages.render(request, template, status, new_form=partial(new_form, session), **context)  # type: ignore[arg-type]


def see_other(path: str) -> Response:
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


@dataclass(frozen=True, slots=True)
class Youth:
    """A youth who has logged in and said that the login is hers."""

    session: KnownSession
    subject: UUID
    auth_time: datetime
    born: date

    @property
    def login(self) -> str:
        """What wrong codes are counted by."""
        return str(self.subject)


def confirmation(session: BrowserSession) -> str:
    """Names one login: another one has to be confirmed anew."""
    return session.auth_time.isoformat() if session.auth_time else ""


async def confirmed_youth(session: YouthSession) -> Youth:
    """Who said yes to "Er det deg?"; else the way to that page."""
    if session.state.get(CONFIRMED) != confirmation(session):
        raise Problem(303, "not_logged_in", headers={"Location": "/er-det-deg", "Cache-Control": "no-store"})
    return as_youth(session)


def as_youth(session: KnownSession) -> Youth:
    """Without a date of birth nobody can be received: 403, and the page says what else there is."""
    if session.birthdate is None:
        raise Problem(403, "refused")
    return Youth(session, session.subject, session.auth_time, session.birthdate)


Confirmed = Annotated[Youth, Depends(confirmed_youth)]

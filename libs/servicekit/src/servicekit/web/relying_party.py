"""The service as a relying party of identity: an own page before the login, the way there and back, and logout.

A login starts by an ordinary link, since `form-action` of the content security policy also stops redirects after a form.
The pages are `webkit/login.html` and `webkit/logged_out.html`; a service with a template of that name shows its own.
"""

import hmac
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import structlog
from contracts.codes import LevelOfAssurance
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.routing import NoMatchFound

from servicekit.problems import Problem
from servicekit.web.browser_session import Login, end, log_in
from servicekit.web.cookie import host_cookie
from servicekit.web.identity_client import IdentityAwayError, IdentityClient, RefusedByIdentityError
from servicekit.web.login_attempt import LOGIN_COOKIE, LOGOUT_COOKIE, SECONDS, LoginAttempt, opened_sid, sealed_sid
from servicekit.web.renewal import refresh_token_of, revoke
from servicekit.web.sessions import FRONTS, LOGIN_PATHS, SessionNow, reaches
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction

LOGIN_PAGE, LOGGED_OUT_PAGE = "webkit/login.html", "webkit/logged_out.html"
LOGOUT_PATHS = {"youth": "/logg-ut", "staff": "/ansatt/logg-ut"}
FRESH_LEEWAY = 5
"""Seconds that identity's clock may be behind ours when a fresh login is asked for."""
REASONS = {
    "access_denied": "aborted",
    "unmet_authentication_requirements": "level_too_low",
    "login_refused": "refused",
    "temporarily_unavailable": "away",
    "server_error": "away",
}
"""Identity's errors -> what the page explains."""
STATUSES = {"aborted": 200, "old": 400, "failed": 400, "away": 503}
LOWEST = {"youth": LevelOfAssurance.SUBSTANTIAL.value, "staff": LevelOfAssurance.HIGH.value}
"""What is asked for unless the page needs more: MinID is enough for a youth, staff always use the highest level."""

log = structlog.get_logger("login")
Back = Annotated[str, Query(alias="neste", max_length=500)]
Wanted = Annotated[str, Query(alias="niva", max_length=40)]
Fresh = Annotated[bool, Query(alias="fersk")]


def login_routes(*, youth: bool, staff: bool) -> APIRouter:
    """`/logg-inn` for youths and `/ansatt/logg-inn` for staff (only those that this service has), the way back, and the ways out.

    Staff log out at `/ansatt/logg-ut`, so that whatever is answered is said to staff. `/logg-ut` takes theirs as well, wherever they
    have a page open from before that.
    Query of the page and of its `/start`: `neste` (path to go on to), `niva` (level of assurance), `fersk=1` (no live login will do).
    For youths none ever does: their phones are shared, and the provider's own login outlives "Forlat siden".
    """
    router = APIRouter(include_in_schema=False)
    if youth:
        _add_start(router, "youth")
    if staff:
        _add_start(router, "staff")
    router.add_api_route("/logg-inn/tilbake", _come_back, name="login_return")
    for who, path in LOGOUT_PATHS.items():
        if who == "youth" or staff:
            router.add_api_route(path, _log_out, methods=["POST"], name=f"log_out_{who}")
            router.add_api_route(path, _show_logged_out, name=f"logged_out_{who}")
    return router


def _add_start(router: APIRouter, who: str) -> None:
    lowest, shared, front = LOWEST[who], who == "youth", FRONTS[who]

    async def explain(request: Request, neste: Back = front, niva: Wanted = lowest, fersk: Fresh = False) -> Response:
        return _page(request, LoginAttempt.begin(who, _known_level(niva), local_path(neste), fresh=fersk or shared), None)

    async def start(request: Request, neste: Back = front, niva: Wanted = lowest, fersk: Fresh = False) -> Response:
        return _leave_for_identity(request, LoginAttempt.begin(who, _known_level(niva), local_path(neste), fresh=fersk or shared))

    router.add_api_route(LOGIN_PATHS[who], explain, name=f"login_{who}")
    router.add_api_route(LOGIN_PATHS[who] + "/start", start, name=f"login_{who}_start")


def _leave_for_identity(request: Request, attempt: LoginAttempt) -> Response:
    asked = {
        "scope": f"openid {attempt.who}",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": "S256",
        "acr_values": attempt.level,
        "ui_locales": request.app.state.pages.language(request),
    }
    if attempt.fresh:
        asked |= {"prompt": "login", "max_age": "0"}
    response = RedirectResponse(IdentityClient.of(request.app).authorize_url(**asked), 303, {"Cache-Control": "no-store"})
    response.headers.append("Set-Cookie", host_cookie(LOGIN_COOKIE, attempt.sealed(request.app.state.keys.service), SECONDS))
    return response


async def _come_back(request: Request, session: SessionNow, begin: Transaction) -> Response:
    attempt = LoginAttempt.opened(request.cookies.get(LOGIN_COOKIE, ""), request.app.state.keys.service)
    if attempt is None or not _answers(request, attempt):
        return _explain(request, attempt, "old")
    if error := request.query_params.get("error"):
        return _explain(request, attempt, REASONS.get(error, "failed"))
    try:
        answer = await IdentityClient.of(request.app).exchange(request.query_params.get("code", ""), attempt.verifier, attempt.nonce)
    except RefusedByIdentityError:
        return _explain(request, attempt, "failed")
    except IdentityAwayError:
        return _explain(request, attempt, "away")
    if reason := _shortcoming(answer.claims, attempt):
        return _explain(request, attempt, reason)
    async with begin() as uow:
        offset = request.app.state.settings.clock_offset_seconds
        await log_in(uow, session, _login_of(answer.claims, attempt, offset), answer.kept())
    return _without(LOGIN_COOKIE, RedirectResponse(attempt.back, 303))


async def _log_out(request: Request, submitted: Submitted, begin: Transaction) -> Response:
    """Ends the login here and, over the back channel, at identity; the browser then goes there to end the provider's session."""
    sid, refresh = submitted.session.sid, refresh_token_of(submitted.session)
    staff = request.url.path == LOGOUT_PATHS["staff"] or submitted.session.organisation is not None
    async with begin() as uow:
        await end(uow, submitted.session)
    if refresh is not None:
        await revoke(IdentityClient.of(request.app), refresh)
    response = RedirectResponse(LOGOUT_PATHS["staff" if staff else "youth"], 303, {"Cache-Control": "no-store"})
    if sid is not None:
        response.headers.append("Set-Cookie", host_cookie(LOGOUT_COOKIE, sealed_sid(str(sid), request.app.state.keys.service), SECONDS))
    return response


async def _show_logged_out(request: Request, session: SessionNow) -> Response:
    """Logged out here; the page itself goes on to identity, since a redirect after a form may not leave this host.

    Who isn't is led to where the button is: a form that failed has its way back here.
    """
    if session.login is not None:
        return RedirectResponse(FRONTS["staff" if session.organisation is not None else "youth"], 303, {"Cache-Control": "no-store"})
    sid = opened_sid(request.cookies.get(LOGOUT_COOKIE, ""), request.app.state.keys.service)
    everywhere = IdentityClient.of(request.app).end_session_url(sid) if sid else None
    headers = {"Refresh": f"0; url={everywhere}"} if everywhere else {}
    return _without(LOGOUT_COOKIE, request.app.state.pages.render(request, LOGGED_OUT_PAGE, headers=headers, everywhere=everywhere))


def local_path(asked: str) -> str:
    """A path on this host; `/` for anything that could lead elsewhere."""
    fine = asked.startswith("/") and not asked.startswith("//") and asked.isprintable() and "\\" not in asked
    return asked if fine else "/"


def _answers(request: Request, attempt: LoginAttempt) -> bool:
    """Whether this is identity's answer (RFC 9207) to what this browser asked (state)."""
    sent = request.query_params.get("state", "")
    same = hmac.compare_digest(sent.encode(), attempt.state.encode())
    return same and request.query_params.get("iss") == IdentityClient.of(request.app).issuer


def _shortcoming(claims: dict[str, Any], attempt: LoginAttempt) -> str | None:
    """Why a token that is in order isn't what was asked for."""
    if not reaches(claims.get("acr"), attempt.level):
        return "level_too_low"
    if attempt.fresh and int(claims.get("auth_time", 0)) < attempt.started_at - FRESH_LEEWAY:
        return "not_fresh"
    if (attempt.who == "staff") != ("organisation" in claims):
        return "failed"
    return None


def _login_of(claims: dict[str, Any], attempt: LoginAttempt, offset: float) -> Login:
    """A fresh login came after it was asked for; `auth_time` alone counts whole seconds and can't tell which of two came first."""
    proven_at = float(int(claims["auth_time"]))
    if attempt.fresh:
        proven_at = max(proven_at, attempt.started_at + offset)
    return Login(
        subject=UUID(claims["sub"]),
        sid=UUID(claims["sid"]),
        level=str(claims["acr"]),
        auth_time=datetime.fromtimestamp(proven_at, UTC),
        birthdate=date.fromisoformat(claims["birthdate"]) if claims.get("birthdate") else None,
        organisation=claims.get("organisation"),
        organisation_name=claims.get("organisation_name"),
        roles=frozenset(claims.get("roles", ())),
        hpr_number=claims.get("hpr_number"),
        unit=UUID(claims["unit"]) if claims.get("unit") else None,
    )


def _explain(request: Request, attempt: LoginAttempt | None, reason: str) -> Response:
    log.info("login not completed", reason=reason)
    return _without(LOGIN_COOKIE, _page(request, attempt or _fresh_attempt(request), reason))


def _fresh_attempt(request: Request) -> LoginAttempt:
    """To begin again where nothing is known of the attempt: as a youth, where youths log in at all."""
    try:
        request.app.url_path_for("login_youth")
    except NoMatchFound:
        return LoginAttempt.begin("staff", LOWEST["staff"], FRONTS["staff"], fresh=False)
    return LoginAttempt.begin("youth", LOWEST["youth"], FRONTS["youth"], fresh=False)


def _page(request: Request, attempt: LoginAttempt, reason: str | None) -> Response:
    query = {"neste": attempt.back, "niva": attempt.level, **({"fersk": "1"} if attempt.fresh else {})}
    start = f"{LOGIN_PATHS[attempt.who]}/start?{urlencode(query)}"
    response: Response = request.app.state.pages.render(
        request,
        LOGIN_PAGE,
        STATUSES.get(reason, 403) if reason else 200,
        level="staff" if attempt.who == "staff" else None,
        who=attempt.who,
        start=start,
        reason=reason,
        wanted=attempt.level,
    )
    return response


def _known_level(asked: str) -> str:
    if asked not in {level.value for level in LevelOfAssurance}:
        raise Problem(400)
    return asked


def _without(cookie: str, response: Response) -> Response:
    response.headers.append("Set-Cookie", host_cookie(cookie, "", max_age=0))
    response.headers["Cache-Control"] = "no-store"  # on the open services too: the page answers one person's login
    return response


router = login_routes(youth=True, staff=True)
"""For a service that knows both youths and staff."""

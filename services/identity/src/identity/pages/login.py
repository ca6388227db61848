"""The way through: a service's wish to log someone in, out to a provider, and back with a code or with an explanation."""

import math
import time
from itertools import product
from urllib.parse import urlencode
from uuid import UUID, uuid4

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from prometheus_client import Counter
from servicekit.problems import Problem
from servicekit.web import sessions
from servicekit.web.cookie import host_cookie
from servicekit.web.sessions import SessionNow
from servicekit.web.transaction import Transaction
from webkit import Pages

from identity.clients import BadAnswerError, ProviderAwayError, SpentCodeError
from identity.context import Here
from identity.domain.clients import Client, InvalidRequestError, LoginRequest, UnknownClientError, read_login_request
from identity.domain.limits import MOST_ATTEMPTS
from identity.domain.providers import CLIENT_ERRORS, POLICIES, Accepted, Refusal, judge, provider_for
from identity.handlers.logins import LetIn, TurnAway, let_in, turn_away
from identity.pages.attempts import SECONDS, Attempt, begun, cookie_name
from identity.pages.ways import work_at

router = APIRouter(include_in_schema=False)
log = structlog.get_logger("login")
LOGINS = Counter("stegvis_logins_total", "Logins that ended, by provider and how", ["provider", "outcome"])
COMPLETED = "completed"
for _labels in product(POLICIES, (COMPLETED, *Refusal)):
    LOGINS.labels(*_labels)  # from zero: the first failure counts
UPSTREAM_ERRORS = {
    "access_denied": Refusal.ABORTED,
    "unmet_authentication_requirements": Refusal.LEVEL_TOO_LOW,
    "temporarily_unavailable": Refusal.AWAY,
    "server_error": Refusal.AWAY,
}
STATUSES = {Refusal.ABORTED: 200, Refusal.AWAY: 503, Refusal.FAILED: 502}


@router.get("/authorize")
async def authorize(request: Request, here: Here, begin: Transaction) -> Response:
    """A client's authorization request; nothing is kept here until someone comes back."""
    sent = _single(request)
    try:
        asked = read_login_request(sent, here.clients)
    except UnknownClientError as error:
        raise Problem(400) from error
    except InvalidRequestError as error:
        log.info("request refused", client=error.client.name, code=error.code)
        return RedirectResponse(_to_client(here, error.client, error.state, error=error.code), 303, {"Cache-Control": "no-store"})
    if begun(request.cookies) >= MOST_ATTEMPTS:
        return _slow_down(here, request, asked, "often", SECONDS)
    if wait := here.limits.logins.take(asked.client.name, time.monotonic()):
        log.warning("too many logins", client=asked.client.name)
        return _slow_down(here, request, asked, "busy", wait)
    attempt = Attempt.begin(sent, provider_for(asked.scope).name)
    try:
        target = await here.upstreams[attempt.provider].login_url(
            state=attempt.state,
            nonce=attempt.nonce,
            challenge=attempt.challenge,
            level=asked.level.value,
            fresh=asked.fresh,
            language=asked.language,
        )
    except ProviderAwayError as error:
        log.warning("provider is away", provider=attempt.provider, reason=str(error))
        return await _turn_away(request, here, begin, asked, Refusal.AWAY)
    response = RedirectResponse(target, 303, {"Cache-Control": "no-store"})
    cookie = host_cookie(cookie_name(attempt.state), attempt.sealed(request.app.state.keys.service), SECONDS)
    response.headers.append("Set-Cookie", cookie)
    return response


@router.get("/tilbake/{provider}")
async def come_back(request: Request, provider: str, here: Here, session: SessionNow, begin: Transaction) -> Response:
    """Someone comes back from a provider; only in the browser that was sent there."""
    sent = _single(request)
    state = sent.get("state", "")
    attempt = Attempt.opened(request.cookies.get(cookie_name(state), ""), state, request.app.state.keys.service)
    if attempt is None or attempt.provider != provider:
        return _without(state, _page(request, "old", 400))
    asked = read_login_request(attempt.sent, here.clients)
    try:
        outcome = await _outcome(sent, attempt, asked, here)
    except SpentCodeError:
        log.info("code refused", provider=provider, reader=asked.client.name)
        return _without(state, _page(request, "old", 400))
    if isinstance(outcome, Refusal):
        return _without(state, await _turn_away(request, here, begin, asked, outcome))
    browser = UUID(session.state.setdefault("browser", str(uuid4())))
    async with begin() as uow:
        welcome = await let_in(LetIn(asked, outcome, browser, here.bucket_seconds), uow, here.people)
        await sessions.log_in(uow, session, _own_login(welcome.person_id, welcome.login_id, outcome))
    LOGINS.labels(attempt.provider, COMPLETED).inc()
    log.info("let in", provider=provider, reader=asked.client.name, assurance=outcome.proof.level)
    target = _to_client(here, asked.client, asked.state, code=welcome.code)
    return _without(state, RedirectResponse(target, 303, {"Cache-Control": "no-store"}))


async def _outcome(sent: dict[str, str], attempt: Attempt, asked: LoginRequest, here: Here) -> Accepted | Refusal:
    upstream = here.upstreams[attempt.provider]
    try:
        metadata = await upstream.metadata()
        named = sent.get("iss")
        if named != metadata["issuer"] and (named is not None or metadata.get("authorization_response_iss_parameter_supported")):
            raise BadAnswerError("issuer")
        if "error" in sent:
            return UPSTREAM_ERRORS.get(sent["error"], Refusal.FAILED)
        proof = await upstream.finish(sent.get("code", ""), attempt.verifier, attempt.nonce)
    except ProviderAwayError as error:
        log.warning("provider is away", provider=attempt.provider, reason=str(error))
        return Refusal.AWAY
    except BadAnswerError as error:
        log.warning("answer refused", provider=attempt.provider, reason=str(error))
        return Refusal.FAILED
    return judge(proof, asked, attempt.asked, synthetic=here.synthetic)


def _own_login(person_id: UUID, login_id: UUID, accepted: Accepted) -> sessions.Login:
    staff = accepted.proof.staff
    return sessions.Login(
        subject=person_id,
        sid=login_id,
        level=accepted.proof.level,
        auth_time=accepted.proof.auth_time,
        organisation=staff.organisation if staff else None,
    )


async def _turn_away(request: Request, here: Here, begin: Transaction, asked: LoginRequest, reason: Refusal) -> Response:
    LOGINS.labels(provider_for(asked.scope).name, reason.value).inc()
    log.info("turned away", reason=reason.value, reader=asked.client.name)
    async with begin() as uow:
        await turn_away(TurnAway(asked, reason, here.bucket_seconds), uow)
    back = _to_client(here, asked.client, asked.state, error=CLIENT_ERRORS.get(reason, "login_refused"))
    shown = {"back": back, "scope": asked.scope.value, "wanted": asked.level.value, "reader": asked.client.name}
    return _page(request, reason.value, STATUSES.get(reason, 403), **shown)


def _slow_down(here: Here, request: Request, asked: LoginRequest, reason: str, wait: float) -> Response:
    """429. `often`: this browser began too many; `busy`: the service did. `wait` in seconds."""
    back = _to_client(here, asked.client, asked.state, error="temporarily_unavailable") if reason == "busy" else ""
    response = _page(request, reason, 429, back=back, scope=asked.scope.value, reader=asked.client.name)
    response.headers["Retry-After"] = str(math.ceil(wait))
    return response


def _page(request: Request, reason: str, status: int, **more: str) -> Response:
    shown = {"back": "", "scope": "youth", "wanted": "", "reader": "", **more}
    pages: Pages = request.app.state.pages
    at_work = {"level": "staff", "front": work_at(pages, shown["reader"])} if shown["scope"] == "staff" else {}
    return pages.render(request, "refused.html", status, reason=reason, **at_work, **shown)  # type: ignore[arg-type]


def _single(request: Request) -> dict[str, str]:
    """Parameters, each at most once (RFC 6749, 3.1). Raises Problem."""
    pairs = request.query_params.multi_items()
    if len({name for name, _ in pairs}) != len(pairs):
        raise Problem(400)
    return dict(pairs)


def _to_client(here: Here, client: Client, state: str, **answer: str) -> str:
    """The client's own address with the answer, named as ours (RFC 9207)."""
    return f"{client.redirect_uri}?{urlencode({**answer, 'state': state, 'iss': here.issuer.name})}"


def _without(state: str, response: Response) -> Response:
    response.headers.append("Set-Cookie", host_cookie(cookie_name(state), "", max_age=0))
    return response

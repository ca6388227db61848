"""Logout in the browser: identity's own end of it, the provider's, and the page that says it's done."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from servicekit.web.form import new_form
from servicekit.web.sessions import SessionNow
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction
from webkit import Pages

from identity.context import Here
from identity.domain.clients import Scope
from identity.domain.providers import POLICIES, ProviderPolicy, provider_for
from identity.handlers.endings import EndBySid, end_by_sid
from identity.pages.ways import work_at
from identity.queries import provider_of

router = APIRouter(include_in_schema=False)
AT_WORK = ".ansatt"
"""After the client's name in `state`: it was somebody of the staff who logged out there."""


@router.get("/end_session")
async def wish(
    request: Request,
    here: Here,
    session: SessionNow,
    begin: Transaction,
    client_id: Annotated[str, Query(max_length=40)] = "",
    logout_hint: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """RP-Initiated Logout 1.0. The service has already ended the login over the back channel: then the browser goes on to the
    provider. Has it not, the person is asked: a link changes nothing."""
    sid = _uuid(logout_hint)
    if client_id not in here.clients or sid is None:
        return RedirectResponse("/logget-ut", 303, {"Cache-Control": "no-store"})
    async with begin() as uow:
        found = await provider_of(uow, client_id, sid)
    if found is None:
        return RedirectResponse("/logget-ut", 303, {"Cache-Control": "no-store"})
    policy, lives = POLICIES[found[0]], found[1]
    upstream = await here.upstreams[policy.name].logout_url(_state(client_id, policy))
    if not lives:
        return RedirectResponse(upstream or _only_here(client_id, policy), 303, {"Cache-Control": "no-store"})
    shown = {"form": new_form(session), "client_id": client_id, "sid": str(sid), "form_action": (upstream,) if upstream else ()}
    return _page(request, "log_out.html", client_id, policy, **shown)


@router.post("/end_session")
async def log_out(submitted: Submitted, here: Here, begin: Transaction) -> Response:
    """Her yes on the page above."""
    client_id, sid = submitted.choice("client_id", list(here.clients)), submitted.uuid("sid")
    async with begin() as uow:
        login = await end_by_sid(EndBySid(client_id, sid), uow)
    policy = POLICIES[login.provider] if login else provider_for(Scope.YOUTH)
    upstream = await here.upstreams[policy.name].logout_url(_state(client_id, policy)) if login else None
    return RedirectResponse(upstream or _only_here(client_id, policy), 303, {"Cache-Control": "no-store"})


@router.get("/logget-ut")
async def logged_out(request: Request, here: Here, state: Annotated[str, Query(max_length=40)] = "", her: bool = False) -> Response:
    """Where the provider sends the browser afterwards. `her`: the provider could not be reached, so its own session may live on."""
    reader = state.removesuffix(AT_WORK)
    policy = provider_for(Scope.YOUTH if state == reader else Scope.STAFF)
    if reader not in here.clients:
        return _page(request, "logged_out.html", "info", policy, ended="nothing")
    return _page(request, "logged_out.html", reader, policy, ended="here" if her else "everywhere")


def _page(request: Request, template: str, reader: str, policy: ProviderPolicy, **shown: object) -> Response:
    """A page that leads back to where the login was: youths to the reader's front page, staff to their work there."""
    pages: Pages = request.app.state.pages
    staff = policy.scope is Scope.STAFF
    back = work_at(pages, reader) if staff else pages.urls[reader]
    at_work = {"level": "staff", "front": back} if staff else {}
    return pages.render(request, template, provider=policy.title, back=back, staff=staff, **at_work, **shown)  # type: ignore[arg-type]


def _state(client_id: str, policy: ProviderPolicy) -> str:
    return client_id + (AT_WORK if policy.scope is Scope.STAFF else "")


def _only_here(client_id: str, policy: ProviderPolicy) -> str:
    return f"/logget-ut?state={_state(client_id, policy)}&her=1"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

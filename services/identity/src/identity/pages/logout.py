"""Logout in the browser: identity's own end of it, the provider's, and the page that says it's done."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from servicekit.web.form import new_form
from servicekit.web.sessions import SessionNow
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction

from identity.context import Here
from identity.handlers.endings import EndBySid, end_by_sid
from identity.queries import provider_of

router = APIRouter(include_in_schema=False)


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
    provider, lives = found
    upstream = await here.upstreams[provider].logout_url(client_id)
    if not lives:
        return RedirectResponse(upstream or _only_here(client_id), 303, {"Cache-Control": "no-store"})
    page: Response = request.app.state.pages.render(
        request, "log_out.html", form=new_form(session), client_id=client_id, sid=str(sid), form_action=(upstream,) if upstream else ()
    )
    return page


@router.post("/end_session")
async def log_out(submitted: Submitted, here: Here, begin: Transaction) -> Response:
    """Her yes on the page above."""
    client_id, sid = submitted.choice("client_id", list(here.clients)), submitted.uuid("sid")
    async with begin() as uow:
        login = await end_by_sid(EndBySid(client_id, sid), uow)
    upstream = await here.upstreams[login.provider].logout_url(client_id) if login else None
    return RedirectResponse(upstream or _only_here(client_id), 303, {"Cache-Control": "no-store"})


@router.get("/logget-ut")
async def logged_out(request: Request, here: Here, state: Annotated[str, Query(max_length=40)] = "", her: bool = False) -> Response:
    """Where the provider sends the browser afterwards. `her`: the provider could not be reached, so its own session may live on."""
    ended = "nothing" if state not in here.clients else "here" if her else "everywhere"
    reader = state if state in here.clients else "info"
    page: Response = request.app.state.pages.render(request, "logged_out.html", reader=reader, ended=ended)
    return page


def _only_here(client_id: str) -> str:
    return f"/logget-ut?state={client_id}&her=1"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

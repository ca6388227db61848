"""My sessions: where I'm logged in now, and the end of each."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from servicekit.problems import Problem
from servicekit.web.form import new_form
from servicekit.web.sessions import BrowserSession, SessionNow
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction
from webkit.texts import places

from identity.handlers.endings import EndMine, end_mine
from identity.queries import login_lives, my_logins

router = APIRouter(include_in_schema=False)
ALL = "alle"
Ended = Annotated[bool, Query(alias="avsluttet")]


@router.get("/mine-innlogginger")
async def mine(request: Request, session: SessionNow, begin: Transaction, ended: Ended = False) -> Response:
    """The list; or, for someone who isn't logged in here, how to get it. `ended`: she has just ended some."""
    if not await _is_in(session, begin) or session.subject is None or session.sid is None:
        empty: Response = request.app.state.pages.render(request, "mine.html", logins=None, form=None, ended=ended)
        return empty
    browser = session.state.get("browser")
    async with begin() as uow:
        logins = await my_logins(uow, session.subject, UUID(browser) if browser else None)
    level = "staff" if session.organisation else "known"
    names = {service: place.name_at(level) for service, place in places().items()}
    shown = {"logins": logins, "names": names, "form": lambda: new_form(session), "ended": ended}
    page: Response = request.app.state.pages.render(request, "mine.html", **shown)
    return page


@router.post("/mine-innlogginger")
async def end(submitted: Submitted, begin: Transaction) -> Response:
    """Ends one of the person's logins, or all."""
    session = submitted.session
    if not await _is_in(session, begin) or session.subject is None:
        raise Problem(401)
    chosen = None if submitted.text("login", most=36) == ALL else submitted.uuid("login")
    async with begin() as uow:
        await end_mine(EndMine(session.subject, chosen), uow)
    return RedirectResponse("/mine-innlogginger?avsluttet=1", 303, {"Cache-Control": "no-store"})


async def _is_in(session: BrowserSession, begin: Transaction) -> bool:
    if session.subject is None or session.sid is None:
        return False
    async with begin() as uow:
        return await login_lives(uow, session.sid, session.subject)

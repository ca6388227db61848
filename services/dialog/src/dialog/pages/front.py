"""The front pages: for youths ask, chat or call, and what is open now; for staff the desk that is theirs."""

from contracts.codes import Channel, ServiceKind
from contracts.info import HelpService
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from servicekit.web.sessions import StaffSession
from servicekit.web.transaction import Transaction

from dialog.domain.questions import StaffRole
from dialog.pages.question_desk import Look, StateNow
from dialog.queries.availability import chat_services
from dialog.queries.directory import all_help_services

router = APIRouter(default_response_class=HTMLResponse)

LINES_SHOWN = 4


@router.get("/")
async def choose(request: Request, begin: Transaction, look: Look, state: StateNow) -> HTMLResponse:
    async with begin() as uow:
        chats = [service for service in await chat_services(uow.connection) if service.takes_chats]
        lines = [service for service in await all_help_services(uow.connection) if is_line(service)]
    return look.render(request, "front.html", questions=state, chats=chats, lines=lines[:LINES_SHOWN])


@router.get("/ansatt")
async def work(session: StaffSession) -> RedirectResponse:
    """To the panel's desk or the helpers'."""
    return RedirectResponse("/ansatt/sporsmal" if session.roles & set(StaffRole) else "/ansatt/samtaler", 303)


def is_line(service: HelpService) -> bool:
    """Somebody answers the phone there."""
    return bool(service.phone) and service.kind == ServiceKind.PHONE_LINE and Channel.PHONE in service.channels

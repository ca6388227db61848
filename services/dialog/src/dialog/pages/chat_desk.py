"""What the pages of chats and handoffs take from their process, and what they have in common."""

from dataclasses import dataclass, field
from datetime import datetime, time
from functools import partial
from typing import Annotated
from uuid import UUID

from contracts.codes import Urgency
from contracts.info import HelpService
from fastapi import Depends, Request
from servicekit.crypto import Vault
from servicekit.idempotency import KeyReusedError
from servicekit.problems import Problem
from servicekit.web.sessions import SessionNow, StaffMember, StaffSession
from servicekit.web.submission import Submission
from servicekit.web.transaction import Transaction
from webkit.dates import OSLO
from webkit.i18n import Translation, mark

from dialog.domain.chats import LONGEST_MESSAGE, Chat, ChatClosedError, ChatNotFoundError, EmptyMessageError, MessageTooLongError
from dialog.domain.handoffs import Life
from dialog.domain.questions import StaffRole
from dialog.domain.retention import Retention
from dialog.handlers.chats import SayInChat, say_in_chat
from dialog.handlers.handoffs import Seal
from dialog.handlers.receipts import browser_hash
from dialog.pages.question_desk import act_once
from dialog.queries.chats import find_chat, find_own_chat, open_chat_of

CHAT = "chat"
"""Name in the session's state of the chat that this browser has."""
HELPER_ROLE = "helper"
SUPERVISOR_ROLE = "supervisor"
DESKS = frozenset({HELPER_ROLE, SUPERVISOR_ROLE, *StaffRole})
"""Roles that open one of the two desks."""

RETENTIONS: dict[str, str] = {
    Retention.END_OF_CHAT: mark("Teksten slettes når samtalen er slutt."),
    Retention.ONE_WORKING_DAY: mark("Teksten slettes innen én arbeidsdag."),
    Retention.HOURS_72: mark("Teksten slettes etter tre døgn."),
    Retention.DAYS_7: mark("Teksten slettes etter sju døgn."),
}
URGENCIES: dict[str, str] = {
    Urgency.ROUTINE: mark("Det haster ikke"),
    Urgency.SOON: mark("I løpet av noen dager"),
    Urgency.TODAY: mark("I dag"),
}
LIVES: dict[str, str] = {Life.MINUTES_30: mark("30 minutter"), Life.HOURS_24: mark("1 døgn"), Life.DAYS_14: mark("14 døgn")}
WRONG_MESSAGE = {
    EmptyMessageError: mark("Skriv noe først."),
    MessageTooLongError: mark("Meldingen er for lang. Den kan ha %(most)s tegn. Del den i to."),
    ChatClosedError: mark("Samtalen er avsluttet, så meldingen ble ikke sendt."),
    KeyReusedError: mark("Den forrige meldingen er alt sendt. Trykk Send én gang til for å sende denne."),
}


@dataclass(frozen=True, slots=True)
class ChatDesk:
    """What the use cases of chats and handoffs need besides the database."""

    vault: Vault
    service_key: bytes = field(repr=False)
    seal: Seal
    border_bucket_seconds: int
    helpjourney_url: str
    """Origin that a secret is carried to."""


@dataclass(frozen=True, slots=True)
class Helper:
    """Who is at the helpers' desk."""

    id: UUID
    organisation: str
    organisation_name: str
    is_supervisor: bool


def desk_of(request: Request) -> ChatDesk:
    """The chat desk of this process."""
    desk: ChatDesk = request.app.state.chats
    return desk


Chats = Annotated[ChatDesk, Depends(desk_of)]


def not_hers(session: StaffMember) -> Problem:
    """The desk of others: her own is elsewhere here, or nowhere."""
    return Problem(403, None if session.roles & DESKS else "no_role")


async def helper_of(session: StaffSession) -> Helper:
    """Who is at the desk; 403 without the role of a helper or supervisor."""
    if not session.roles & {HELPER_ROLE, SUPERVISOR_ROLE}:
        raise not_hers(session)
    return Helper(session.subject, session.organisation, session.organisation_name, SUPERVISOR_ROLE in session.roles)


AtWork = Annotated[Helper, Depends(helper_of)]


async def own_chat(begin: Transaction, desk: Chats, session: SessionNow) -> Chat | None:
    """The chat of this browser, open or not yet deleted."""
    known = session.state.get(CHAT)
    async with begin() as uow:
        chat_id = UUID(known) if known else await open_chat_of(uow.connection, browser_hash(desk.service_key, session.id_hash))
        try:
            return await find_chat(uow.connection, chat_id) if chat_id else None
        except ChatNotFoundError:
            return None


async def required_chat(chat: Annotated[Chat | None, Depends(own_chat)]) -> Chat:
    """As `own_chat`; without one the page of what is gone, which is the same for what never was."""
    if chat is None:
        raise Problem(404, "gone")
    return chat


OwnChat = Annotated[Chat | None, Depends(own_chat)]
RequiredChat = Annotated[Chat, Depends(required_chat)]


async def own_work_chat(begin: Transaction, helper: AtWork, chat_id: UUID) -> Chat | None:
    """The chat that this helper has; None for all others, so that nobody learns which exist."""
    async with begin() as uow:
        try:
            return await find_own_chat(uow.connection, chat_id, helper.id, helper.organisation)
        except ChatNotFoundError:
            return None


OwnWorkChat = Annotated[Chat | None, Depends(own_work_chat)]


async def work_chat(chat: OwnWorkChat) -> Chat:
    """As `own_work_chat`; without one 404."""
    if chat is None:
        raise Problem(404)
    return chat


WorkChat = Annotated[Chat, Depends(work_chat)]


async def send_message(begin: Transaction, desk: ChatDesk, submitted: Submission, command: SayInChat) -> type[Exception] | None:
    """Send once, however often the form comes. Returns what was wrong: a key of WRONG_MESSAGE, or ChatNotFoundError."""
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(say_in_chat, command, uow, desk.vault))
    except (EmptyMessageError, MessageTooLongError, ChatClosedError, ChatNotFoundError) as error:
        return type(error)
    except Problem as problem:
        if isinstance(problem.__cause__, KeyReusedError):
            return KeyReusedError
        raise
    return None


def wrong_message(wrong: type[Exception], say: Translation) -> str:
    """In the reader's language."""
    return say(WRONG_MESSAGE[wrong], most=LONGEST_MESSAGE) if wrong is MessageTooLongError else say(WRONG_MESSAGE[wrong])


def hours_today(service: HelpService, now: datetime) -> list[tuple[time, time]]:
    """From when until when it is ordinarily open today, in Norwegian time; empty where it isn't open today."""
    today = now.astimezone(OSLO).isoweekday()
    return sorted((shift.opens, shift.closes) for shift in service.opening_hours if shift.weekday == today)

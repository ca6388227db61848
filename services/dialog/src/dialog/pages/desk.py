"""The helpers' desk: on duty or not, who waits, the chats at hand."""

from functools import partial
from typing import Any
from uuid import UUID

from contracts.codes import TopicCode, Urgency
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from servicekit.problems import Problem
from servicekit.service import Transaction
from servicekit.web.form import new_form
from servicekit.web.sessions import BrowserSession, SessionNow
from servicekit.web.submission import InvalidInputError, Submitted
from webkit.i18n import mark

from dialog.domain.availability import MOST_AT_ONCE, NoFreePlaceError, NotOnDutyError, UnknownServiceError
from dialog.domain.chats import LONGEST_MESSAGE, Author, Chat, ChatClosedError, ChatNotFoundError, ChatTakenError
from dialog.domain.handoffs import LONGEST_SENTENCE, MOST_SENTENCES, SummaryTooLongError
from dialog.domain.retention import Retention
from dialog.handlers.availability import GoOnDuty, SetRetention, TakeBreak, go_on_duty, note_desk, set_retention, take_break
from dialog.handlers.chats import EndChat, SayInChat, TakeChat, end_chat, take_chat
from dialog.handlers.handoffs import ProposeHandoff, propose_handoff
from dialog.pages.chat_desk import (
    RETENTIONS,
    URGENCIES,
    AtWork,
    ChatDesk,
    Chats,
    Helper,
    WorkChat,
    send_message,
    wrong_message,
)
from dialog.pages.question_desk import Look, act_once
from dialog.pages.words import AGES, LANGUAGES, TOPICS, named
from dialog.queries.availability import duty_now, own_chat_services
from dialog.queries.chats import Proposal, messages_after, own_chats, proposal_of, waiting_chats

router = APIRouter(prefix="/ansatt", default_response_class=HTMLResponse)

REFRESH = 15
"""Seconds after which the queue asks again."""
LONGEST_SUMMARY = MOST_SENTENCES * (LONGEST_SENTENCE + 1)
REFUSALS = {
    ChatTakenError: mark("Noen andre tok samtalen, eller den som ventet, gikk ut av køen."),
    NotOnDutyError: mark("Du må være på vakt for å ta en samtale."),
    NoFreePlaceError: mark("Du har så mange samtaler som du sa du kan ha."),
}
TOO_LONG = mark("Teksten er for lang. Den kan ha %(sentences)s setninger med %(most)s tegn.")
ENDED = mark("Samtalen er avsluttet.")


@router.get("/samtaler")
async def queue(request: Request, begin: Transaction, look: Look, helper: AtWork, session: SessionNow, stopp: str = "") -> Response:
    async with begin() as uow:
        await note_desk(helper.id, uow)
    return await _queue(request, begin, look, helper, session, refresh=None if stopp else REFRESH)


@router.post("/vakt")
async def begin_duty(begin: Transaction, helper: AtWork, submitted: Submitted) -> Response:
    capacity = submitted.choice("capacity", [str(number) for number in range(1, MOST_AT_ONCE + 1)])
    command = GoOnDuty(helper.id, helper.organisation, submitted.uuid("service"), int(capacity))
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(go_on_duty, command, uow))
    except UnknownServiceError as error:
        raise InvalidInputError("service", "unknown_choice") from error
    return RedirectResponse("/ansatt/samtaler", 303)


@router.post("/pause")
async def pause(begin: Transaction, helper: AtWork, submitted: Submitted) -> Response:
    async with begin() as uow:
        await act_once(uow, submitted, partial(take_break, TakeBreak(helper.id), uow))
    return RedirectResponse("/ansatt/samtaler", 303)


@router.post("/tjenester/{service_id}/lagring")
async def choose_retention(begin: Transaction, helper: AtWork, submitted: Submitted, service_id: UUID) -> Response:
    """The provider's promise; a supervisor's choice."""
    if not helper.is_supervisor:
        raise Problem(403)
    retention = Retention(submitted.choice("retention", list(Retention)))
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(set_retention, SetRetention(helper.organisation, service_id, retention), uow))
    except UnknownServiceError as error:
        raise Problem(404) from error
    return RedirectResponse("/ansatt/samtaler", 303)


@router.post("/samtaler/{chat_id}/ta")
async def take(request: Request, begin: Transaction, look: Look, helper: AtWork, submitted: Submitted, chat_id: UUID) -> Response:
    """One wins. The others learn that it's gone, not to whom."""
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(take_chat, TakeChat(chat_id, helper.id, helper.organisation), uow))
    except ChatNotFoundError as error:
        raise Problem(404) from error
    except (ChatTakenError, NotOnDutyError, NoFreePlaceError) as refusal:
        return await _queue(request, begin, look, helper, submitted.session, 409, notice=REFUSALS[type(refusal)])
    return RedirectResponse(f"/ansatt/samtaler/{chat_id}", 303)


@router.get("/samtaler/{chat_id}")
async def talk(
    request: Request, begin: Transaction, desk: Chats, look: Look, helper: AtWork, session: SessionNow, chat: WorkChat
) -> Response:
    async with begin() as uow:
        await note_desk(helper.id, uow)
    return await _talk(request, begin, desk, look, session, chat)


@router.post("/samtaler/{chat_id}/svar")
async def answer(
    request: Request, begin: Transaction, desk: Chats, look: Look, helper: AtWork, submitted: Submitted, chat: WorkChat
) -> Response:
    text = submitted.fields.get("text", "")
    wrong = await send_message(begin, desk, submitted, SayInChat(chat.id, text, helper.id))
    if wrong is None:
        return RedirectResponse(f"/ansatt/samtaler/{chat.id}#siste", 303)
    errors = {"text": wrong_message(wrong, look.translation(request))}
    status = 409 if wrong is ChatClosedError else 422
    return await _talk(request, begin, desk, look, submitted.session, chat, status, {"text": text}, errors)


@router.post("/samtaler/{chat_id}/videre")
async def propose(
    request: Request, begin: Transaction, desk: Chats, look: Look, helper: AtWork, submitted: Submitted, chat: WorkChat
) -> Response:
    """Offer to go on logged in. What travels is the youth's choice."""
    say = look.translation(request)
    need, urgency = TopicCode(submitted.choice("need", TOPICS)), Urgency(submitted.choice("urgency", URGENCIES))
    summary = submitted.fields.get("summary", "")
    try:
        async with begin() as uow:
            command = ProposeHandoff(chat.id, helper.id, need, urgency, summary)
            await act_once(uow, submitted, partial(propose_handoff, command, uow, desk.vault))
    except SummaryTooLongError:
        errors = {"summary": say(TOO_LONG, sentences=MOST_SENTENCES, most=LONGEST_SENTENCE)}
        values = {"need": need, "urgency": urgency, "summary": summary}
        return await _talk(request, begin, desk, look, submitted.session, chat, 422, values, errors)
    except ChatClosedError:
        return await _talk(request, begin, desk, look, submitted.session, chat, 409, {"summary": summary}, {"summary": say(ENDED)})
    return RedirectResponse(f"/ansatt/samtaler/{chat.id}", 303)


@router.post("/samtaler/{chat_id}/avslutt")
async def end(begin: Transaction, helper: AtWork, submitted: Submitted, chat: WorkChat) -> Response:
    try:
        async with begin() as uow:
            await act_once(uow, submitted, partial(end_chat, EndChat(chat.id, helper.id), uow))
    except (ChatClosedError, ChatNotFoundError):
        pass  # the youth ended it first
    return RedirectResponse("/ansatt/samtaler", 303)


async def _queue(
    request: Request,
    begin: Transaction,
    look: Look,
    helper: Helper,
    session: BrowserSession,
    status: int = 200,
    *,
    refresh: int | None = None,
    notice: str = "",
) -> HTMLResponse:
    async with begin() as uow:
        now = await uow.now()
        duty = await duty_now(uow.connection, helper.id)
        services = await own_chat_services(uow.connection, helper.organisation)
        waiting = await waiting_chats(uow.connection, helper.organisation)
        own = await own_chats(uow.connection, helper.id)
    return look.render(
        request,
        "desk/queue.html",
        status,
        refresh=refresh,
        every=REFRESH,
        helper=helper,
        duty=duty,
        services=services,
        names={service.entry.service_id: service.entry.name for service in services},
        waiting=[(chat, chat.waited_seconds(now)) for chat in waiting],
        own=own,
        notice=notice,
        capacities=[(number, str(number)) for number in range(1, MOST_AT_ONCE + 1)],
        retentions=RETENTIONS,
        form=partial(new_form, session),
        **_words(),
    )


async def _talk(
    request: Request,
    begin: Transaction,
    desk: ChatDesk,
    look: Look,
    session: BrowserSession,
    chat: Chat,
    status: int = 200,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    async with begin() as uow:
        messages = await messages_after(uow.connection, chat.id, 0, desk.vault)
        proposal = await proposal_of(uow.connection, chat.id, desk.vault)
        own = await own_chats(uow.connection, chat.helper) if chat.helper else []
    say = look.translation(request)
    return look.render(
        request,
        "desk/talk.html",
        status,
        chat=chat,
        messages=messages,
        proposal=proposal,
        reader=Author.HELPER,
        others=[other for other in own if other.id != chat.id],
        values={"text": "", **_proposed(chat, proposal), **(values or {})},
        errors=errors or {},
        needs=named(TOPICS, say),
        urgency_options=named(URGENCIES, say),
        most=LONGEST_MESSAGE,
        summary_most=LONGEST_SUMMARY,
        form=partial(new_form, session),
        **_words(),
    )


def _proposed(chat: Chat, proposal: Proposal | None) -> dict[str, str]:
    """What stands in the form of the offer: the newest proposal, else what the youth said that it's about."""
    if proposal is None:
        return {"need": chat.topic_code, "urgency": Urgency.ROUTINE, "summary": ""}
    return {"need": proposal.need, "urgency": proposal.urgency, "summary": "\n".join(proposal.sentences)}


def _words() -> dict[str, Any]:
    return {"topics": TOPICS, "ages": AGES, "urgencies": URGENCIES, "spoken_in": LANGUAGES}

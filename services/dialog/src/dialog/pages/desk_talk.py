"""The talks of a helper: the chosen one with all that can be done, and the others beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from contracts.codes import TopicCode, Urgency
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from servicekit.delivery.outbox import UnitOfWork
from servicekit.web.form import new_form
from servicekit.web.sessions import BrowserSession, SessionNow
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import mark

from dialog.domain.chats import LONGEST_MESSAGE, Author, Chat, ChatClosedError, ChatNotFoundError
from dialog.domain.handoffs import LONGEST_SENTENCE, MOST_SENTENCES, SummaryTooLongError
from dialog.handlers.availability import note_desk
from dialog.handlers.chats import EndChat, SayInChat, end_chat
from dialog.handlers.handoffs import ProposeHandoff, propose_handoff
from dialog.handlers.presence import note_helper, note_reading
from dialog.pages.chat_desk import URGENCIES, AtWork, ChatDesk, Chats, Helper, OwnWorkChat, WorkChat, send_message, wrong_message
from dialog.pages.desk import owned_now, queue_words
from dialog.pages.question_desk import Look, act_once
from dialog.pages.words import TOPICS, named
from dialog.queries.chats import Message, Proposal, messages_after, proposal_of
from dialog.queries.presence import Standing, standing

router = APIRouter(prefix="/ansatt/samtaler", default_response_class=HTMLResponse)

LONGEST_SUMMARY = MOST_SENTENCES * (LONGEST_SENTENCE + 1)
TOO_LONG = mark("Teksten er for lang. Den kan ha %(sentences)s setninger med %(most)s tegn.")
ENDED = mark("Samtalen er avsluttet.")


@dataclass(frozen=True, slots=True)
class DeskTalk:
    """One talk as the desk shows it."""

    chat: Chat
    messages: Sequence[Message]
    stands: Standing


@router.get("/{chat_id}")
async def talk(
    request: Request, begin: Transaction, desk: Chats, look: Look, helper: AtWork, session: SessionNow, chat: OwnWorkChat
) -> Response:
    if chat is None:
        return not_yours(request, look)
    async with begin() as uow:
        await note_desk(helper.id, uow)
    return await _talk(request, begin, desk, look, session, helper, chat)


@router.post("/{chat_id}/svar")
async def answer(
    request: Request, begin: Transaction, desk: Chats, look: Look, helper: AtWork, submitted: Submitted, chat: OwnWorkChat
) -> Response:
    text = submitted.fields.get("text", "")
    if chat is None:
        return not_yours(request, look, text)
    wrong = await send_message(begin, desk, submitted, SayInChat(chat.id, text, helper.id))
    if wrong is None:
        return RedirectResponse(f"/ansatt/samtaler/{chat.id}#siste", 303)
    if wrong is ChatNotFoundError:
        return not_yours(request, look, text)
    errors = {"text": wrong_message(wrong, look.translation(request))}
    status = 409 if wrong is ChatClosedError else 422
    return await _talk(request, begin, desk, look, submitted.session, helper, chat, status, {"text": text}, errors)


@router.post("/{chat_id}/videre")
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
        return await _talk(request, begin, desk, look, submitted.session, helper, chat, 422, values, errors)
    except ChatClosedError:
        return await _talk(request, begin, desk, look, submitted.session, helper, chat, 409, {"summary": summary}, {"summary": say(ENDED)})
    return RedirectResponse(f"/ansatt/samtaler/{chat.id}", 303)


@router.post("/{chat_id}/avslutt")
async def end(begin: Transaction, helper: AtWork, submitted: Submitted, chat: WorkChat) -> Response:
    """The youth may have ended it first, or a colleague has it."""
    async with begin() as uow:
        await act_once(uow, submitted, partial(end_chat, EndChat(chat.id, helper.id), uow), ChatClosedError, ChatNotFoundError)
    return RedirectResponse("/ansatt/samtaler", 303)


def not_yours(request: Request, look: Look, text: str = "") -> HTMLResponse:
    """Taken over, deleted, or never theirs: one page, so that nobody learns which; what was written stays on it."""
    return look.render(request, "desk/gone.html", 404, text=text)


async def _talk(
    request: Request,
    begin: Transaction,
    desk: ChatDesk,
    look: Look,
    session: BrowserSession,
    helper: Helper,
    chat: Chat,
    status: int = 200,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    async with begin() as uow:
        await note_helper(helper.id, uow)
        await note_reading(chat.id, uow, chat.messages)
        proposal = await proposal_of(uow.connection, chat.id, desk.vault)
        around = await owned_now(uow, helper)
        chosen = await _shown(uow, desk, chat)
        beside = [await _shown(uow, desk, other.chat) for other in around["own"] if other.chat.id != chat.id]
    say = look.translation(request)
    return look.render(
        request,
        "desk/talk.html",
        status,
        chat=chat,
        chosen=chat.id,
        chosen_talk=chosen,
        beside=beside,
        streams=chat.state.is_open or bool(beside),
        proposal=proposal,
        reader=Author.HELPER,
        values={"text": "", **_proposed(chat, proposal), **(values or {})},
        errors=errors or {},
        needs=named(TOPICS, say),
        urgency_options=named(URGENCIES, say),
        most=LONGEST_MESSAGE,
        summary_most=LONGEST_SUMMARY,
        form=partial(new_form, session),
        **around,
        **queue_words(),
    )


async def _shown(uow: UnitOfWork, desk: ChatDesk, chat: Chat) -> DeskTalk:
    messages = await messages_after(uow.connection, chat.id, 0, desk.vault)
    return DeskTalk(chat, messages, await standing(uow.connection, chat, Author.HELPER, await uow.now()))


def _proposed(chat: Chat, proposal: Proposal | None) -> dict[str, str]:
    """What stands in the form of the offer: the newest proposal, else what the youth said that it's about."""
    if proposal is None:
        return {"need": chat.topic_code, "urgency": Urgency.ROUTINE, "summary": ""}
    return {"need": proposal.need, "urgency": proposal.urgency, "summary": "\n".join(proposal.sentences)}

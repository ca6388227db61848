"""What keeps a talk alive around its page: frames that renew themselves without script, signs of writing, leaving at once."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from servicekit.delivery.outbox import Begin
from servicekit.web.sessions import current_session, leave
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction

from dialog.domain.chats import Author, Chat, ChatNotFoundError
from dialog.domain.presence import ASKS_EVERY, FRAME_HOLDS, STOPPED_HOLDS
from dialog.handlers.chats import leave_at_once
from dialog.handlers.presence import TypeInChat, note_helper, note_presence, note_reading, type_in_chat
from dialog.handlers.receipts import browser_hash
from dialog.pages.chat_desk import CHAT, AtWork, ChatDesk, Chats, RequiredChat, WorkChat
from dialog.pages.question_desk import Look
from dialog.queries.chats import messages_after, open_chat_of, proposal_of
from dialog.queries.presence import standing

router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

REFRESH = int(ASKS_EVERY.total_seconds())
After = Annotated[int, Query(ge=0)]


@router.get("/chat/samtale/ramme")
async def frame_for_youth(
    request: Request, begin: Transaction, desk: Chats, look: Look, chat: RequiredChat, etter: After = 0, stopp: str = ""
) -> HTMLResponse:
    """What came after message `etter`, beside the form in which she writes."""
    async with begin() as uow:
        await note_presence(chat.id, uow, chat.messages, STOPPED_HOLDS if stopp else FRAME_HOLDS)
    return await _frame(request, begin, desk, look, chat, Author.YOUTH, etter)


@router.get("/ansatt/samtaler/{chat_id}/ramme")
async def frame_for_helper(
    request: Request, begin: Transaction, desk: Chats, look: Look, helper: AtWork, chat: WorkChat, etter: After = 0, stopp: str = ""
) -> HTMLResponse:
    holds = STOPPED_HOLDS if stopp else FRAME_HOLDS
    async with begin() as uow:
        await note_helper(helper.id, uow, holds)
        await note_reading(chat.id, uow, chat.messages, holds)
    return await _frame(request, begin, desk, look, chat, Author.HELPER, etter)


@router.post("/chat/skriver", status_code=204)
async def youth_types(begin: Transaction, submitted: Submitted, chat: RequiredChat) -> Response:  # noqa: ARG001 - the form is the guard
    async with begin() as uow:
        await type_in_chat(TypeInChat(chat.id, Author.YOUTH), uow)
    return Response(status_code=204)


@router.post("/ansatt/samtaler/{chat_id}/skriver", status_code=204)
async def helper_types(begin: Transaction, submitted: Submitted, chat: WorkChat) -> Response:  # noqa: ARG001 - the form is the guard
    async with begin() as uow:
        await type_in_chat(TypeInChat(chat.id, Author.HELPER), uow)
        await note_reading(chat.id, uow, chat.messages)
    return Response(status_code=204)


async def leave_pages(request: Request) -> None:
    """The quick exit: her chat is over or her place free, so that nobody waits for her; then the session is forgotten."""
    begin: Begin = request.app.state.begin
    try:
        chat_id = await _chat_of(request, begin)
        if chat_id is not None:
            async with begin() as uow:
                await leave_at_once(chat_id, uow)
    except ChatNotFoundError:
        pass  # deleted before: nobody waits
    finally:
        await leave(request)


async def _chat_of(request: Request, begin: Begin) -> UUID | None:
    session = await current_session(request)
    desk: ChatDesk = request.app.state.chats
    known = session.state.get(CHAT)
    if known or session.login is not None:
        return UUID(known) if known else None
    async with begin() as uow:
        return await open_chat_of(uow.connection, browser_hash(desk.service_key, session.id_hash))


async def _frame(
    request: Request,
    begin: Begin,
    desk: ChatDesk,
    look: Look,
    chat: Chat,
    reader: Author,
    after: int,
) -> HTMLResponse:
    async with begin() as uow:
        messages = await messages_after(uow.connection, chat.id, after, desk.vault)
        proposed = await proposal_of(uow.connection, chat.id, desk.vault) is not None
        stands = await standing(uow.connection, chat, reader, await uow.now())
    return look.render(
        request,
        "chats/frame.html",
        frame_ancestors="'self'",
        refresh=REFRESH if chat.state.is_open else None,
        chat=chat,
        messages=messages,
        proposed=proposed,
        stands=stands,
        reader=reader,
        live=True,
    )

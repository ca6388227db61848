"""The panel writes: a draft, a second reader's comment, the answer."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from servicekit.service import Transaction
from servicekit.web.sessions import StaffSession
from servicekit.web.submission import Submitted

from dialog.domain.questions import ANSWER_MOST
from dialog.handlers.answers import AnswerQuestion, CommentDraft, DraftAnswer, answer_question, comment_draft, draft_answer
from dialog.pages.panel import QUEUE, AtDesk, attempt, page_of, question_page, read_texts
from dialog.pages.question_desk import Desk, Look

router = APIRouter(prefix=QUEUE, default_response_class=HTMLResponse)

PROFESSION_MOST = 60
NOTE_MOST = 2_000
ANSWERED_BY_MOST = 120
"""As the contract of a published answer says."""


@router.post("/{question_id}/kladd")
async def draft(
    question_id: UUID,
    request: Request,
    begin: Transaction,
    desk: Desk,
    look: Look,
    session: StaffSession,
    answerer: AtDesk,
    submitted: Submitted,
) -> Response:
    values, errors = read_texts(submitted, look.translation(request), answer=ANSWER_MOST)
    if errors:
        return await question_page(request, begin, desk, look, session, answerer, question_id, dict(submitted.fields), errors)
    command = DraftAnswer(question_id, answerer, values["answer"], second_read=submitted.flag("second_read"))
    act = partial(draft_answer, command, desk=desk)
    return await attempt(request, begin, look, submitted, act, page_of(question_id), text=values["answer"])


@router.post("/{question_id}/kommentar")
async def comment(
    question_id: UUID,
    request: Request,
    begin: Transaction,
    desk: Desk,
    look: Look,
    session: StaffSession,
    answerer: AtDesk,
    submitted: Submitted,
) -> Response:
    values, errors = read_texts(submitted, look.translation(request), note=NOTE_MOST)
    if errors:
        return await question_page(request, begin, desk, look, session, answerer, question_id, dict(submitted.fields), errors)
    command = CommentDraft(question_id, answerer, values["note"])
    return await attempt(
        request, begin, look, submitted, partial(comment_draft, command, desk=desk), page_of(question_id), text=values["note"]
    )


@router.post("/{question_id}/svar")
async def answer(
    question_id: UUID,
    request: Request,
    begin: Transaction,
    desk: Desk,
    look: Look,
    session: StaffSession,
    answerer: AtDesk,
    submitted: Submitted,
) -> Response:
    values, errors = read_texts(submitted, look.translation(request), answer=ANSWER_MOST, profession=PROFESSION_MOST)
    if errors:
        return await question_page(request, begin, desk, look, session, answerer, question_id, dict(submitted.fields), errors)
    answered_by = f"{values['profession']}, {session.organisation_name}"[:ANSWERED_BY_MOST]
    command = AnswerQuestion(question_id, answerer, values["answer"], answered_by)
    return await attempt(request, begin, look, submitted, partial(answer_question, command, desk=desk), QUEUE, text=values["answer"])

"""The panel writes: a draft, a second reader's comment, the answer."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from servicekit.web.sessions import StaffSession
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction

from dialog.domain.questions import ANSWER_MOST
from dialog.handlers.answers import AnswerQuestion, CommentDraft, DraftAnswer, answer_question, comment_draft, draft_answer
from dialog.pages.panel import QUEUE, AtDesk, attempt, page_of, question_page, read_texts
from dialog.pages.question_desk import Desk, Look

router = APIRouter(prefix=QUEUE, default_response_class=HTMLResponse)

PROFESSION_MOST = 60
NOTE_MOST = 2_000
ANSWERED_BY_MOST = 120
"""As the contract of a published answer says."""


@router.post("/{question_id}/svar")
async def write(
    question_id: UUID,
    request: Request,
    begin: Transaction,
    desk: Desk,
    look: Look,
    session: StaffSession,
    answerer: AtDesk,
    submitted: Submitted,
) -> Response:
    """The buttons of the answer's form: send it, keep it as a draft, or ask a colleague to read it first."""
    sends = submitted.fields.get("do", "send") == "send"
    limits = {"answer": ANSWER_MOST} | ({"profession": PROFESSION_MOST} if sends else {})
    values, errors = read_texts(submitted, look.translation(request), **limits)
    if errors:
        return await question_page(request, begin, desk, look, session, answerer, question_id, dict(submitted.fields), errors)
    text = values["answer"]
    if sends:
        answered_by = f"{values['profession']}, {session.organisation_name}"[:ANSWERED_BY_MOST]
        send = partial(answer_question, AnswerQuestion(question_id, answerer, text, answered_by), desk=desk)
        return await attempt(request, begin, look, submitted, send, QUEUE, text)
    second_read = submitted.choice("do", ("draft", "second_read")) == "second_read"
    keep = partial(draft_answer, DraftAnswer(question_id, answerer, text, second_read), desk=desk)
    return await attempt(request, begin, look, submitted, keep, page_of(question_id), text)


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

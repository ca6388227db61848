"""An editor makes a question and its answer ready for everybody to read."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from servicekit.problems import Problem
from servicekit.web.form import new_form
from servicekit.web.sessions import StaffMember, StaffSession
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import mark
from webkit.pages import Pages

from dialog.domain.persondata import PersonData, find_person_data
from dialog.domain.questions import Answerer
from dialog.handlers.publications import ApproveAnswer, approve_answer
from dialog.pages.panel import QUEUE, REASONS, AtDesk, attempt, read_texts, stopped
from dialog.pages.question_desk import Desk, Look
from dialog.pages.words import FINDS
from dialog.queries.questions import panel_question

router = APIRouter(prefix=QUEUE, default_response_class=HTMLResponse)

MOST = {"title": 200, "question": 10_000, "answer": 20_000}
"""Characters, as the contract says."""
LOOK_AGAIN = mark("Ta det bort, eller kryss av for at du har sett på det.")


async def editor_of(answerer: AtDesk) -> Answerer:
    """403 for all but editors."""
    if not answerer.is_editor:
        raise Problem(403)
    return answerer


AtEditorsDesk = Annotated[Answerer, Depends(editor_of)]


@router.get("/{question_id}/publiser")
async def show_approval(
    question_id: UUID, request: Request, begin: Transaction, desk: Desk, look: Look, session: StaffSession, editor: AtEditorsDesk
) -> HTMLResponse:
    try:
        async with begin() as uow:
            found = await panel_question(uow.connection, question_id, editor, desk.vault, await uow.now())
        found.question.publish_as(question_id)
    except tuple(REASONS) as error:
        return stopped(request, look, error)
    values = {"title": "", "question": found.text, "answer": found.answer}
    return _form(request, look, session, question_id, values, {}, find_person_data(*values.values()))


@router.post("/{question_id}/publiser")
async def approve(
    question_id: UUID, request: Request, begin: Transaction, look: Look, session: StaffSession, editor: AtEditorsDesk, submitted: Submitted
) -> Response:
    say = look.translation(request)
    values, errors = read_texts(submitted, say, **MOST)
    finds = find_person_data(*values.values())
    if finds and not submitted.flag("seen"):
        errors["seen"] = say(LOOK_AGAIN)
    if errors:
        return _form(request, look, session, question_id, values, errors, finds)
    command = ApproveAnswer(question_id, editor, **values)
    return await attempt(request, begin, look, submitted, partial(approve_answer, command), QUEUE, text=values["answer"])


def _form(
    request: Request,
    look: Pages,
    session: StaffMember,
    question_id: UUID,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    finds: Collection[PersonData],
) -> HTMLResponse:
    return look.render(
        request,
        "panel/approve.html",
        422 if errors else 200,
        question_id=question_id,
        values=values,
        errors=errors,
        finds=[FINDS[find] for find in sorted(finds)],
        form=new_form(session),
    )

"""What the pages of questions take from their process: the desk, the look, how busy it is."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request
from servicekit.delivery.outbox import UnitOfWork
from servicekit.idempotency import KeyReusedError, once
from servicekit.problems import Problem
from servicekit.web.submission import Submission
from servicekit.web.transaction import Transaction
from webkit.pages import Pages

from dialog.handlers.questions import QuestionDesk
from dialog.queries.questions import QuestionState, question_state


def desk_of(request: Request) -> QuestionDesk:
    """The question desk of this process."""
    desk: QuestionDesk = request.app.state.questions
    return desk


def look_of(request: Request) -> Pages:
    """How this process draws its pages."""
    pages: Pages = request.app.state.pages
    return pages


Desk = Annotated[QuestionDesk, Depends(desk_of)]
Look = Annotated[Pages, Depends(look_of)]


async def state_now(begin: Transaction, desk: Desk) -> QuestionState:
    """How busy the panel is."""
    async with begin() as uow:
        return await question_state(uow.connection, desk.limits.capacity)


StateNow = Annotated[QuestionState, Depends(state_now)]


async def act_once(uow: UnitOfWork, submitted: Submission, act: Callable[[], Awaitable[object]], *found_done: type[Exception]) -> None:
    """Runs `act` unless this very form was sent before. 409 for another command under the same key.

    `found_done`: raised before anything was written where there is nothing left to do. That is an outcome too, and kept as one: what is
    answered with success is there to be asked for again.
    """

    async def run() -> dict[str, str]:
        with suppress(*found_done):
            await act()
        return {}

    try:
        await once(uow, submitted.key, submitted.fingerprint(), run)
    except KeyReusedError as error:
        raise Problem(409) from error

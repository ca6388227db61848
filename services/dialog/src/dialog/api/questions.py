"""State of the question service over HTTP: numbers that anyone may see, nothing else."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from servicekit.web.transaction import Transaction

from dialog.handlers.questions import QuestionDesk
from dialog.queries.questions import question_state

router = APIRouter(prefix="/api")


class QuestionDoor(BaseModel):
    """Whether one can ask now, and how long an answer usually takes."""

    open: bool = Field(description="False when as many questions wait as the panel can take")
    waiting: int = Field(description="Unanswered questions")
    capacity: int = Field(description="Unanswered questions that the panel takes at once")
    usual_wait_minutes: int | None = Field(
        description="Four of five answers came within this time, minutes, in whole hours or days; null = too few to say"
    )


def desk_of(request: Request) -> QuestionDesk:
    """The question desk of this process."""
    desk: QuestionDesk = request.app.state.questions
    return desk


@router.get("/questions/state")
async def state(begin: Transaction, desk: Annotated[QuestionDesk, Depends(desk_of)]) -> QuestionDoor:
    async with begin() as uow:
        found = await question_state(uow.connection, desk.limits.capacity)
    wait = None if found.usual_wait is None else int(found.usual_wait.total_seconds() // 60)
    return QuestionDoor(open=not found.is_full, waiting=found.waiting, capacity=found.capacity, usual_wait_minutes=wait)

"""Reads of questions: the state that anyone may see, and the panel's queue and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from servicekit.crypto import Vault
from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.questions import Answerer, AssignedElsewhereError, Question, QuestionStatus, told_wait
from dialog.store.questions import QuestionNotFoundError, count_open_questions, question_of, questions

ENOUGH = 5
"""Answered questions from which a usual wait is told: fewer would tell about single ones."""
LISTED = 200
"""Longest list on one page of the desk."""


@dataclass(frozen=True, slots=True)
class QuestionState:
    """How busy the panel is."""

    waiting: int
    capacity: int
    usual_wait: timedelta | None
    """Within this time four of five of the answers still kept came, rounded up; None = too few to say."""

    @property
    def is_full(self) -> bool:
        return self.waiting >= self.capacity


async def question_state(connection: AsyncConnection, capacity: int) -> QuestionState:
    """What a youth is told before she writes."""
    answered = questions.c.status == QuestionStatus.ANSWERED
    wait = func.percentile_cont(0.8).within_group(questions.c.answered_at - questions.c.asked_at)
    usual, count = (await connection.execute(select(wait, func.count()).where(answered))).one()
    return QuestionState(await count_open_questions(connection), capacity, told_wait(usual) if count >= ENOUGH else None)


@dataclass(frozen=True, slots=True)
class QueuedQuestion:
    """A line of the panel's list: no text."""

    id: UUID
    topic_code: str
    age_band: str
    language: str
    acute: bool
    status: QuestionStatus
    waited: timedelta
    mine_to_read: bool
    """A colleague asked for a second reading, and I'm not the writer."""
    is_ours: bool


async def panel_queue(connection: AsyncConnection, answerer: Answerer, now: datetime) -> list[QueuedQuestion]:
    """What waits and what the own organisation holds: acute first, then the oldest."""
    open_here = and_(questions.c.status != QuestionStatus.ANSWERED, _readable(answerer))
    return [_queued(question, answerer, now) for question in await _listed(connection, open_here)]


async def approval_queue(connection: AsyncConnection, answerer: Answerer, now: datetime) -> list[QueuedQuestion]:
    """Answered questions that may be published and aren't, for editors."""
    ready = and_(
        questions.c.status == QuestionStatus.ANSWERED, questions.c.may_publish, questions.c.publication_id.is_(None), _readable(answerer)
    )
    return [_queued(question, answerer, now) for question in await _listed(connection, ready)]


@dataclass(frozen=True, slots=True)
class PanelQuestion:
    """A question as staff read it."""

    question: Question
    text: str
    answer: str
    note: str
    waited: timedelta


async def panel_question(connection: AsyncConnection, question_id: UUID, answerer: Answerer, vault: Vault, now: datetime) -> PanelQuestion:
    """Raises QuestionNotFoundError; AssignedElsewhereError if another organisation holds it."""
    found = (await connection.execute(select(questions).where(questions.c.id == question_id))).one_or_none()
    if found is None:
        raise QuestionNotFoundError
    question = question_of(found)
    if not question.readable_by(answerer):
        raise AssignedElsewhereError
    text, answer, note = (
        vault.decrypt(question.data_key, sealed, question.context) if sealed else ""
        for sealed in (question.text, question.answer, question.note)
    )
    return PanelQuestion(question, text, answer, note, (question.answered_at or now) - question.asked_at)


def _readable(answerer: Answerer) -> ColumnElement[bool]:
    ours = or_(questions.c.organisation.is_(None), questions.c.organisation == answerer.organisation)
    return true() if answerer.is_editor else ours


async def _listed(connection: AsyncConnection, which: ColumnElement[bool]) -> Sequence[Question]:
    query = select(questions).where(which).order_by(questions.c.acute.desc(), questions.c.asked_at, questions.c.id).limit(LISTED)
    return [question_of(found) for found in await connection.execute(query)]


def _queued(question: Question, answerer: Answerer, now: datetime) -> QueuedQuestion:
    return QueuedQuestion(
        question.id,
        question.topic_code,
        question.age_band,
        question.language,
        question.acute,
        question.status,
        (question.answered_at or now) - question.asked_at,
        question.status is QuestionStatus.SECOND_READ
        and question.organisation == answerer.organisation
        and question.drafted_by != answerer.subject,
        question.organisation == answerer.organisation,
    )


async def is_acute(connection: AsyncConnection, receipt_hash: bytes) -> bool:
    """Whether the question of a receipt was put first."""
    return bool(await connection.scalar(select(questions.c.acute).where(questions.c.receipt_hash == receipt_hash)))

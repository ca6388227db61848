"""Table and repository of questions: text and answer lie encrypted under a data key of their own row."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, LargeBinary, Table, Text, Uuid, delete, func, insert, select, text, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from dialog.domain.questions import Question, QuestionStatus
from dialog.store import metadata

questions = Table(
    "questions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("told", Integer, nullable=False),
    Column("receipt_hash", LargeBinary, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    Column("topic_code", Text, nullable=False),
    Column("age_band", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("may_publish", Boolean, nullable=False),
    Column("acute", Boolean, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("organisation", Text),
    Column("drafted_by", Uuid),
    Column("answered_at", DateTime(timezone=True)),
    Column("answered_by", Text),
    Column("helpful", Boolean),
    Column("publication_id", Uuid),
    Column("data_key", LargeBinary, nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    Column("note", LargeBinary),
    Column("delete_after", DateTime(timezone=True), nullable=False),
    Index("ix_questions_queue", "acute", "asked_at", postgresql_where=text("status <> 'answered'")),
    Index("ix_questions_delete_after", "delete_after"),
)


class QuestionNotFoundError(Exception):
    """No such question here, or no longer."""


async def add_question(connection: AsyncConnection, question: Question) -> None:
    await connection.execute(insert(questions).values(_values(question)))


async def lock_question(connection: AsyncConnection, question_id: UUID) -> Question:
    """The question, held until the transaction ends, so that its facts are told in order. Raises QuestionNotFoundError."""
    found = (await connection.execute(select(questions).where(questions.c.id == question_id).with_for_update())).one_or_none()
    if found is None:
        raise QuestionNotFoundError
    return question_of(found)


async def lock_question_by_receipt(connection: AsyncConnection, receipt_hash: bytes) -> Question | None:
    """The question that a receipt code opens, held until the transaction ends; None if there is none."""
    found = (await connection.execute(select(questions).where(questions.c.receipt_hash == receipt_hash).with_for_update())).one_or_none()
    return None if found is None else question_of(found)


async def questions_among(connection: AsyncConnection, ids: Collection[UUID]) -> list[Question]:
    """Those of the given ids that are there, held until the transaction ends."""
    rows = await connection.execute(select(questions).where(questions.c.id.in_(ids)).order_by(questions.c.id).with_for_update())
    return [question_of(found) for found in rows]


async def lock_overdue_questions(connection: AsyncConnection, now: datetime, most: int) -> list[Question]:
    """Questions whose time is up, at most `most`; those that somebody else holds wait for the next round."""
    overdue = (
        select(questions)
        .where(questions.c.delete_after <= now)
        .order_by(questions.c.delete_after)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [question_of(found) for found in await connection.execute(overdue)]


async def save_question(connection: AsyncConnection, question: Question) -> None:
    values = {name: value for name, value in _values(question).items() if name != "id"}
    await connection.execute(update(questions).where(questions.c.id == question.id).values(values))


async def destroy_question(connection: AsyncConnection, question_id: UUID) -> None:
    """Row, ciphertext and data key go together: nothing is left to open."""
    await connection.execute(delete(questions).where(questions.c.id == question_id))


async def count_open_questions(connection: AsyncConnection) -> int:
    """How many wait for an answer now."""
    count = select(func.count()).select_from(questions).where(questions.c.status != QuestionStatus.ANSWERED)
    return await connection.scalar(count) or 0


def question_of(found: Row[tuple[object, ...]]) -> Question:
    """A row of `questions` as the rules know it."""
    columns = dict(found._mapping)
    return Question(**columns | {"status": QuestionStatus(columns["status"])})


def _values(question: Question) -> dict[str, object]:
    return {column.name: getattr(question, column.name) for column in questions.columns}

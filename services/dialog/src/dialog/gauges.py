"""What operations see of those who wait: how many, and the longest. No topic, no organisation, nobody."""

from datetime import datetime

from prometheus_client import Gauge
from servicekit.delivery.outbox import UnitOfWork
from sqlalchemy import ColumnElement, DateTime, FromClause, func, select

from dialog.domain.chats import ChatState
from dialog.domain.questions import QuestionStatus
from dialog.store.chats import chats
from dialog.store.questions import questions

ACUTE = Gauge("stegvis_acute_questions", "Acute questions that nobody has taken")
ACUTE_OLDEST = Gauge("stegvis_acute_question_oldest_seconds", "How long the first acute question that nobody has taken waits, seconds")
QUESTIONS = Gauge("stegvis_questions_waiting", "Questions that nobody has taken")
QUESTIONS_OLDEST = Gauge("stegvis_question_oldest_seconds", "How long the first question that nobody has taken waits, seconds")
CHATS = Gauge("stegvis_chats_waiting", "Youths who wait for somebody to chat with")
CHATS_OLDEST = Gauge("stegvis_chat_oldest_seconds", "How long the first of them waits, seconds")
ACTIVE = Gauge("stegvis_chats_active", "Chats that go on now")


async def measure(uow: UnitOfWork) -> None:
    """By the database's clock."""
    waits = questions.c.status == QuestionStatus.WAITING.value
    await _measure(uow, questions, questions.c.asked_at, waits, QUESTIONS, QUESTIONS_OLDEST)
    await _measure(uow, questions, questions.c.asked_at, waits & questions.c.acute, ACUTE, ACUTE_OLDEST)
    await _measure(uow, chats, chats.c.requested_at, chats.c.state == ChatState.WAITING.value, CHATS, CHATS_OLDEST)
    active = select(func.count()).select_from(chats).where(chats.c.state == ChatState.ACTIVE.value)
    ACTIVE.set(await uow.connection.scalar(active) or 0)


async def _measure(
    uow: UnitOfWork, table: FromClause, since: ColumnElement[datetime], which: ColumnElement[bool], count: Gauge, oldest: Gauge
) -> None:
    query = select(func.count(), func.min(since, type_=DateTime(timezone=True))).select_from(table).where(which)
    number, first = (await uow.connection.execute(query)).one()
    count.set(number)
    oldest.set((await uow.now() - first).total_seconds() if first else 0)

"""A question desk on a real database, and what one does at it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from contracts.codes import AgeBand, Language, TopicCode
from dialog.domain.acute import AcuteWords
from dialog.domain.questions import Answerer, Question, QuestionLimits
from dialog.handlers.answers import AnswerQuestion, AssignQuestion, answer_question, assign_question
from dialog.handlers.publications import ApproveAnswer, approve_answer
from dialog.handlers.questions import AskQuestion, OpenAnswer, OwnAnswer, QuestionDesk, ask_question, open_answer
from dialog.store.questions import lock_question_by_receipt
from servicekit.crypto import Vault
from servicekit.delivery.outbox import Begin

from deploy.testing import Database, Told, told

LIMITS = QuestionLimits(
    capacity=50,
    per_hour=3,
    answered_kept=timedelta(days=30),
    unanswered_kept=timedelta(days=90),
    wrong_codes_per_hour=5,
    wrong_codes_per_minute=300,
)
CANARY = "Kanarifugl Hansen, tlf 99 88 77 66, orker snart ikke mer"


@dataclass
class Panel:
    """The desk, a youth's codes and two organisations."""

    database: Database
    desk: QuestionDesk
    writer: Answerer
    stranger: Answerer
    editor: Answerer

    def limited(self, **limits: Any) -> "Panel":
        """The same desk with other limits."""
        return replace(self, desk=replace(self.desk, limits=replace(self.desk.limits, **limits)))

    async def ask(self, code: bytes | None = None, *, browser: bytes | None = None, begin: Begin | None = None, **changes: Any) -> bytes:
        """Ask, and get the hash of the receipt."""
        code = code or uuid4().bytes
        values: dict[str, Any] = {
            "topic_code": TopicCode.MENTAL_HEALTH,
            "age_band": AgeBand.FROM_13_TO_15,
            "language": Language.NYNORSK,
            "text": CANARY,
            "may_publish": True,
        } | changes
        async with (begin or self.database.begin)() as uow:
            await ask_question(AskQuestion(code, browser or uuid4().bytes, **values), uow, self.desk)
        return code

    async def read(self, code: bytes) -> Question | None:
        async with self.database.begin() as uow:
            return await lock_question_by_receipt(uow.connection, code)

    async def question(self, code: bytes) -> Question:
        found = await self.read(code)
        assert found is not None
        return found

    async def answer(self, code: bytes, *, begin: Begin | None = None, text: str = "Du er ikke alene om dette.") -> UUID:
        """Take and answer; the question's id."""
        found = await self.question(code)
        async with (begin or self.database.begin)() as uow:
            await assign_question(AssignQuestion(found.id, self.writer), uow)
            await answer_question(AnswerQuestion(found.id, self.writer, text, "Helsesykepleier, Prøveetaten"), uow, self.desk)
        return found.id

    async def publish(self, question_id: UUID) -> UUID:
        async with self.database.begin() as uow:
            return await approve_answer(ApproveAnswer(question_id, self.editor, "En tittel", "Et spørsmål", "Et svar"), uow)

    async def open(self, code: bytes, browser: bytes | None = None, begin: Begin | None = None) -> OwnAnswer | None:
        async with (begin or self.database.begin)() as uow:
            return await open_answer(OpenAnswer(code, browser or uuid4().bytes), uow, self.desk)

    async def told(self, key: UUID | None = None) -> list[Told]:
        """The facts told so far, of one aggregate or all."""
        async with self.database.engine.connect() as connection:
            return [fact for fact in await told(connection) if key in {None, fact.key}]


@pytest.fixture
def panel(database: Database) -> Panel:
    desk = QuestionDesk(LIMITS, Vault(uuid4().bytes * 2), uuid4().bytes * 2, AcuteWords.listed())
    writer = Answerer(uuid4(), "999999901", frozenset({"panel"}))
    stranger = Answerer(uuid4(), "999999902", frozenset({"panel"}))
    editor = Answerer(uuid4(), "999999903", frozenset({"editor"}))
    return Panel(database, desk, writer, stranger, editor)


@pytest.fixture
def types() -> Callable[[list[Told]], list[tuple[str, int]]]:
    """Names and sequences of facts, short enough to compare: `("question.asked", 1)`."""

    def short(facts: list[Told]) -> list[tuple[str, int]]:
        return [(fact.type.split(".", 1)[1].rsplit(".", 1)[0], fact.sequence) for fact in facts]

    return short

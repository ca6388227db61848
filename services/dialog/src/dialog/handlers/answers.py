"""What the panel does with a question: take it, mark it acute, draft, read a colleague's draft, answer."""

from dataclasses import dataclass
from uuid import UUID

from contracts.dialog import QuestionAnswered, QuestionAssigned
from servicekit.delivery.outbox import UnitOfWork

from dialog.domain.questions import Answerer, AssignedElsewhereError
from dialog.handlers.questions import QuestionDesk, flag_acute, to_minute
from dialog.store.questions import lock_question, save_question


@dataclass(frozen=True, slots=True)
class AssignQuestion:
    question_id: UUID
    answerer: Answerer


async def assign_question(command: AssignQuestion, uow: UnitOfWork) -> None:
    """Gives the question to the answerer's own organisation; once it has it, again changes nothing.

    Raises QuestionNotFoundError, AssignedElsewhereError, AlreadyAnsweredError.
    """
    question = await lock_question(uow.connection, command.question_id)
    assigned = question.assign(command.answerer)
    if question.organisation is None:
        fact = QuestionAssigned(question_id=assigned.id, organisation=command.answerer.organisation)
        uow.tell(fact, key=assigned.id, sequence=assigned.told)
        await save_question(uow.connection, assigned)


@dataclass(frozen=True, slots=True)
class HandBackQuestion:
    question_id: UUID
    answerer: Answerer


async def hand_back_question(command: HandBackQuestion, uow: UnitOfWork) -> None:
    """To the queue again, where it keeps its place. Raises as `answer_question`."""
    question = await lock_question(uow.connection, command.question_id)
    await save_question(uow.connection, question.hand_back(command.answerer))


@dataclass(frozen=True, slots=True)
class MarkAcute:
    question_id: UUID
    answerer: Answerer


async def mark_acute(command: MarkAcute, uow: UnitOfWork) -> None:
    """First in the queue, by a person's judgement. Raises QuestionNotFoundError, AssignedElsewhereError."""
    question = await lock_question(uow.connection, command.question_id)
    if not question.readable_by(command.answerer):
        raise AssignedElsewhereError
    await save_question(uow.connection, flag_acute(question, uow))


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    question_id: UUID
    answerer: Answerer
    answer: str
    second_read: bool
    """Ask a colleague to look before it's sent."""


async def draft_answer(command: DraftAnswer, uow: UnitOfWork, desk: QuestionDesk) -> None:
    """Keeps an answer that isn't sent. Raises as `answer_question`."""
    question = await lock_question(uow.connection, command.question_id)
    sealed = desk.vault.encrypt(question.data_key, command.answer, question.context)
    await save_question(uow.connection, question.draft(command.answerer, sealed, second_read=command.second_read))


@dataclass(frozen=True, slots=True)
class CommentDraft:
    question_id: UUID
    answerer: Answerer
    note: str


async def comment_draft(command: CommentDraft, uow: UnitOfWork, desk: QuestionDesk) -> None:
    """The second reader gives the draft back with a comment. Raises as `answer_question`."""
    question = await lock_question(uow.connection, command.question_id)
    sealed = desk.vault.encrypt(question.data_key, command.note, question.context)
    await save_question(uow.connection, question.comment(command.answerer, sealed))


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    question_id: UUID
    answerer: Answerer
    answer: str
    answered_by: str
    """Profession and organisation, never a person's name."""


async def answer_question(command: AnswerQuestion, uow: UnitOfWork, desk: QuestionDesk) -> None:
    """From now on the receipt code opens the answer, for as long as answers are kept.

    Raises QuestionNotFoundError, NotAssignedError, AssignedElsewhereError, AlreadyAnsweredError, SecondReaderError.
    """
    question = await lock_question(uow.connection, command.question_id)
    sealed = desk.vault.encrypt(question.data_key, command.answer, question.context)
    now = to_minute(await uow.now())
    answered = question.answer_with(command.answerer, sealed, command.answered_by, now, desk.limits.answered_kept)
    fact = QuestionAnswered(question_id=answered.id, waited_minutes=answered.waited_minutes)
    uow.tell(fact, key=answered.id, sequence=answered.told)
    await save_question(uow.connection, answered)

"""What a youth can do with a question: ask, read the answer, say if it helped, take it back."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from contracts.dialog import AnswerRecalled, QuestionAsked, QuestionDeleted, QuestionFlaggedAcute, QuestionWithdrawn
from servicekit.crypto import Vault
from servicekit.delivery.outbox import UnitOfWork

from dialog.domain.acute import AcuteWords
from dialog.domain.publications import Publication
from dialog.domain.questions import Question, QuestionLimits
from dialog.store.publications import drop_publication, lock_publication_by_receipt
from dialog.store.questions import (
    add_question,
    count_open_questions,
    destroy_question,
    lock_overdue_questions,
    lock_question_by_receipt,
    save_question,
)
from dialog.store.tries import add_try, count_tries, hold_tries

ASKED, CODE = "asked", "code"
QUESTION, PUBLICATION = "question", "publication"
"""Kinds in the ledger of deletions."""
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SWEEP = 200
"""Questions deleted in one transaction."""


@dataclass(frozen=True, slots=True)
class QuestionDesk:
    """What the use cases of questions need besides the database."""

    limits: QuestionLimits
    vault: Vault
    service_key: bytes
    words: AcuteWords


@dataclass(frozen=True, slots=True)
class AskQuestion:
    receipt_hash: bytes
    browser: bytes
    topic_code: str
    age_band: str
    language: str
    text: str
    may_publish: bool


async def ask_question(command: AskQuestion, uow: UnitOfWork, desk: QuestionDesk) -> Question:
    """Takes a question in. Raises TooManyQuestionsError, QuestionsFullError."""
    now = to_minute(await uow.now())
    await hold_tries(uow.connection, command.browser, ASKED)
    desk.limits.check_asked(await count_tries(uow.connection, ASKED, now - HOUR, command.browser))
    desk.limits.check_capacity(await count_open_questions(uow.connection))
    question = _new_question(command, now, desk)
    facts = [QuestionAsked(question_id=question.id, **{name: getattr(command, name) for name in ("topic_code", "age_band", "language")})]
    uow.tell(facts[0], key=question.id, sequence=question.told)
    if desk.words.match(command.text):
        question = flag_acute(question, uow)
    await add_question(uow.connection, question)
    await add_try(uow.connection, command.browser, ASKED, now)
    return question


def flag_acute(question: Question, uow: UnitOfWork) -> Question:
    """Tells it once; a second mark changes nothing."""
    if question.acute:
        return question
    flagged = question.flag_acute()
    uow.tell(QuestionFlaggedAcute(question_id=flagged.id), key=flagged.id, sequence=flagged.told)
    return flagged


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    receipt_hash: bytes
    browser: bytes


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """What a receipt code opens: text and answer while they are kept, and whether a public text stands."""

    text: str | None
    answer: str | None
    language: str
    answered_by: str | None
    answered_at: datetime | None
    delete_after: datetime | None
    helpful: bool | None
    may_publish: bool
    is_public: bool


async def open_answer(command: OpenAnswer, uow: UnitOfWork, desk: QuestionDesk) -> OwnAnswer | None:
    """The answer that a code opens. None for an unknown code, and just so while there is no answer. Raises TooManyCodesError."""
    await _check_tries(command.browser, uow, desk)
    question = await lock_question_by_receipt(uow.connection, command.receipt_hash)
    public = await lock_publication_by_receipt(uow.connection, command.receipt_hash) is not None
    if question is None or not question.is_answered or question.answer is None:
        if not public:
            await add_try(uow.connection, command.browser, CODE, to_minute(await uow.now()))
            return None
        return OwnAnswer(None, None, "", None, None, None, None, may_publish=True, is_public=True)
    text, answer = (desk.vault.decrypt(question.data_key, sealed, question.context) for sealed in (question.text, question.answer))
    return OwnAnswer(
        text,
        answer,
        question.language,
        question.answered_by,
        question.answered_at,
        question.delete_after,
        question.helpful,
        may_publish=question.may_publish,
        is_public=public,
    )


@dataclass(frozen=True, slots=True)
class RateAnswer:
    receipt_hash: bytes
    helpful: bool


async def rate_answer(command: RateAnswer, uow: UnitOfWork) -> None:
    """Notes whether the answer helped; nothing if there is none."""
    question = await lock_question_by_receipt(uow.connection, command.receipt_hash)
    if question is not None and question.is_answered:
        await save_question(uow.connection, question.rate(helpful=command.helpful))


@dataclass(frozen=True, slots=True)
class WithdrawPublication:
    receipt_hash: bytes
    browser: bytes


async def withdraw_publication(command: WithdrawPublication, uow: UnitOfWork, desk: QuestionDesk) -> None:
    """The asker's no to publishing: recalls what stands, and nobody may publish it later. Nothing for an unknown code."""
    await _check_tries(command.browser, uow, desk)
    question = await lock_question_by_receipt(uow.connection, command.receipt_hash)
    if question is not None:
        await save_question(uow.connection, question.keep_private())
    if not await _recall(command.receipt_hash, uow) and question is None:
        await add_try(uow.connection, command.browser, CODE, to_minute(await uow.now()))


@dataclass(frozen=True, slots=True)
class DeleteQuestion:
    receipt_hash: bytes
    browser: bytes
    recall: bool
    """Whether the public text shall go too; if not, the code can still take it back later."""


async def delete_question(command: DeleteQuestion, uow: UnitOfWork, desk: QuestionDesk) -> None:
    """The text is gone when this commits: its data key is. Nothing for an unknown code. Raises TooManyCodesError."""
    await _check_tries(command.browser, uow, desk)
    question = await lock_question_by_receipt(uow.connection, command.receipt_hash)
    if question is None:
        await add_try(uow.connection, command.browser, CODE, to_minute(await uow.now()))
    else:
        withdrawn = question.told_once()
        uow.tell(QuestionWithdrawn(question_id=question.id), key=question.id, sequence=withdrawn.told)
        await destroy(withdrawn, uow)
    if command.recall:
        await _recall(command.receipt_hash, uow)


async def delete_overdue_questions(uow: UnitOfWork) -> int:
    """Deletes questions whose time is up; answers how many."""
    overdue = await lock_overdue_questions(uow.connection, await uow.now(), SWEEP)
    for question in overdue:
        await destroy(question, uow)
    return len(overdue)


def to_minute(time: datetime) -> datetime:
    """Rounded down: nothing at this desk knows a second."""
    return time.replace(second=0, microsecond=0)


def _new_question(command: AskQuestion, now: datetime, desk: QuestionDesk) -> Question:
    empty = Question(
        id=uuid4(),
        receipt_hash=command.receipt_hash,
        topic_code=command.topic_code,
        age_band=command.age_band,
        language=command.language,
        may_publish=command.may_publish,
        asked_at=now,
        data_key=b"",
        text=b"",
        delete_after=now + desk.limits.unanswered_kept,
        told=1,
    )
    data_key = desk.vault.new_key(empty.context)
    return replace(empty, data_key=data_key, text=desk.vault.encrypt(data_key, command.text, empty.context))


async def _check_tries(browser: bytes, uow: UnitOfWork, desk: QuestionDesk) -> None:
    now = await uow.now()
    await hold_tries(uow.connection, browser, CODE)
    mine = await count_tries(uow.connection, CODE, now - HOUR, browser)
    desk.limits.check_wrong_codes(mine, await count_tries(uow.connection, CODE, now - MINUTE))


async def destroy(question: Question, uow: UnitOfWork) -> None:
    deleted = question.told_once()
    uow.tell(QuestionDeleted(question_id=deleted.id), key=deleted.id, sequence=deleted.told)
    uow.forget(QUESTION, deleted.id)
    await destroy_question(uow.connection, deleted.id)


async def _recall(receipt_hash: bytes, uow: UnitOfWork) -> bool:
    publication = await lock_publication_by_receipt(uow.connection, receipt_hash)
    if publication is None:
        return False
    await take_back(publication, uow)
    return True


async def take_back(publication: Publication, uow: UnitOfWork) -> None:
    """The public text goes, and what is remembered of it."""
    recalled = publication.recall()
    uow.tell(AnswerRecalled(publication_id=recalled.id), key=recalled.id, sequence=recalled.told)
    uow.forget(PUBLICATION, recalled.id)
    await drop_publication(uow.connection, recalled.id)

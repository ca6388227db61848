"""The rules of a question, without a database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from dialog.domain.questions import (
    AlreadyAnsweredError,
    AlreadyPublishedError,
    Answerer,
    AssignedElsewhereError,
    NotAssignedError,
    NotForPublishingError,
    Question,
    QuestionLimits,
    QuestionsFullError,
    QuestionStatus,
    SecondReaderError,
    TooManyCodesError,
    TooManyQuestionsError,
    told_wait,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEPT = timedelta(days=30)
LIMITS = QuestionLimits(
    capacity=10, per_hour=3, answered_kept=KEPT, unanswered_kept=timedelta(days=90), wrong_codes_per_hour=20, wrong_codes_per_minute=300
)
WRITER = Answerer(uuid4(), "999999901", frozenset({"panel"}))
WAITS = {timedelta(0): timedelta(hours=1), timedelta(minutes=61): timedelta(hours=2), timedelta(hours=23, minutes=1): timedelta(days=1)}
COLLEAGUE = Answerer(uuid4(), "999999901", frozenset({"panel"}))
STRANGER = Answerer(uuid4(), "999999902", frozenset({"panel"}))
EDITOR = Answerer(uuid4(), "999999903", frozenset({"editor"}))


def a_question(may_publish: bool = True) -> Question:
    return Question(
        id=uuid4(),
        receipt_hash=b"r",
        topic_code="body",
        age_band="13_15",
        language="nb",
        may_publish=may_publish,
        asked_at=NOW,
        data_key=b"k",
        text=b"t",
        delete_after=NOW + LIMITS.unanswered_kept,
        told=1,
    )


def answered(question: Question) -> Question:
    return question.assign(WRITER).answer_with(WRITER, b"a", "Helsesykepleier", NOW + timedelta(minutes=90), KEPT)


def test_an_answer_moves_the_day_of_deletion_to_thirty_days_after_it() -> None:
    """INVARIANT: every question has a day when it is deleted, from the first minute."""
    question = answered(a_question())
    assert question.waited_minutes == 90
    assert question.delete_after == NOW + timedelta(minutes=90) + KEPT


def test_a_question_of_another_organisation_can_neither_be_taken_nor_answered() -> None:
    """INVARIANT: one organisation's question is no other's business."""
    question = a_question().assign(WRITER)
    with pytest.raises(AssignedElsewhereError):
        question.assign(STRANGER)
    with pytest.raises(AssignedElsewhereError):
        question.answer_with(STRANGER, b"a", "x", NOW, KEPT)
    assert not question.readable_by(STRANGER)
    assert question.readable_by(COLLEAGUE)
    assert question.readable_by(EDITOR)


def test_one_takes_a_question_before_one_answers_it() -> None:
    with pytest.raises(NotAssignedError):
        a_question().answer_with(WRITER, b"a", "x", NOW, KEPT)


def test_an_answer_that_was_sent_stays_as_it_is() -> None:
    """INVARIANT: the answer doesn't change under the reader."""
    question = answered(a_question())
    acts: tuple[Callable[[], object], ...] = (
        lambda: question.answer_with(WRITER, b"b", "x", NOW, KEPT),
        lambda: question.draft(WRITER, b"b", second_read=False),
        lambda: question.assign(WRITER),
        lambda: question.hand_back(WRITER),
    )
    for act in acts:
        with pytest.raises(AlreadyAnsweredError):
            act()


def test_where_a_second_reading_was_asked_for_the_writer_cannot_send() -> None:
    question = a_question().assign(WRITER).draft(WRITER, b"a", second_read=True)
    assert question.status is QuestionStatus.SECOND_READ
    with pytest.raises(SecondReaderError):
        question.answer_with(WRITER, b"a", "x", NOW, KEPT)
    assert question.answer_with(COLLEAGUE, b"a", "x", NOW, KEPT).is_answered


def test_the_second_reader_may_give_it_back_with_a_comment() -> None:
    question = a_question().assign(WRITER).draft(WRITER, b"a", second_read=True)
    with pytest.raises(SecondReaderError):
        question.comment(WRITER, b"n")
    returned = question.comment(COLLEAGUE, b"n")
    assert (returned.status, returned.note) == (QuestionStatus.ASSIGNED, b"n")
    assert returned.answer_with(WRITER, b"a", "x", NOW, KEPT).note is None


def test_a_question_handed_back_waits_again_without_its_draft() -> None:
    question = a_question().assign(WRITER).draft(WRITER, b"a", second_read=False).hand_back(WRITER)
    assert (question.status, question.organisation, question.answer) == (QuestionStatus.WAITING, None, None)


def test_only_an_answered_question_with_a_yes_is_published_and_only_once() -> None:
    """INVARIANT: nothing is published without the asker's yes."""
    publication = UUID(int=7)
    with pytest.raises(NotForPublishingError):
        a_question().publish_as(publication)
    with pytest.raises(NotForPublishingError):
        answered(a_question(may_publish=False)).publish_as(publication)
    with pytest.raises(NotForPublishingError):
        answered(a_question()).keep_private().publish_as(publication)
    published = answered(a_question()).publish_as(publication)
    with pytest.raises(AlreadyPublishedError):
        published.publish_as(UUID(int=8))


def test_the_limits_hold_at_their_figures_and_not_before() -> None:
    LIMITS.check_asked(2)
    with pytest.raises(TooManyQuestionsError):
        LIMITS.check_asked(3)
    LIMITS.check_capacity(9)
    with pytest.raises(QuestionsFullError) as full:
        LIMITS.check_capacity(10)
    assert (full.value.waiting, full.value.capacity) == (10, 10)


def test_when_all_try_too_many_codes_a_first_try_still_goes_through() -> None:
    """INVARIANT: nobody can shut the door for the others by guessing."""
    LIMITS.check_wrong_codes(19, 299)
    LIMITS.check_wrong_codes(0, 10_000)
    for mine, everybody in ((20, 0), (3, 300)):
        with pytest.raises(TooManyCodesError):
            LIMITS.check_wrong_codes(mine, everybody)


def test_a_wait_is_told_in_whole_hours_or_days_and_never_too_short():
    assert {usual: told_wait(usual) for usual in WAITS} == WAITS
    assert told_wait(timedelta(days=2, minutes=1)) == timedelta(days=3)

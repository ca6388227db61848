"""The rules of a chat, its retention, its queue and what may travel, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from contracts.codes import AgeBand, ChatOutcome, Language, TopicCode, Urgency
from dialog.domain.availability import Load, Provider, QueueFullError, ServiceClosedError
from dialog.domain.chats import (
    LONGEST_CHAT,
    Author,
    Chat,
    ChatClosedError,
    ChatState,
    ChatTakenError,
    EmptyMessageError,
    MessageTooLongError,
    checked_message,
    last_day,
)
from dialog.domain.handoffs import SummaryTooLongError, bucket_start, checked_summary, round_down, round_up, sentences_of, summary_of
from dialog.domain.retention import Retention

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def waiting(retention: Retention = Retention.HOURS_72) -> Chat:
    return Chat(
        uuid4(),
        uuid4(),
        "999999901",
        TopicCode.SCHOOL,
        AgeBand.FROM_16_TO_17,
        Language.BOKMAL,
        Urgency.ROUTINE,
        retention,
        requested_at=NOW,
        seen_at=NOW,
        delete_after=last_day(retention, NOW),
    ).queued()


def test_a_chat_goes_to_one_helper_and_no_other() -> None:
    """INVARIANT: a chat has one winner."""
    chat = waiting().accept(uuid4(), NOW)
    assert chat.state is ChatState.ACTIVE
    with pytest.raises(ChatTakenError):
        chat.accept(uuid4(), NOW)


def test_each_told_step_has_the_next_sequence() -> None:
    """INVARIANT: facts of one chat are numbered without a gap."""
    chat = waiting()
    assert chat.sequence == 2
    assert [chat.accept(uuid4(), NOW).sequence, chat.abandon(NOW).sequence, chat.give_up(NOW).sequence] == [3, 3, 3]
    assert chat.accept(uuid4(), NOW).end(NOW, ChatOutcome.ENDED_BY_YOUTH).deleted().sequence == 5


def test_nothing_is_said_in_a_chat_that_is_not_open() -> None:
    for chat in (waiting(), waiting().abandon(NOW), waiting().accept(uuid4(), NOW).end(NOW, ChatOutcome.ENDED_BY_YOUTH)):
        with pytest.raises(ChatClosedError):
            chat.say(Author.YOUTH, NOW)


def test_a_chat_taken_in_the_same_moment_cannot_be_left_as_waiting() -> None:
    with pytest.raises(ChatTakenError):
        waiting().accept(uuid4(), NOW).abandon(NOW)


def test_a_youth_who_writes_again_is_no_longer_logging_in() -> None:
    chat = waiting().accept(uuid4(), NOW).go_and_log_in()
    assert chat.say(Author.HELPER, NOW).logging_in
    assert not chat.say(Author.YOUTH, NOW).logging_in


@pytest.mark.parametrize(
    ("retention", "ended", "gone"),
    [
        (Retention.END_OF_CHAT, "2026-11-27T15:00Z", "2026-11-27T15:00Z"),
        (Retention.ONE_WORKING_DAY, "2026-11-26T15:00Z", "2026-11-27T15:00Z"),
        (Retention.ONE_WORKING_DAY, "2026-11-27T15:00Z", "2026-11-30T15:00Z"),
        (Retention.ONE_WORKING_DAY, "2026-10-23T15:00Z", "2026-10-26T16:00Z"),
        (Retention.HOURS_72, "2026-11-27T15:00Z", "2026-11-30T15:00Z"),
        (Retention.DAYS_7, "2026-11-27T15:00Z", "2026-12-04T15:00Z"),
    ],
)
def test_each_provider_keeps_its_own_promise(retention: Retention, ended: str, gone: str) -> None:
    """INVARIANT: no text outlives the provider's promise; a working day follows the clock in Oslo, also when it is set back."""
    assert retention.until(datetime.fromisoformat(ended)) == datetime.fromisoformat(gone)


def test_every_chat_has_a_last_day_from_its_request() -> None:
    """INVARIANT: every text has a delete-after from the first moment; ending a chat can only bring it nearer."""
    for retention in Retention:
        chat = waiting(retention)
        assert chat.delete_after == retention.until(NOW + LONGEST_CHAT)
        ended = chat.accept(uuid4(), NOW).end(NOW + HOUR, ChatOutcome.ENDED_BY_YOUTH)
        assert ended.delete_after == retention.until(NOW + HOUR) <= chat.delete_after


def test_a_message_has_something_in_it_and_an_end() -> None:
    assert checked_message("  hei \n") == "hei"
    with pytest.raises(EmptyMessageError):
        checked_message(" \n ")
    assert len(checked_message("a" * 4000)) == 4000
    with pytest.raises(MessageTooLongError):
        checked_message("a" * 4001)


def test_a_service_admits_as_many_as_can_hope_for_an_answer() -> None:
    provider = Provider(uuid4(), is_open=True)
    provider.admit(Load(places=2, active=2, waiting=3))
    with pytest.raises(QueueFullError):
        provider.admit(Load(places=2, active=2, waiting=4))
    with pytest.raises(ServiceClosedError):
        replace(provider, is_open=False).admit(Load(places=0, active=0, waiting=0))


def test_the_wait_is_estimated_from_measured_chats() -> None:
    provider = Provider(uuid4(), is_open=True, average_minutes=40)
    assert provider.wait_minutes(Load(places=2, active=1, waiting=0), 1) == 1
    assert provider.wait_minutes(Load(places=2, active=2, waiting=0), 1) == 20
    assert provider.wait_minutes(Load(places=2, active=2, waiting=2), 3) == 60
    assert provider.wait_minutes(Load(places=0, active=0, waiting=0), 1) is None
    assert provider.learn(30).average_minutes == pytest.approx(39)


def test_a_queue_is_told_when_it_changes_and_only_then() -> None:
    provider = Provider(uuid4()).follow(1, NOW).measure(Load(places=1, active=0, waiting=0))
    assert provider.sequence == 2
    assert provider.measure(Load(places=1, active=0, waiting=0)) is provider
    assert provider.measure(Load(places=1, active=0, waiting=1)).sequence == 3
    assert provider.follow(2, NOW) is provider
    assert not provider.follow(0, NOW).is_open


def test_times_of_an_offer_lie_on_a_grid_of_five_minutes() -> None:
    """INVARIANT: an offer's times don't point at a moment in a chat."""
    moment = datetime(2026, 11, 24, 12, 2, 3, 4, tzinfo=UTC)
    assert round_up(moment) == NOW + timedelta(minutes=5)
    assert round_down(moment) == NOW
    assert round_up(NOW) == NOW == round_down(NOW)
    assert bucket_start(moment, 3600) == NOW
    assert bucket_start(moment, 2) == datetime(2026, 11, 24, 12, 2, 2, tzinfo=UTC)


def test_each_sentence_of_a_proposal_stands_by_itself() -> None:
    assert sentences_of("Hun sover dårlig. Vil snakke med noen!\n\nHelst før helga?") == (
        "Hun sover dårlig.",
        "Vil snakke med noen!",
        "Helst før helga?",
    )
    assert summary_of(("En.", "To.")) == "En.\nTo."


@pytest.mark.parametrize("sentences", [["a"] * 13, ["a" * 301], ["😶" * 299] * 4])
def test_a_summary_has_an_end(sentences: list[str]) -> None:
    assert checked_summary(["", "  "]) == ()
    with pytest.raises(SummaryTooLongError):
        checked_summary(sentences)

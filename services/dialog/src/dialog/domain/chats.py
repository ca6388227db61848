"""The rules of a chat: from the request through the queue to the talk, its end and the day its text must be gone."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from contracts.codes import AgeBand, ChatOutcome, Language, TopicCode, Urgency

from dialog.domain.retention import Retention

LONGEST_MESSAGE = 4000
"""Characters."""
LONGEST_WAIT = timedelta(minutes=60)
"""After this in the queue we say honestly that nobody came."""
GONE_AFTER = timedelta(minutes=20)
"""A chat ends when the youth has neither written nor had the page open for so long."""
LOGIN_TAKES = timedelta(minutes=120)
"""As GONE_AFTER while the youth tries to log in: as long as the other service holds an offer for a login."""
LONGEST_CHAT = timedelta(hours=24)
"""No chat stays open for longer, so that every text has a last day from the first."""


class ChatNotFoundError(Exception):
    """There is no such chat, or it isn't yours: nobody learns which."""


class ChatTakenError(Exception):
    """Somebody else took the chat first, or it no longer waits."""


class ChatClosedError(Exception):
    """The chat isn't open, so nothing can be said or offered in it."""


class OpenChatError(Exception):
    """This browser already has a chat that waits or is open."""


class EmptyMessageError(Exception):
    """A message without anything in it."""


class HelperPresentError(Exception):
    """The chat's helper is there, so nobody takes it over."""


class MessageTooLongError(Exception):
    """A message of more than LONGEST_MESSAGE characters."""


class ChatState(StrEnum):
    """Where a chat is. A deleted chat has no state: its row is gone."""

    WAITING = "waiting"
    ACTIVE = "active"
    ENDED = "ended"
    ABANDONED = "abandoned"
    UNANSWERED = "unanswered"

    @property
    def is_open(self) -> bool:
        return self in (ChatState.WAITING, ChatState.ACTIVE)


class Author(StrEnum):
    """Who wrote a message. Helpers have no names here."""

    YOUTH = "youth"
    HELPER = "helper"


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation, as its row says it."""

    id: UUID
    service_id: UUID
    organisation: str
    """Organisation number of the provider; only its helpers may see the chat."""
    topic_code: TopicCode
    age_band: AgeBand
    language: Language
    urgency: Urgency
    retention: Retention
    """The provider's promise when the youth asked: a later change doesn't lengthen it."""
    requested_at: datetime
    seen_at: datetime
    """When the youth was last there, within a minute."""
    delete_after: datetime
    state: ChatState = ChatState.WAITING
    sequence: int = 0
    """Facts told about this chat."""
    messages: int = 0
    """Messages written in it; the last one has this number."""
    helper: UUID | None = None
    """Whose chat it is: a random subject, not a name."""
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    logging_in: bool = False
    """The youth said yes to go on and tries to log in. Says nothing about the offer."""
    outcome: ChatOutcome | None = None
    """By whom the talk was ended; None = it wasn't, or an earlier release ended it."""
    rated: bool = False
    """The youth has said whether it helped; what she said is only counted."""

    def queued(self) -> "Chat":
        """Requested and queued: two facts."""
        return replace(self, sequence=self.sequence + 2)

    def accept(self, helper: UUID, now: datetime) -> "Chat":
        """Give the chat to one helper. Raises ChatTakenError."""
        if self.state is not ChatState.WAITING:
            raise ChatTakenError
        return replace(self, state=ChatState.ACTIVE, helper=helper, accepted_at=now, sequence=self.sequence + 1)

    def take_over(self, helper: UUID) -> "Chat":
        """A colleague goes on where a helper was lost. No fact: that a helper changed is the organisation's own affair.

        Raises ChatClosedError; ChatTakenError if it's theirs already.
        """
        self.require_talk()
        if self.helper == helper:
            raise ChatTakenError
        return replace(self, helper=helper)

    def require_talk(self) -> None:
        """Raises ChatClosedError unless the two are talking."""
        if self.state is not ChatState.ACTIVE:
            raise ChatClosedError

    def say(self, author: Author, now: datetime) -> "Chat":
        """Count one more message. A youth who writes is here again. Raises ChatClosedError."""
        self.require_talk()
        if author is Author.HELPER:
            return replace(self, messages=self.messages + 1)
        return replace(self, messages=self.messages + 1, seen_at=now, logging_in=False)

    def go_and_log_in(self) -> "Chat":
        """The youth leaves to log in; the chat stays as it is until it is ended. Raises ChatClosedError."""
        self.require_talk()
        return replace(self, logging_in=True)

    def end(self, now: datetime, outcome: ChatOutcome) -> "Chat":
        """Close an open talk. Raises ChatClosedError."""
        self.require_talk()
        return replace(self._close(ChatState.ENDED, now), outcome=outcome)

    def rate(self) -> "Chat":
        """The youth says whether it helped, once and afterwards. Raises ChatClosedError while it's open, or the second time."""
        if self.state is not ChatState.ENDED or self.rated:
            raise ChatClosedError
        return replace(self, rated=True)

    def abandon(self, now: datetime) -> "Chat":
        """The youth leaves the queue. Raises ChatTakenError if a helper came first."""
        return self._leave_queue(ChatState.ABANDONED, now)

    def give_up(self, now: datetime) -> "Chat":
        """Nobody came. Raises ChatTakenError if a helper did after all."""
        return self._leave_queue(ChatState.UNANSWERED, now)

    def deleted(self) -> "Chat":
        """The last fact about it."""
        return replace(self, sequence=self.sequence + 1)

    def waited_seconds(self, now: datetime) -> int:
        """From the request until a helper came, or until now."""
        return max(0, int(((self.accepted_at or now) - self.requested_at).total_seconds()))

    def lasted_minutes(self, now: datetime) -> int:
        """From the helper's first moment until the end, or until now; whole minutes."""
        return max(0, int(((self.ended_at or now) - (self.accepted_at or now)).total_seconds() // 60))

    def _leave_queue(self, state: ChatState, now: datetime) -> "Chat":
        if self.state is not ChatState.WAITING:
            raise ChatTakenError
        return self._close(state, now)

    def _close(self, state: ChatState, now: datetime) -> "Chat":
        delete_after = min(self.delete_after, self.retention.until(now))
        return replace(self, state=state, ended_at=now, delete_after=delete_after, logging_in=False, sequence=self.sequence + 1)


def last_day(retention: Retention, requested_at: datetime) -> datetime:
    """When the text must be gone at the latest, known before the first word is written."""
    return retention.until(requested_at + LONGEST_CHAT)


def checked_message(text: str) -> str:
    """The text as it will be kept. Raises EmptyMessageError (also for what nobody can see) or MessageTooLongError."""
    kept = text.strip()
    if not any(letter.isprintable() and not letter.isspace() for letter in kept):
        raise EmptyMessageError
    if len(kept) > LONGEST_MESSAGE:
        raise MessageTooLongError
    return kept


OUTCOME_OF = {Author.YOUTH: ChatOutcome.ENDED_BY_YOUTH, Author.HELPER: ChatOutcome.ENDED_BY_HELPER}
"""How a chat ended, by who ended it."""

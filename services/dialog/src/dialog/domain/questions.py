"""The rules of an anonymous question: who may answer, what is told, how long it lives."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

TEXT_MOST = 5_000
"""Longest question, characters."""
ANSWER_MOST = 15_000
"""Longest answer, characters."""


def told_wait(usual: timedelta) -> timedelta:
    """The wait that youths are told: rounded up, to whole hours below a day and then to whole days; never "0 seconds"."""
    unit = timedelta(hours=1) if usual <= timedelta(hours=23) else timedelta(days=1)
    return max(1, -(-usual // unit)) * unit


class QuestionStatus(StrEnum):
    """Where a question is on its way to an answer."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    SECOND_READ = "second_read"
    ANSWERED = "answered"


class StaffRole(StrEnum):
    """Roles of staff that this desk knows."""

    PANEL = "panel"
    EDITOR = "editor"


class QuestionsFullError(Exception):
    """The panel has as many unanswered questions as it can take."""

    def __init__(self, waiting: int, capacity: int) -> None:
        super().__init__()
        self.waiting, self.capacity = waiting, capacity


class TooManyQuestionsError(Exception):
    """This browser has asked as often as it may within an hour."""


class TooManyCodesError(Exception):
    """This browser has tried too many receipt codes for now."""


class AssignedElsewhereError(Exception):
    """Another organisation answers this question."""


class NotAssignedError(Exception):
    """One must take a question before one answers it."""


class AlreadyAnsweredError(Exception):
    """The answer was sent; it isn't changed under the reader."""


class SecondReaderError(Exception):
    """A second reading was asked for: somebody else than the writer must send the answer."""


class EditorOnlyError(Exception):
    """Only an editor approves for publishing."""


class NotForPublishingError(Exception):
    """The asker didn't say yes to publishing, or there is no answer yet."""


class AlreadyPublishedError(Exception):
    """The answer was approved before."""


@dataclass(frozen=True, slots=True)
class QuestionLimits:
    """What the desk takes and how long it keeps it; from the service's settings."""

    capacity: int
    per_hour: int
    answered_kept: timedelta
    unanswered_kept: timedelta
    wrong_codes_per_hour: int
    wrong_codes_per_minute: int

    def check_capacity(self, waiting: int) -> None:
        """Raises QuestionsFullError."""
        if waiting >= self.capacity:
            raise QuestionsFullError(waiting, self.capacity)

    def check_asked(self, asked_lately: int) -> None:
        """Raises TooManyQuestionsError."""
        if asked_lately >= self.per_hour:
            raise TooManyQuestionsError

    def check_wrong_codes(self, mine_lately: int, all_lately: int) -> None:
        """When all together try too many, each may still try a few: nobody can shut the door for the others. Raises TooManyCodesError."""
        allowed = self.wrong_codes_per_hour if all_lately < self.wrong_codes_per_minute else min(self.wrong_codes_per_hour, 3)
        if mine_lately >= allowed:
            raise TooManyCodesError


@dataclass(frozen=True, slots=True)
class Answerer:
    """A member of staff at the desk."""

    subject: UUID
    organisation: str
    """Organisation number, 9 digits."""
    roles: Collection[str]

    @property
    def is_editor(self) -> bool:
        return StaffRole.EDITOR in self.roles


@dataclass(frozen=True, slots=True)
class Question:
    """An anonymous question. Text, answer and note are ciphertext under `data_key`; nothing here leads to a person."""

    id: UUID
    receipt_hash: bytes
    topic_code: str
    age_band: str
    language: str
    may_publish: bool
    asked_at: datetime
    """UTC, rounded down to the minute."""
    data_key: bytes
    """Wrapped; when it's destroyed, the texts are."""
    text: bytes
    delete_after: datetime
    told: int = 0
    """Facts told about it so far."""
    status: QuestionStatus = QuestionStatus.WAITING
    acute: bool = False
    organisation: str | None = None
    """Organisation number of the answerer."""
    drafted_by: UUID | None = None
    answered_at: datetime | None = None
    answered_by: str | None = None
    """Profession and organisation, never a person's name."""
    helpful: bool | None = None
    publication_id: UUID | None = None
    answer: bytes | None = None
    """Draft until the status is ANSWERED."""
    note: bytes | None = None
    """The second reader's comment."""

    @property
    def context(self) -> bytes:
        """What the texts are bound to: a ciphertext moved to another row doesn't open."""
        return b"questions|" + self.id.bytes

    @property
    def is_answered(self) -> bool:
        return self.status is QuestionStatus.ANSWERED

    @property
    def waited_minutes(self) -> int:
        """From asked to answered."""
        return int(((self.answered_at or self.asked_at) - self.asked_at) / timedelta(minutes=1))

    def told_once(self) -> "Question":
        return replace(self, told=self.told + 1)

    def flag_acute(self) -> "Question":
        """First in the queue. Never closes, hides or delays anything."""
        return replace(self, acute=True, told=self.told + 1)

    def readable_by(self, answerer: Answerer) -> bool:
        """An organisation reads what waits and what is its own; editors read all, they answer for the whole."""
        return answerer.is_editor or self.organisation in {None, answerer.organisation}

    def assign(self, answerer: Answerer) -> "Question":
        """Raises AssignedElsewhereError, AlreadyAnsweredError."""
        if self.is_answered:
            raise AlreadyAnsweredError
        if self.organisation not in {None, answerer.organisation}:
            raise AssignedElsewhereError
        return replace(self, status=QuestionStatus.ASSIGNED, organisation=answerer.organisation, told=self.told + 1)

    def hand_back(self, answerer: Answerer) -> "Question":
        """To the queue again, without the draft. Raises as `answer_with`."""
        self._must_be_held_by(answerer)
        return replace(self, status=QuestionStatus.WAITING, organisation=None, drafted_by=None, answer=None, note=None)

    def draft(self, answerer: Answerer, answer: bytes, *, second_read: bool) -> "Question":
        """Keeps an answer that isn't sent; `second_read` asks a colleague to look first. Raises as `answer_with`."""
        self._must_be_held_by(answerer)
        status = QuestionStatus.SECOND_READ if second_read else QuestionStatus.ASSIGNED
        return replace(self, status=status, drafted_by=answerer.subject, answer=answer)

    def comment(self, answerer: Answerer, note: bytes) -> "Question":
        """The second reader gives the draft back with a comment. Raises SecondReaderError, and as `answer_with`."""
        self._must_be_held_by(answerer)
        if self.status is not QuestionStatus.SECOND_READ or self.drafted_by == answerer.subject:
            raise SecondReaderError
        return replace(self, status=QuestionStatus.ASSIGNED, note=note)

    def answer_with(self, answerer: Answerer, answer: bytes, answered_by: str, now: datetime, kept: timedelta) -> "Question":
        """Raises NotAssignedError, AssignedElsewhereError, AlreadyAnsweredError, SecondReaderError."""
        self._must_be_held_by(answerer)
        if self.status is QuestionStatus.SECOND_READ and self.drafted_by == answerer.subject:
            raise SecondReaderError
        return replace(
            self,
            status=QuestionStatus.ANSWERED,
            answer=answer,
            note=None,
            drafted_by=None,
            answered_at=now,
            answered_by=answered_by,
            delete_after=now + kept,
            told=self.told + 1,
        )

    def publish_as(self, publication_id: UUID) -> "Question":
        """Raises NotForPublishingError, AlreadyPublishedError."""
        if not (self.is_answered and self.may_publish):
            raise NotForPublishingError
        if self.publication_id is not None:
            raise AlreadyPublishedError
        return replace(self, publication_id=publication_id)

    def keep_private(self) -> "Question":
        """The asker's no, also after a yes."""
        return replace(self, may_publish=False, publication_id=None)

    def rate(self, *, helpful: bool) -> "Question":
        return replace(self, helpful=helpful)

    def _must_be_held_by(self, answerer: Answerer) -> None:
        if self.is_answered:
            raise AlreadyAnsweredError
        if self.organisation is None:
            raise NotAssignedError
        if self.organisation != answerer.organisation:
            raise AssignedElsewhereError

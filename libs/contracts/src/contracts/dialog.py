"""What dialog (level 2, anonymous) tells the world: questions, chats, availability, publications and handoffs.

No free text except what was approved for publishing; no id of a conversation on the topics that others than reporting read.
"""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.event import AnyAgeBand, AnyChatOutcome, AnyLanguage, AnyTopic, AnyUrgency, Count, Event, Sha256, Time

QUESTIONS = "dialog.questions.v1"
PUBLICATIONS = "dialog.publications.v1"
CHATS = "dialog.chats.v1"
AVAILABILITY = "dialog.availability.v1"
HANDOFFS = "dialog.handoffs.v1"
HANDOFF_COUNTS = "dialog.handoff-counts.v1"


class QuestionAsked(Event):
    """A youth asked an anonymous question."""

    type: ClassVar[str] = "dialog.question.asked.v1"
    topic: ClassVar[str] = QUESTIONS
    question_id: UUID
    topic_code: AnyTopic
    age_band: AnyAgeBand
    language: AnyLanguage


class QuestionFlaggedAcute(Event):
    """A helper's mark or a listed word put the question first in the queue. It can never close or hide it."""

    type: ClassVar[str] = "dialog.question.flagged_acute.v1"
    topic: ClassVar[str] = QUESTIONS
    question_id: UUID


class QuestionAssigned(Event):
    """A question was given to the organisation that will answer."""

    type: ClassVar[str] = "dialog.question.assigned.v1"
    topic: ClassVar[str] = QUESTIONS
    question_id: UUID
    organisation: str = Field(pattern=r"^\d{9}$", description="Organisation number of the answerer")


class QuestionAnswered(Event):
    """The answer can be read with the receipt code."""

    type: ClassVar[str] = "dialog.question.answered.v1"
    topic: ClassVar[str] = QUESTIONS
    question_id: UUID
    waited_minutes: Count = Field(description="From asked to answered")


class QuestionWithdrawn(Event):
    """The youth took the question back before or after the answer."""

    type: ClassVar[str] = "dialog.question.withdrawn.v1"
    topic: ClassVar[str] = QUESTIONS
    question_id: UUID


class QuestionDeleted(Event):
    """The text is gone: by the youth's wish or because its time was up."""

    type: ClassVar[str] = "dialog.question.deleted.v1"
    topic: ClassVar[str] = QUESTIONS
    question_id: UUID


class AnswerApproved(Event):
    """A question and its answer, cleaned of what points to a person, may be published; the asker said yes."""

    type: ClassVar[str] = "dialog.answer.approved.v1"
    topic: ClassVar[str] = PUBLICATIONS
    publication_id: UUID = Field(description="New and random; unrelated to the question's id")
    title: str = Field(max_length=200)
    question: str = Field(max_length=10_000, description="Public text, approved by an editor")
    answer: str = Field(max_length=20_000, description="Public text, approved by an editor")
    topic_code: AnyTopic
    language: AnyLanguage
    age_band: AnyAgeBand
    answered_on: date = Field(description="Day of the answer, Europe/Oslo")
    answered_by: str = Field(max_length=120, description="Profession and organisation, never a person's name")


class AnswerRecalled(Event):
    """A published answer must be taken away."""

    type: ClassVar[str] = "dialog.answer.recalled.v1"
    topic: ClassVar[str] = PUBLICATIONS
    publication_id: UUID


class ChatRequested(Event):
    """A youth asked to talk with somebody."""

    type: ClassVar[str] = "dialog.chat.requested.v1"
    topic: ClassVar[str] = CHATS
    chat_id: UUID
    service_id: UUID = Field(description="The help service that answers; a public id from the register")
    topic_code: AnyTopic
    age_band: AnyAgeBand
    language: AnyLanguage


class ChatQueued(Event):
    """The youth waits in the queue."""

    type: ClassVar[str] = "dialog.chat.queued.v1"
    topic: ClassVar[str] = CHATS
    chat_id: UUID
    position: Annotated[int, Field(ge=1)]


class ChatAccepted(Event):
    """A helper took the chat."""

    type: ClassVar[str] = "dialog.chat.accepted.v1"
    topic: ClassVar[str] = CHATS
    chat_id: UUID
    waited_seconds: Count


class ChatEnded(Event):
    """The chat is over; its text lives on only as long as the provider's retention says."""

    type: ClassVar[str] = "dialog.chat.ended.v1"
    topic: ClassVar[str] = CHATS
    chat_id: UUID
    outcome: AnyChatOutcome
    lasted_minutes: Count


class ChatAbandoned(Event):
    """The youth left the queue."""

    type: ClassVar[str] = "dialog.chat.abandoned.v1"
    topic: ClassVar[str] = CHATS
    chat_id: UUID
    waited_seconds: Count


class ChatUnanswered(Event):
    """Nobody could take the chat before the service closed or the wait ran out."""

    type: ClassVar[str] = "dialog.chat.unanswered.v1"
    topic: ClassVar[str] = CHATS
    chat_id: UUID
    waited_seconds: Count


class ChatDeleted(Event):
    """The text of the chat is gone."""

    type: ClassVar[str] = "dialog.chat.deleted.v1"
    topic: ClassVar[str] = CHATS
    chat_id: UUID


class ProviderOpened(Event):
    """A help service takes chats now."""

    type: ClassVar[str] = "dialog.provider.opened.v1"
    topic: ClassVar[str] = AVAILABILITY
    service_id: UUID


class ProviderClosed(Event):
    """A help service takes no more chats for now."""

    type: ClassVar[str] = "dialog.provider.closed.v1"
    topic: ClassVar[str] = AVAILABILITY
    service_id: UUID


class QueueMeasured(Event):
    """How long the queue of a help service is."""

    type: ClassVar[str] = "dialog.queue.measured.v1"
    topic: ClassVar[str] = AVAILABILITY
    service_id: UUID
    length: Count
    wait_minutes: Count | None = Field(default=None, description="Honest estimate; null = not known")


class HandoffOffered(Event):
    """A youth chose to go on logged in. Holds no id of the conversation and nothing that it could be found by."""

    type: ClassVar[str] = "dialog.handoff.offered.v1"
    topic: ClassVar[str] = HANDOFFS
    handoff_id: UUID = Field(description="New and random")
    need: AnyTopic
    urgency: AnyUrgency
    expires_at: Time = Field(description="Rounded up to 5 minutes")
    lookup_hash: Sha256 = Field(description="SHA-256 of HKDF(secret, 'lookup'); typed codes through argon2id first")
    locator: str | None = Field(
        default=None,
        pattern=r"^[0-9A-HJKMNP-TV-Z]{3}$",
        description="Start of a typed code; null = a 256-bit secret",
    )
    salt: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$", description="Salt of argon2id; only with a locator")
    sealed_summary: str | None = Field(
        default=None,
        max_length=12_000,
        description="Padded to 4 kB, AES-256-GCM under HKDF(secret, 'summary'), then JWE (ECDH-ES, A256GCM) to the receiver",
    )


class HandoffWithdrawn(Event):
    """The youth took the offer back."""

    type: ClassVar[str] = "dialog.handoff.withdrawn.v1"
    topic: ClassVar[str] = HANDOFFS
    handoff_id: UUID


class HandoffCount(BaseModel):
    """How many handoffs of one need were offered and withdrawn."""

    model_config = ConfigDict(frozen=True)
    need: AnyTopic
    offered: Count
    withdrawn: Count


class HandoffsCounted(Event):
    """Handoffs in one bucket of time, by need."""

    type: ClassVar[str] = "dialog.handoffs.counted.v1"
    topic: ClassVar[str] = HANDOFF_COUNTS
    bucket_id: UUID
    bucket_start: Time
    bucket_seconds: Annotated[int, Field(gt=0)]
    counts: tuple[HandoffCount, ...]

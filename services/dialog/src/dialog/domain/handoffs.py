"""What may travel when a youth goes on logged in, and how long an offer lives. Nothing here knows a conversation."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from contracts.codes import TopicCode, Urgency

TEXT_VERSION = "2026-11-2"
"""Version of the text that the youth says yes to: template handoffs/onwards.html. Change both together."""
GRID = timedelta(minutes=5)
"""Times of an offer lie on this grid, so that they don't point at a moment in a chat."""
MOST_SENTENCES = 12
LONGEST_SENTENCE = 300
"""Characters."""
MOST_BYTES = 4000
"""UTF-8 of all sentences together: every summary is padded to 4 kB, so that its length says nothing."""


class HandoffNotFoundError(Exception):
    """No offer lives under this secret: never made, expired, or already taken back."""


class SummaryTooLongError(Exception):
    """More sentences, or longer ones, than may travel."""


class Device(StrEnum):
    """Where the youth will log in."""

    SAME = "same"
    OTHER = "other"


class Life(StrEnum):
    """How long a typed code lives; the youth chooses."""

    MINUTES_30 = "30m"
    HOURS_24 = "24h"
    DAYS_14 = "14d"

    @property
    def length(self) -> timedelta:
        return {Life.MINUTES_30: timedelta(minutes=30), Life.HOURS_24: timedelta(hours=24), Life.DAYS_14: timedelta(days=14)}[self]


@dataclass(frozen=True, slots=True)
class Handoff:
    """An offer that waits to be claimed. Has no way back to the chat."""

    id: UUID
    need: TopicCode
    urgency: Urgency
    expires_at: datetime
    """On the grid, rounded up."""
    lookup_hash: str
    """64 hexadecimal digits; what the secret is recognised by."""
    text_version: str
    agreed_at: datetime
    """On the grid, rounded down: the youth's own act of sending."""
    locator: str | None = None
    salt: bytes | None = None
    sequence: int = 1
    """Facts told about it: offered, then perhaps withdrawn."""


def round_up(instant: datetime) -> datetime:
    """The next moment on the grid, or this one if it lies on it."""
    rest = (instant - datetime(1970, 1, 1, tzinfo=UTC)) % GRID
    return instant + (GRID - rest) if rest else instant


def round_down(instant: datetime) -> datetime:
    """The last moment on the grid."""
    return instant - (instant - datetime(1970, 1, 1, tzinfo=UTC)) % GRID


def bucket_start(instant: datetime, seconds: int) -> datetime:
    """The start of the bucket of so many seconds that an instant lies in."""
    return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, UTC)


def checked_summary(sentences: list[str]) -> tuple[str, ...]:
    """The sentences that travel, without empty ones. Raises SummaryTooLongError."""
    kept = tuple(sentence for text in sentences if (sentence := " ".join(text.split())))
    too_long = any(len(sentence) > LONGEST_SENTENCE for sentence in kept) or len(summary_of(kept).encode()) > MOST_BYTES
    if too_long or len(kept) > MOST_SENTENCES:
        raise SummaryTooLongError
    return kept


def sentences_of(text: str) -> tuple[str, ...]:
    """A proposed text, a sentence or line each, so that every one can be left out alone. Raises SummaryTooLongError."""
    marked = text
    for end in (". ", "! ", "? "):
        marked = marked.replace(end, end.strip() + "\n")
    return checked_summary(marked.splitlines())


def summary_of(sentences: tuple[str, ...]) -> str:
    """The text that travels: a sentence a line."""
    return "\n".join(sentences)

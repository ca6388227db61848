"""What identity tells the world: counts of logins, and to each reader the end of its own sessions."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.event import AnyAgeBand, AnyLevel, AnyLoginOutcome, Count, Event, Time

LOGINS = "identity.logins.v1"
READERS = ("info", "dialog", "helpjourney", "reporting")
"""Every service that is a relying party has a topic of its own for ended sessions, so that no two can compare ids."""


def sessions_topic(reader: str) -> str:
    """The topic on which `reader`, and nobody else, learns which of its sessions ended."""
    return f"identity.sessions-{reader}.v1"


class LoginCount(BaseModel):
    """How many logins ended in one way."""

    model_config = ConfigDict(frozen=True)
    outcome: AnyLoginOutcome
    level: AnyLevel
    age_band: AnyAgeBand
    count: Count


class LoginsCounted(Event):
    """Logins of youths in one bucket of time."""

    type: ClassVar[str] = "identity.logins.counted.v1"
    topic: ClassVar[str] = LOGINS
    bucket_id: UUID
    bucket_start: Time
    bucket_seconds: Annotated[int, Field(gt=0)]
    counts: tuple[LoginCount, ...]


class SessionEnded(Event):
    """A login is over: logout, exit, or ended elsewhere. Told on the reader's own topic (`sessions_topic`)."""

    type: ClassVar[str] = "identity.session.ended.v1"
    topic: ClassVar[str] = ""
    session_id: UUID = Field(description="The `sid` that this reader got in its ID token; random, per reader")

"""Whether a chat service is open, how many it can talk with, and what one may honestly say about the wait."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from dialog.domain.retention import Retention

QUEUE_PER_PLACE = 2
"""So many may wait for each place to talk: a longer queue would be a promise that can't be kept."""
FIRST_GUESS = 42.0
"""Minutes that a chat takes until we have measured: the average of Danish BørneChatten."""
MEMORY = 0.9
"""Weight of the past when a finished chat moves the average."""
MOST_AT_ONCE = 5
"""Chats that one helper may have at once."""
CLOSED_FOR_GOOD = timedelta(minutes=1)
"""After this without a helper the queue of a service is told that nobody comes; a shorter pause harms nobody."""
DUTY_WITHOUT_SIGN = timedelta(minutes=15)
"""A helper whose desk hasn't asked for anything for so long is no longer on duty."""


class ServiceClosedError(Exception):
    """Nobody is on duty at this service now."""


class QueueFullError(Exception):
    """As many wait already as can hope for an answer."""


class UnknownServiceError(Exception):
    """Not a chat service of the register, or not one of your organisation."""


class NotOnDutyError(Exception):
    """Only a helper on duty takes chats."""


class NoFreePlaceError(Exception):
    """The helper already has as many chats as they said they can have."""


@dataclass(frozen=True, slots=True)
class Load:
    """A service at one moment."""

    places: int
    """Chats that its helpers on duty can have at once."""
    active: int
    waiting: int

    @property
    def is_full(self) -> bool:
        return self.waiting >= self.most_waiting

    @property
    def most_waiting(self) -> int:
        return self.places * QUEUE_PER_PLACE


@dataclass(frozen=True, slots=True)
class Provider:
    """The live state of one chat service of the register."""

    service_id: UUID
    is_open: bool = False
    sequence: int = 0
    """Facts told about it."""
    changed_at: datetime | None = None
    """When it last opened or closed."""
    retention: Retention = Retention.HOURS_72
    average_minutes: float = FIRST_GUESS
    told_length: int | None = None
    told_wait: int | None = None

    def follow(self, helpers: int, now: datetime) -> "Provider":
        """Open with the first helper on duty, closed with the last: one fact if that changes something."""
        if (helpers > 0) is self.is_open:
            return self
        return replace(self, is_open=helpers > 0, changed_at=now, sequence=self.sequence + 1)

    def measure(self, load: Load) -> "Provider":
        """Remember what is told about the queue: one fact if it changed."""
        wait = self.wait_minutes(load, load.waiting + 1) if self.is_open else None
        if (load.waiting, wait) == (self.told_length, self.told_wait):
            return self
        return replace(self, told_length=load.waiting, told_wait=wait, sequence=self.sequence + 1)

    def admit(self, load: Load) -> None:
        """Raises ServiceClosedError or QueueFullError."""
        if not self.is_open:
            raise ServiceClosedError
        if load.is_full:
            raise QueueFullError

    def wait_minutes(self, load: Load, position: int) -> int | None:
        """What one may expect at a place in the queue: places become free evenly over an average chat. None = nobody is on duty."""
        if load.places == 0:
            return None
        ahead = position - max(0, load.places - load.active)
        if ahead <= 0:
            return 1
        return math.ceil(ahead * self.average_minutes / load.places)

    def learn(self, lasted_minutes: int) -> "Provider":
        """A finished chat moves the average; at least one minute, so that the estimate never says nothing."""
        return replace(self, average_minutes=max(1.0, MEMORY * self.average_minutes + (1 - MEMORY) * lasted_minutes))

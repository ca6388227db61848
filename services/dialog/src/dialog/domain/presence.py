"""Who has a chat before them: what a sign of life is worth, and when one is told that the other is away."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LOOKS_EVERY = timedelta(seconds=3)
"""An open stream looks, and is a sign of life, so often."""
ASKS_EVERY = timedelta(seconds=5)
"""A frame without script asks again so often."""
STREAM_HOLDS = timedelta(seconds=9)
FRAME_HOLDS = timedelta(seconds=9)
STOPPED_HOLDS = timedelta(seconds=60)
"""Who has stopped a frame's renewal still reads; we can't know for how long."""
TYPING_HOLDS = timedelta(seconds=6)
TOLD_WITHIN = timedelta(seconds=15)
"""The promise: so long after a side's last sign the other one has been told."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One side of a chat. Without any sign on record nothing is known, and nobody is called away."""

    present_until: datetime | None = None
    typing_until: datetime | None = None
    read_to: int = 0
    """Number of the last message that this side has before them."""

    def is_away(self, now: datetime) -> bool:
        return self.present_until is not None and self.present_until <= now

    def is_typing(self, now: datetime) -> bool:
        return self.typing_until is not None and self.typing_until > now and not self.is_away(now)


UNKNOWN = Presence()

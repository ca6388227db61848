"""From measured costs to what a day needs: processor cores in the busiest hour, memory, bytes a day."""

from collections.abc import Mapping
from dataclasses import dataclass

PAGES_PER_VISIT = 3
"""Assumed: a search, an answer and one page more."""
OPEN_MINUTES = 45
"""Assumed: a chat's page is open so long, waiting and talking; the helper's beside it."""
BUSIEST_HOUR = 0.12
"""Assumed: share of a day in its busiest hour (an even day has 0.04)."""


@dataclass(frozen=True, slots=True)
class Day:
    """What happens in a day, or in a scaled-down one."""

    pages: float
    chats: float
    handoffs: float
    """Chats that go on to logged-in help, with an appointment; among `chats`."""
    open_seconds: float
    """Seconds of open chat pages, all together."""

    @classmethod
    def national(cls, times: float = 1) -> "Day":
        """90,000 visits, 2,000 chats, 400 handoffs, so many times."""
        chats = 2_000 * times
        return cls(90_000 * PAGES_PER_VISIT * times, chats, 400 * times, chats * OPEN_MINUTES * 60 * 2)


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Processor seconds and bytes by piece of work; the platform at rest."""

    page: float
    chat: float
    handoff: float
    """What a chat costs more when it goes on to an appointment."""
    open_second: float
    at_rest: float
    """Cores that the platform takes when nobody is there."""
    open_memory: float
    """MB of an open chat page."""
    memory: float
    """MB at rest."""
    chat_bytes: float
    handoff_bytes: float
    """In databases and topics together."""
    chat_events: float
    handoff_events: float

    def cpu(self, day: Day) -> float:
        """Processor seconds of the work of a day, without the rest."""
        more = day.chats * self.chat + day.handoffs * self.handoff
        return day.pages * self.page + more + day.open_seconds * self.open_second

    def needs(self, day: Day) -> Mapping[str, float]:
        """What the day takes, by measure."""
        open_at_once = day.open_seconds * BUSIEST_HOUR / 3600
        return {
            "cores in the busiest hour": self.at_rest + self.cpu(day) * BUSIEST_HOUR / 3600,
            "open chat pages at once": open_at_once,
            "memory, MB": self.memory + open_at_once * self.open_memory,
            "events a day": day.chats * self.chat_events + day.handoffs * self.handoff_events,
            "databases and topics, MB a day": (day.chats * self.chat_bytes + day.handoffs * self.handoff_bytes) / 1e6,
        }

"""A floor under load: how many logins a client may start and tokens it may fetch, and how many unfinished logins a browser has.

Never by network address: a whole school shares one.
"""

from dataclasses import dataclass, field

MOST_ATTEMPTS = 8
"""Logins that one browser has begun and not finished within the ten minutes that each may take."""


@dataclass(slots=True)
class Allowance:
    """A bucket of tokens per key: `burst` at once, `per_second` for good. Keys are clients: few, and known beforehand."""

    burst: float
    per_second: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Key -> what is left, and when that was counted (seconds of one steady clock)."""

    def take(self, key: str, now: float) -> float:
        """Take one; 0 if there was one, else the seconds until there is."""
        left, at = self._left.get(key, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_second)
        if left < 1:
            self._left[key] = (left, now)
            return (1 - left) / self.per_second
        self._left[key] = (left - 1, now)
        return 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What each process of identity allows."""

    logins: Allowance
    """Logins begun, per client."""
    tokens: Allowance
    """Token requests, per client that proved who it is: nobody else can use them up."""

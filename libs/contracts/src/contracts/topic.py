"""What a card of the catalogue says: of an owner, and of a topic."""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from contracts.codes import Zone

FIRST_VERSION = "0.1.0"
"""Of the contracts, in which everything began that names no other."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A service and the agency that answers for it."""

    name: str
    agency: str
    zone: Zone


class Precision(IntEnum):
    """To how many seconds a topic's times are rounded down, by how sensitive the topic is."""

    PUBLIC = 1
    SENSITIVE = 60
    BORDER = 300


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the catalogue."""

    name: str
    owner: str
    readers: frozenset[str]
    key: str
    precision: Precision
    partitions: int = 3
    """Fixed for the life of a topic version: more would break the order of a key."""
    retention_days: int = 7
    since: str = FIRST_VERSION
    """Version of the contracts that it first stood in."""
    until: date | None = None
    """Last day on which anything is told on it; None = no end is known."""
    stays_in_zone: bool = False
    """Every reader is in the owner's zone: only then may a trace or causation id travel along. The catalogue finds out."""

    @property
    def sensitivity(self) -> str:
        """`public`, `sensitive` or `border`."""
        return self.precision.name.lower()

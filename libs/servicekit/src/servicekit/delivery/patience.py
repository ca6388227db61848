"""How often an event was tried, and how long its partition waits until the next try."""

import random
from collections.abc import Collection
from dataclasses import dataclass

from aiokafka import TopicPartition

FIRST_BACK_OFF, LONGEST_BACK_OFF = 0.2, 30.0
MOST_WHOLE = 2
"""So often is a batch tried as a whole where one of its events fails; then each event for itself."""
MOST_WAITS = 3
"""The same while the database is away: one of its events may be what takes it down each time."""
MOST_ATTEMPTS = 6
"""An event that still fails in a transient way at this try is parked."""
MOST_BREAKS = 12
"""One that ends its own transaction, while the database answers others, is parked without another try at this one: after two minutes."""


@dataclass(frozen=True, slots=True)
class Failed:
    """How often something failed while the database was there."""

    times: int = 0
    breaks: int = 0
    """Of those, how often nothing could be done any more in its transaction."""

    @property
    def may_wait(self) -> bool:
        """Whether it may come again if it fails once more."""
        return self.times + 1 < MOST_ATTEMPTS

    @property
    def is_hopeless(self) -> bool:
        """Whether it isn't even tried again."""
        return self.breaks + 1 >= MOST_BREAKS

    def once_more(self, *, broken: bool) -> "Failed":
        """After another failure."""
        return Failed(self.times + 1, self.breaks + broken)


@dataclass(slots=True)
class _Trouble:
    offset: int = -1
    """What failed: an event, or the first of the batch that did."""
    failed: Failed = Failed()
    waits: int = 0
    """How often the partition waited since it last went on."""


class Patience:
    """What is known of the partitions of one consumer that don't go on."""

    def __init__(self) -> None:
        self._troubles: dict[TopicPartition, _Trouble] = {}

    def failures(self, partition: TopicPartition) -> int:
        """How often something of the partition failed in a row, as far as it says how much to try at once."""
        trouble = self._troubles.get(partition, _Trouble())
        return MOST_WHOLE if trouble.waits >= MOST_WAITS else trouble.failed.times

    def of(self, partition: TopicPartition, offset: int) -> Failed:
        """How often the event at `offset` failed. It may have been in a batch that failed before it was known which one did."""
        trouble = self._troubles.get(partition, _Trouble())
        return trouble.failed if offset == trouble.offset else Failed(min(trouble.failed.times, MOST_WHOLE))

    def failed(self, partition: TopicPartition, offset: int, failed: Failed) -> None:
        """Remember how often the event at `offset` has failed by now."""
        trouble = self._troubles.setdefault(partition, _Trouble())
        trouble.offset, trouble.failed = offset, failed

    def wait(self, partition: TopicPartition) -> tuple[int, float]:
        """The partition waits: how often by now, and for how many seconds this time."""
        trouble = self._troubles.setdefault(partition, _Trouble())
        trouble.waits += 1
        return trouble.waits, jittered(min(FIRST_BACK_OFF * 2 ** min(trouble.waits - 1, 20), LONGEST_BACK_OFF))

    def went_on(self, partition: TopicPartition) -> None:
        """Its events were applied, ignored or parked."""
        self._troubles.pop(partition, None)

    def keep(self, partitions: Collection[TopicPartition]) -> None:
        """Forget the partitions that others read now."""
        self._troubles = {partition: trouble for partition, trouble in self._troubles.items() if partition in partitions}


def jittered(seconds: float) -> float:
    """A fifth more or less, so that those who wait for the same don't come at once."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - jitter

"""Named places at which a demonstration may be told to die, so that a test sees what survives.

`CRASH_AT=relay.acked:3` kills the process, by SIGKILL to itself, when it comes to that place for the third time. Production refuses to
start with it. Where nothing is asked for, a place costs one look at a variable.
"""

import asyncio
import os
import signal
from enum import StrEnum

ON_ITS_WAY_SECONDS = 0.003
"""Time in which a batch leaves for the broker after it was handed to the producer; its acknowledgement is never looked at."""


class Place(StrEnum):
    """Where a process may die. `command.*` are in every transaction that a door, a timer or a batch opens (`begun`) and tells in."""

    COMMAND_BEGUN = "command.begun"
    """A transaction is open, nothing is written."""
    COMMAND_WRITTEN = "command.written"
    """The state is written, its facts aren't."""
    COMMAND_TOLD = "command.told"
    """State and facts are written, nothing is committed."""
    COMMAND_COMMITTED = "command.committed"
    """Committed; who asked has no answer."""
    RELAY_CLAIMED = "relay.claimed"
    """The relay leads and has read facts; none is sent."""
    RELAY_SENT = "relay.sent"
    """A batch is on its way; no acknowledgement was seen."""
    RELAY_ACKED = "relay.acked"
    """The round's batches are acknowledged, no row is deleted."""
    RELAY_DELETED = "relay.deleted"
    """Rows are deleted, not committed."""
    RELAY_COMMITTED = "relay.committed"
    """The round is over."""
    CONSUMER_FETCHED = "consumer.fetched"
    """A batch is in hand, no transaction is open."""
    CONSUMER_RECEIVED = "consumer.received"
    """Receipts are written, no effect is."""
    CONSUMER_BETWEEN = "consumer.between"
    """An event of a batch is applied; others, or the end of the batch, are not."""
    CONSUMER_APPLIED = "consumer.applied"
    """All effects are written, nothing is committed."""
    CONSUMER_COMMITTED = "consumer.committed"
    """Effects are committed, the offsets aren't."""
    CONSUMER_DONE = "consumer.done"
    """Effects and offsets are committed."""
    TIMER_CLAIMED = "timer.claimed"
    """A due timer is claimed, nothing is done."""
    TIMER_DONE = "timer.done"
    """A timer's work is written, not committed."""
    TIMER_COMMITTED = "timer.committed"
    """A timer's work is committed."""
    PROCESS_STOPPING = "process.stopping"
    """Asked to stop, and still draining."""


_place: Place | None = None
_visits_left = 0


def parse(setting: str) -> tuple[Place, int]:
    """`<place>` or `<place>:<nth visit>`. Raises ValueError."""
    name, _, number = setting.partition(":")
    nth = int(number or "1")
    if nth < 1:
        raise ValueError("the first visit is 1")
    return Place(name), nth


def arm(setting: str | None) -> None:
    """Die at the place that `setting` names; None disarms."""
    global _place, _visits_left
    _place, _visits_left = parse(setting) if setting else (None, 0)


def reach(place: Place) -> None:
    """The process has come to `place`."""
    if _place is not None and _is_the_one(place):
        _die()


async def reach_sent() -> None:
    """A batch was handed to the producer. If the process is to die here, the batch gets the time to leave."""
    if _place is not None and _is_the_one(Place.RELAY_SENT):
        await asyncio.sleep(ON_ITS_WAY_SECONDS)
        _die()


def _is_the_one(place: Place) -> bool:
    global _visits_left
    if place is not _place:
        return False
    _visits_left -= 1
    return _visits_left == 0


def _die() -> None:
    os.write(2, f"crash point {_place}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)

"""What clients did, what was found afterwards, and what is wrong with it. Pure: it knows neither databases nor Kafka."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Self

STUCK_SECONDS = 60.0
"""Nothing may be stuck unnoticed for longer (the promise of delivery)."""


class Phase(StrEnum):
    """How far a client got with one operation."""

    INVOKE = "invoke"
    OK = "ok"
    """Answered 2xx: from here on it must not be lost."""
    FAIL = "fail"
    """Refused: it must not have happened."""
    ELSEWHERE = "elsewhere"
    """Led to another place first, e.g. to log in or to wait: nothing is promised; it may have happened, once."""
    UNKNOWN = "unknown"
    """No answer: it may have happened, once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger."""

    command: str
    """The operation; a client that tries again keeps it, as it keeps its idempotency key."""
    phase: Phase
    at: float
    """Seconds."""


@dataclass
class Ledger:
    """What clients saw, in the order in which they saw it."""

    entries: list[Entry] = field(default_factory=list)
    receipts: dict[str, str] = field(default_factory=dict)
    """Operation -> what its answer names: it must be there."""

    def note(self, command: str, phase: Phase, at: float) -> None:
        self.entries.append(Entry(command, phase, at))

    def outcomes(self) -> dict[str, Phase]:
        """By operation: OK once it was answered at any try; unknown if a try before its refusal promised nothing; else what came last."""
        found: dict[str, Phase] = {}
        unknown: set[str] = set()
        for entry in self.entries:
            if entry.phase in {Phase.UNKNOWN, Phase.ELSEWHERE}:
                unknown.add(entry.command)
            if found.get(entry.command) is not Phase.OK:
                doubtful = entry.phase is Phase.FAIL and entry.command in unknown
                found[entry.command] = Phase.UNKNOWN if doubtful else entry.phase
        return found

    def longest(self) -> float:
        """Seconds from an operation's first try to its answer, the longest of all; those without one count to the ledger's end."""
        began: dict[str, float] = {}
        took: dict[str, float] = {}
        for entry in self.entries:
            began.setdefault(entry.command, entry.at)
            if entry.phase in {Phase.OK, Phase.FAIL, Phase.ELSEWHERE}:
                took.setdefault(entry.command, entry.at - began[entry.command])
        end = self.entries[-1].at if self.entries else 0.0
        return max((took.get(command, end - at) for command, at in began.items()), default=0.0)


@dataclass
class World:
    """What is there when all is quiet again."""

    acts: Mapping[str, int] = field(default_factory=dict)
    """Operation -> how often its outcome was kept, in the transaction of the state that it changed."""
    things: Collection[str] = ()
    """What receipts name and is there."""
    told: Mapping[str, int] = field(default_factory=dict)
    """Key -> how many facts its owner's row says that it told."""
    log: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
    """Key -> (sequence, event id) as they stand on Kafka."""
    effects: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Key -> sequences in the order in which a reader applied them."""
    claims: Mapping[str, Iterable[str]] = field(default_factory=dict)
    """What only one may have -> those who have it."""
    parked: Mapping[str, int] = field(default_factory=dict)
    """Key -> the first sequence that waits for a person."""
    waiting: int = 0
    """Rows that are still in an outbox."""
    models: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    """Name of a read model -> what its sources say, what it says."""
    recoveries: Sequence[float] = ()
    """Seconds from each fault's end until all that was told before it had its effect."""


@dataclass(slots=True)
class Findings:
    """How many of each kind; all zero when nothing is wrong."""

    lost: int = 0
    """Answered and not there; or told and never applied."""
    ghosts: int = 0
    """Events whose state was rolled back, or refused operations that happened."""
    zombies: int = 0
    """State without its event."""
    duplicates: int = 0
    """Effects that happened more than once."""
    inversions: int = 0
    """Events of a key out of order, on Kafka or in their effect."""
    double_claims: int = 0
    resent: int = 0
    """Events that stand on Kafka more than once: allowed after a fault only."""
    parked: int = 0
    """Keys that wait for a person."""
    stuck: int = 0
    """What never left, or took longer than a minute."""
    diverged: int = 0
    """Read models that don't say what their sources say."""

    def kinds(self) -> set[str]:
        """What was found at all."""
        return {name.name for name in fields(self) if getattr(self, name.name)}

    def __or__(self, other: "Findings") -> Self:
        """The worse of two looks, kind by kind: a later look sees again what an earlier one saw."""
        return type(self)(*(max(getattr(self, name.name), getattr(other, name.name)) for name in fields(self)))


def check(ledger: Ledger, world: World) -> Findings:
    """Compares what clients saw with what is there."""
    found = Findings(parked=len(world.parked))
    found.lost += len(lost(ledger, world))
    found.ghosts += sum(phase is Phase.FAIL and world.acts.get(command, 0) > 0 for command, phase in ledger.outcomes().items())
    found.duplicates = sum(max(times - 1, 0) for times in world.acts.values())
    for key in {*world.told, *world.log, *world.effects}:
        _check_key(found, world.told.get(key, 0), world.log.get(key, ()), world.effects.get(key), world.parked.get(key))
    found.double_claims = sum(len(set(holders)) > 1 for holders in world.claims.values())
    found.diverged = sum(expected != seen for expected, seen in world.models.values())
    found.stuck = world.waiting + sum(seconds > STUCK_SECONDS for seconds in world.recoveries) + (ledger.longest() > STUCK_SECONDS)
    return found


def lost(ledger: Ledger, world: World) -> list[str]:
    """The operations that were answered, and whose outcome, or what their receipt names, isn't there."""
    answered = [command for command, phase in ledger.outcomes().items() if phase is Phase.OK]
    gone = {command for command, receipt in ledger.receipts.items() if receipt not in world.things}
    return [command for command in answered if command in gone or not world.acts.get(command, 0)]


def _check_key(found: Findings, told: int, log: Sequence[tuple[int, str]], effects: Sequence[int] | None, parked: int | None) -> None:
    sequences = [sequence for sequence, _ in log]
    firsts = list(dict.fromkeys(sequences))
    found.ghosts += sum(sequence > told for sequence in firsts)
    found.zombies += len(set(range(1, told + 1)) - set(firsts))
    found.inversions += _out_of_order(firsts)
    found.resent += len(sequences) - len(firsts)
    found.duplicates += len({event for _, event in log}) - len(firsts)  # one fact told as two events
    if effects is not None:
        times = Counter(effects)
        found.duplicates += sum(times.values()) - len(times)
        found.inversions += _out_of_order(list(dict.fromkeys(effects)))
        awaited = set(firsts) if parked is None else {sequence for sequence in firsts if sequence < parked}
        found.lost += len(awaited - set(times))


def _out_of_order(sequences: Sequence[int]) -> int:
    """How many don't follow the one before them by one."""
    return sum(now != before + 1 for before, now in zip([0, *sequences], sequences, strict=False))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie (nearest rank); 0 for none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -int(-share * len(ranked) // 1) - 1))] if ranked else 0.0

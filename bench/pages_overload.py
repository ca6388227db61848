"""Far more than a process can answer: it must take on what it can, refuse the rest at once, and be as before when the crowd has gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.pages_load import Answer, Connections, arrivals, at_rate, milliseconds
from bench.pages_mix import asks
from bench.results import Result

RATE, SECONDS = 500, 8
"""Searches a second, which are made for each reader alone."""
AFTER_RATE, AFTER_SECONDS = 100, 5
"""The usual mix, at once afterwards."""
SEED = 30
NAME, AFTER = f"{RATE} searches/s, past the gateway, answered", "info after too many, p99"
AFTER_MS = 200


@dataclass(frozen=True, slots=True)
class Overload:
    """What became of a crowd, and of those who came after it."""

    crowd: Sequence[Answer]
    after: Sequence[Answer]

    @property
    def answered(self) -> list[Answer]:
        return [answer for answer in self.crowd if answer.status == 200]

    @property
    def refused(self) -> list[Answer]:
        return [answer for answer in self.crowd if answer.status == 503]

    @property
    def errors(self) -> int:
        """Neither answered nor refused, and whatever went wrong afterwards."""
        lost = len(self.crowd) - len(self.answered) - len(self.refused)
        return lost + sum(answer.status != 200 for answer in self.after)

    def raw(self) -> dict[str, object]:
        """All that is worth keeping of it."""
        parts = {"answered": self.answered, "refused": self.refused, "after": self.after}
        shown = {name: {"requests": len(part), "ms": _shares(part)} for name, part in parts.items()}
        return {"rate": RATE, "after_rate": AFTER_RATE, "errors": self.errors, **shown}


def _shares(answers: Sequence[Answer]) -> dict[str, float]:
    return {name: round(milliseconds(answers, share), 1) for name, share in {"p50": 0.5, "p99": 0.99}.items()} if answers else {}


async def overload(port: int, known: Mapping[str, Sequence[str]], host: str) -> Overload:
    """Too many searches, and then the usual readers without a pause."""
    connections = Connections(port)
    searches = dict.fromkeys(known, known["search"])
    crowd = await at_rate(connections.send, asks(searches, RATE * SECONDS, host, SEED), arrivals(RATE, SECONDS, SEED))
    after = await at_rate(
        connections.send, asks(known, AFTER_RATE * AFTER_SECONDS, host, SEED + 1), arrivals(AFTER_RATE, AFTER_SECONDS, SEED + 1)
    )
    await connections.close()
    return Overload(crowd, after)


def results(found: Overload) -> list[Result]:
    """How much was answered meanwhile, and how quick it was afterwards."""
    return [
        Result(NAME, "answers/s", len(found.answered) / SECONDS, higher_is_better=True, raw=found.raw()),
        Result(AFTER, "ms at load", milliseconds(found.after, 0.99), target=AFTER_MS),
    ]


def said(found: Overload) -> str:
    """One line of progress."""
    ways = {"answered": found.answered, "refused": found.refused, "after": found.after}
    return ", ".join(f"{len(part)} {name} (ms {_shares(part)})" for name, part in ways.items()) + f", {found.errors} errors"

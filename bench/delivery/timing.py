"""How two ways of doing the same are compared: in turns, so that the machine's moods hit both, and by the median of the rounds' ratios."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bench.results import Result

Measure = Callable[[], Awaitable[float]]
Act = Callable[[], Awaitable[object]]


async def in_turns(measures: Mapping[str, Measure], rounds: int = 3) -> dict[str, list[float]]:
    """Each measure once per round, by name; every second round in the opposite order."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(rounds):
        for name in list(measures)[:: -1 if number % 2 else 1]:
            found[name].append(await measures[name]())
    return found


async def rate(acts: Sequence[Act], seconds: float) -> float:
    """How often per second all of `acts`, repeated side by side for so long, are done."""
    done = 0
    ends = time.perf_counter() + seconds

    async def work(act: Act) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            await act()
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(work(act) for act in acts))
    return done / (time.perf_counter() - began)


def compared(
    name: str, unit: str, ours: Sequence[float], floor: Sequence[float], *, at_least: float | None = None, **raw: object
) -> Result:
    """The floor's median, and that times the median ratio of a round: a disk that is slow for a while is slow for both sides of a round.

    The target is the share of the floor that is promised. More is better. `raw`: what else is worth keeping.
    """
    median = statistics.median(floor)
    ratio = statistics.median(one / other for one, other in zip(ours, floor, strict=True))
    target = None if at_least is None else at_least * median
    raw |= {"ours": list(ours), "floor": list(floor), "at_least": at_least}
    return Result(name, unit, ratio * median, median, target, higher_is_better=True, raw=raw)

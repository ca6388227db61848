"""What each piece of work costs, and whether a day made of such pieces costs what they say: docs/capacity.md."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.capacity.meters import Cost, measure, parts, read
from bench.capacity.model import Coefficients, Day
from bench.capacity.work import Streams, chat, facts, journeys, messages, read_pages
from bench.results import Progress, Result
from deploy.local.platform import Platform

REST_SECONDS, OPEN_SECONDS = 30.0, 60.0
PAGES, PAGES_A_SECOND = 1_200, 30.0
CHATS, JOURNEYS, MESSAGES, FACTS = 30, 24, 150, 10_000
WAITING, TALKING = 18, 10
SCALE = 100
"""The day that checks the model is a national one through this."""
CHECK_SECONDS = 90.0
SEED = 7
CHECKED = "scaled day, measured over predicted"


async def run(progress: Progress, folder: Path) -> list[Result]:
    """Measures the pieces, one after the other, then a scaled-down day in which all of them happen at once."""
    platform = Platform(folder / "platform", outside={}, progress=progress)
    await asyncio.to_thread(platform.start)
    try:
        await _warm(platform)
        coefficients, results = await _coefficients(platform, progress)
        results += await _check(platform, coefficients, progress)
    finally:
        await asyncio.to_thread(platform.stop, True)
    for times in (1, 10):
        results += [
            Result(f"{name}, national day x {times}", name.rpartition(", ")[2] if "MB" in name else name.split()[0], figure)
            for name, figure in coefficients.needs(Day.national(times)).items()
        ]
    return results


def summary(results: Sequence[Result]) -> str:
    """The line that `make bench` ends with."""
    figures = {result.name: result.figure for result in results}
    cores = [figures[f"cores in the busiest hour, national day x {times}"] for times in (1, 10)]
    return f"day_cores={cores[0]:.1f} x10_cores={cores[1]:.1f} measured_over_predicted={figures[CHECKED]:.2f}"


async def _warm(platform: Platform) -> None:
    await read_pages(platform, 150, PAGES_A_SECOND, SEED)
    await chat(platform, 2)
    await journeys(platform, 3)


async def _coefficients(platform: Platform, progress: Progress) -> tuple[Coefficients, list[Result]]:
    progress(f"at rest for {REST_SECONDS:.0f} s")
    rest = await measure(platform, partial(asyncio.sleep, REST_SECONDS), settle=0)
    before = await read(platform)
    costs: dict[str, tuple[Cost, float]] = {}
    for name, count, work in (
        ("page", PAGES, partial(read_pages, platform, PAGES, PAGES_A_SECOND, SEED + 1)),
        ("chat", CHATS, partial(chat, platform, CHATS)),
        ("journey", JOURNEYS, partial(journeys, platform, JOURNEYS)),
        ("command", MESSAGES, partial(messages, platform, MESSAGES)),
        ("event", FACTS, partial(facts, platform, FACTS)),
    ):
        progress(f"{count} times: {name}")
        costs[name] = ((await measure(platform, work)).less(rest), float(count))
    progress(f"{WAITING} waiting and {TALKING} talking for {OPEN_SECONDS:.0f} s")
    closed = await read(platform)
    async with Streams(platform, WAITING, TALKING):
        opened = await read(platform)
        held = (await measure(platform, partial(asyncio.sleep, OPEN_SECONDS), settle=0)).less(rest)
    pages = WAITING + 2 * TALKING
    costs["open chat page, a second"] = (held, pages * held.seconds)
    each = {name: cost.cpu_total / count for name, (cost, count) in costs.items()}
    grown = {name: (cost.databases + cost.topics) / count for name, (cost, count) in costs.items()}
    told = {name: cost.events / count for name, (cost, count) in costs.items()}
    memory = sum(opened.memory.values()) - sum(closed.memory.values())
    found = Coefficients(
        page=each["page"],
        chat=each["chat"],
        handoff=max(0.0, each["journey"] - each["chat"]),
        open_second=each["open chat page, a second"],
        at_rest=rest.cpu_total / rest.seconds,
        open_memory=max(0.0, memory / pages),
        memory=sum(before.memory.values()),
        chat_bytes=grown["chat"],
        handoff_bytes=max(0.0, grown["journey"] - grown["chat"]),
        chat_events=told["chat"],
        handoff_events=max(0.0, told["journey"] - told["chat"]),
    )
    return found, [*_shown(costs), *_at_rest(platform, rest, found, opened.memory)]


def _shown(costs: dict[str, tuple[Cost, float]]) -> list[Result]:
    results = []
    for name, (cost, count) in costs.items():
        by_part = {part: round(spent / count * 1000, 3) for part, spent in cost.cpu.items()}
        raw = {"count": count, "ms_by_part": by_part, "database_bytes": cost.databases / count, "topic_bytes": cost.topics / count}
        results.append(Result(f"processor, one {name}", "ms", cost.cpu_total / count * 1000, raw=raw))
        if cost.events:
            results.append(Result(f"events, one {name}", "events", cost.events / count))
            results.append(Result(f"databases and topics, one {name}", "kB", (cost.databases + cost.topics) / count / 1000))
    return results


def _at_rest(platform: Platform, rest: Cost, found: Coefficients, opened: dict[str, float]) -> list[Result]:
    return [
        Result("processor at rest", "cores", found.at_rest, raw={part: spent / rest.seconds for part, spent in rest.cpu.items()}),
        Result("memory at rest", "MB", found.memory, raw={"parts": sorted(parts(platform)), "while chats were open": opened}),
        Result("memory, one open chat page", "MB", found.open_memory),
    ]


async def _check(platform: Platform, coefficients: Coefficients, progress: Progress) -> list[Result]:
    """A national day through SCALE, all at once, in about a minute and a half: what it takes against what the pieces said."""
    whole = Day.national()
    chats, handoffs, pages = round(whole.chats / SCALE), round(whole.handoffs / SCALE), round(whole.pages / SCALE)
    progress(f"a day through {SCALE} in {CHECK_SECONDS:.0f} s: {pages} pages, {chats} chats, {handoffs} of them with a handoff")

    async def talks() -> None:
        await chat(platform, chats - handoffs)
        await journeys(platform, handoffs)

    async def all_at_once() -> None:
        await asyncio.gather(read_pages(platform, pages, pages / CHECK_SECONDS, SEED + 2), talks())

    cost = await measure(platform, all_at_once)
    predicted = coefficients.cpu(Day(pages, chats, handoffs, 0)) + coefficients.at_rest * cost.seconds
    raw = {"predicted_s": predicted, "measured_s": cost.cpu_total, "seconds": cost.seconds, "scale": SCALE}
    return [Result(CHECKED, "x", cost.cpu_total / predicted, raw=raw)]

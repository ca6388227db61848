"""How fast pages are: 300 readers a second on info through the gateway, and each youth page by itself; a trivial page is the floor."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import pages_overload
from bench.pages_load import Answer, Ask, Connections, arrivals, at_rate, errors, milliseconds, one_at_a_time
from bench.pages_mix import SHARES, addresses, asks
from bench.pages_youth import Page, measure
from bench.results import Progress, Result
from deploy.gateway.caddyfile import Route
from deploy.local.gateway import LocalGateway
from deploy.local.platform import Platform
from deploy.local.processes import Child, free_ports, listens

RATE = 300
"""Page requests a second."""
SECONDS, WARM_SECONDS = 15, 5
LONGEST_MS = 200
"""p99 at that rate."""
PAGE_MS, STRETCHED_MS = 50, 150
"""p95 of one page at one request at a time, without and with argon2id."""
SEED = 20


@dataclass(frozen=True, slots=True)
class Load:
    """One run at the fixed rate."""

    answers: Sequence[Answer]
    opened: int
    """Connections."""
    cpu_seconds: float
    """Of the process that made the pages, over the counted part."""

    @property
    def rate(self) -> float:
        """Right answers a second, over the time until the last one."""
        return (len(self.answers) - errors(self.answers)) / SECONDS

    def raw(self) -> dict[str, object]:
        """All that is worth keeping of it."""
        shares = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}
        kinds = {kind: [answer for answer in self.answers if answer.ask.kind == kind] for kind in SHARES}
        return {
            "requests": len(self.answers),
            "errors": errors(self.answers),
            "connections": self.opened,
            "cpu_seconds": round(self.cpu_seconds, 2),
            "bytes": sum(answer.bytes for answer in self.answers),
            "ms": {name: round(milliseconds(self.answers, share), 2) for name, share in shares.items()},
            "p99_ms_by_kind": {kind: round(milliseconds(answers, 0.99), 2) for kind, answers in kinds.items() if answers},
        }


async def load(port: int, pid: int, known: dict[str, list[str]], host: str) -> Load:
    """Readers at a fixed rate: some seconds to warm up, then those that count."""
    connections = Connections(port)
    await at_rate(connections.send, asks(known, RATE * WARM_SECONDS, host, SEED), arrivals(RATE, WARM_SECONDS, SEED))
    before = _cpu(pid)
    answers = await at_rate(connections.send, asks(known, RATE * SECONDS, host, SEED + 1), arrivals(RATE, SECONDS, SEED + 1))
    used = _cpu(pid) - before
    await connections.close()
    return Load(answers, connections.opened, used)


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def floor(folder: Path) -> AsyncIterator[tuple[int, int, int]]:
    """The trivial page: its port behind a gateway of its own, its own port, its process."""
    entrance, port = free_ports(2)
    child = Child("floor", [sys.executable, "-m", "bench.pages_floor", str(port)], folder / "logs" / "floor.log").start()
    gateway = LocalGateway(folder / "floor", entrance, {"info": Route("localhost", f"127.0.0.1:{port}")})
    try:
        await asyncio.to_thread(child.wait_until, lambda: listens(port), 60.0)
        await asyncio.to_thread(gateway.start)
        yield entrance, port, child.pid
    finally:
        await asyncio.to_thread(gateway.stop)
        await asyncio.to_thread(child.stop)


async def run(progress: Progress, folder: Path) -> list[Result]:
    """Starts the platform, measures, stops it."""
    platform = Platform(folder, outside={}, progress=progress)
    with closing(_Stopping(platform)):
        await asyncio.to_thread(platform.start)
        known = await addresses(platform.urls["info"])
        progress("to read: " + ", ".join(f"{len(paths)} {kind}" for kind, paths in known.items()))
        async with floor(folder) as (entrance, port, pid):
            trivial = {name: await load(each, pid, known, f"localhost:{entrance}") for name, each in _ways(entrance, port)}
            progress(f"floor at {RATE}/s: {_said(trivial)}")
            alone = await _alone(port)
        info = platform.services["info"].pid
        gateway, direct = platform.addresses.gateway_port, platform.addresses.ports["info"]
        real = {name: await load(each, info, known, f"localhost:{gateway}") for name, each in _ways(gateway, direct)}
        progress(f"info at {RATE}/s: {_said(real)}")
        crowd = await pages_overload.overload(direct, known, f"localhost:{gateway}")
        progress(f"info with too many: {pages_overload.said(crowd)}")
        pages = await measure(platform, progress)
    missed = {page.row.name: page.problem for page in pages if page.problem}
    for name, problem in missed.items():
        progress(f"not measured: {name}: {problem}")
    at_rate = [_at_rate(name, real[name], trivial[name], missed) for name in real]
    return [*at_rate, *pages_overload.results(crowd), *_each(pages, alone)]


@dataclass
class _Stopping:
    platform: Platform

    def close(self) -> None:
        self.platform.stop(delete=True)


def _ways(gateway: int, direct: int) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("through the gateway", gateway), ("past the gateway", direct)


def _said(loads: dict[str, Load]) -> str:
    return "; ".join(
        f"{name} p99 {milliseconds(each.answers, 0.99):.1f} ms, {errors(each.answers)} errors, {each.cpu_seconds:.1f} s CPU"
        for name, each in loads.items()
    )


async def _alone(port: int) -> float:
    """p95 of the trivial page at one request at a time, ms."""
    connections = Connections(port)
    answers = await one_at_a_time(connections.send, Ask("floor", "/"), 220)
    await connections.close()
    return milliseconds(answers[20:], 0.95)


def _at_rate(way: str, real: Load, trivial: Load, missed: Mapping[str, str]) -> Result:
    p99, least = milliseconds(real.answers, 0.99), milliseconds(trivial.answers, 0.99)
    raw = {"rate": RATE, "answered_per_second": round(real.rate, 1), "info": real.raw(), "floor": trivial.raw(), "not_measured": missed}
    target = LONGEST_MS if "through" in way else None
    return Result(f"info at {RATE}/s, {way}, p99", "ms at load", p99, least, target, raw=raw)


def _each(pages: Sequence[Page], alone: float) -> list[Result]:
    """A figure per page and state, the slowest first."""
    found = []
    for page in (each for each in pages if each.answers):
        times = [round(1000 * answer.seconds, 2) for answer in page.answers]
        raw = {"ms": times, "expected": page.row.status, "errors": errors(page.answers, page.row.status)}
        figure = milliseconds(page.answers, 0.95)
        found.append(Result(page.row.name, "ms alone, p95", figure, alone, STRETCHED_MS if page.stretches else PAGE_MS, raw=raw))
    return sorted(found, key=lambda result: -result.figure)


def summary(results: Sequence[Result]) -> str:
    """The line that ends it."""
    first, each = results[0], [result for result in results if result.unit == "ms alone, p95"]
    failed = first.raw["info"]["errors"] + sum(result.raw["errors"] for result in each) + len(first.raw["not_measured"])
    slowest = each[0]
    crowd = next(result.raw for result in results if result.name == pages_overload.NAME)
    return (
        f"rps={first.raw['answered_per_second']:.0f} p99_ms={first.figure:.0f} errors={failed} floor_p99_ms={first.floor:.0f} "
        f"overload_answered={crowd['answered']['requests']} "
        f"overload_refused={crowd['refused']['requests']} overload_errors={crowd['errors']} "
        f"slowest_page_p95_ms={slowest.figure:.0f} ({slowest.name})"
    )

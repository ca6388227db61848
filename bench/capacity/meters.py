"""What a piece of work costs: processor time by part, memory, bytes in databases and topics, records."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import asyncpg

from deploy.local.platform import Platform
from deploy.local.processes import descendants, memory_megabytes

TICKS = os.sysconf("SC_CLK_TCK")
SETTLE = 4.0
"""Seconds after the work, so that relays, consumers and projections have done their share before the clock stops."""
COUNTED = """select coalesce(sum(n_tup_ins), 0) from pg_stat_user_tables where relname = 'outbox'"""


@dataclass(frozen=True, slots=True)
class Reading:
    """The meters at one moment."""

    at: float
    cpu: dict[str, float]
    """Processor seconds so far, by part."""
    memory: dict[str, float]
    """MB of 10^6 bytes (sum of PSS), by part."""
    databases: dict[str, int]
    """Bytes of each database on disk."""
    topics: int
    """Bytes of records in Kafka's log segments, of one replica."""
    events: int
    """Events that the five services have written, so far."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What lies between two readings."""

    seconds: float
    cpu: dict[str, float]
    memory: dict[str, float]
    databases: int
    topics: int
    events: int

    @property
    def cpu_total(self) -> float:
        return sum(self.cpu.values())

    def less(self, rest: "Cost") -> "Cost":
        """Without what the platform does anyhow: `rest` is a stretch without work, scaled to the same time."""
        share = self.seconds / rest.seconds
        cpu = {name: max(0.0, spent - rest.cpu.get(name, 0.0) * share) for name, spent in self.cpu.items()}
        return Cost(self.seconds, cpu, self.memory, self.databases, self.topics, self.events)


def parts(platform: Platform) -> dict[str, list[int]]:
    """The processes of each part: the five services, the databases, Kafka, and the gateway; the test login isn't ours to size."""
    grouped: dict[str, list[int]] = {}
    for name, pid in platform.pids.items():
        part = name.partition("-")[0]
        if part != "oidc":
            grouped.setdefault(part, []).append(pid)
    return grouped


async def read(platform: Platform) -> Reading:
    """All meters now."""
    found = parts(platform)
    sizes, events = await _databases(platform)
    return Reading(
        monotonic(),
        {name: sum(cpu_seconds(pid) for pid in descendants(pids)) for name, pids in found.items()},
        {name: memory_megabytes(pids) for name, pids in found.items()},
        sizes,
        sum(file.stat().st_size for file in (platform.folder / "data" / "kafka").rglob("*.log") if not file.parent.name.startswith("__")),
        events,
    )


async def measure(platform: Platform, work: Callable[[], Awaitable[object]], settle: float = SETTLE) -> Cost:
    """Does the work, waits until its echoes are over, and tells what it cost."""
    before = await read(platform)
    await work()
    await asyncio.sleep(settle)
    return between(before, await read(platform))


def between(before: Reading, after: Reading) -> Cost:
    """What happened from one reading to the next."""
    return Cost(
        after.at - before.at,
        {name: spent - before.cpu.get(name, 0.0) for name, spent in after.cpu.items()},
        {name: used - before.memory.get(name, 0.0) for name, used in after.memory.items()},
        sum(after.databases.values()) - sum(before.databases.values()),
        after.topics - before.topics,
        after.events - before.events,
    )


def cpu_seconds(pid: int) -> float:
    """Processor seconds of one process and of its children that have ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / TICKS
    return 0.0


async def _databases(platform: Platform) -> tuple[dict[str, int], int]:
    sizes, events = {}, 0
    for name in platform.urls:
        connection = await asyncpg.connect(platform.dsn(name))
        try:
            sizes[name] = await connection.fetchval("select pg_database_size(current_database())")
            events += int(await connection.fetchval(COUNTED))
        finally:
            await connection.close()
    return sizes, events

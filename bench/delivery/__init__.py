"""Delivery: what a durable command, the relay, the inbox and a handoff cost beside the least that could do the same."""

from collections.abc import Sequence
from pathlib import Path

from bench.delivery import applying, commands, door, handoff, peers, projecting, relaying, size
from bench.delivery.parts import started
from bench.results import Progress, Result

SHORT = {
    "door": "command through the JSON door, 8 connections",
    "relay": "relay, commit to acknowledged",
    "row_by_row": "relay beside row by row",
    "inbox": "consumer by batch",
    "projections": "projections by batch",
    "handoff_p50": "handoff, command to effect, p50",
    "inbox_1m": "inbox beside many receipts",
    "outbox_1m": "relay after many facts",
    "peer_backlog": peers.BACKLOG,
    "peer_p50": peers.PROMPT,
    "peer_memory": peers.MEMORY,
}
"""Word in the last line -> result whose ratio it shows."""


async def run(progress: Progress, folder: Path) -> list[Result]:
    """Starts PostgreSQL with fsync and Kafka with a principal per agency; measures one thing after the other."""
    results: list[Result] = []
    async with started(folder, peers.SETTINGS if peers.WANTED else {}) as parts:
        for measured in (commands, door, applying, projecting, handoff, relaying, peers, size):
            results += await measured.measure(parts, progress)
    return results


def summary(results: Sequence[Result]) -> str:
    """Every ratio on one line."""
    found = {result.name: result for result in results}
    command = "/".join(f"{found[commands.name(count)].ratio or 0:.2f}x" for count in commands.CONNECTIONS)
    ratios = {short: f"{found[name].ratio or 0:.2f}x" for short, name in SHORT.items() if name in found}
    late = f"{found[handoff.LATE].figure:.1f}"
    words = {"command": command, **ratios}
    at = list(words).index("handoff_p50") + 1
    shown = [f"{word}={ratio}" for word, ratio in words.items()]
    return " ".join([*shown[:at], f"handoff_p99_ms={late}", *shown[at:]])

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
PEERS = ("peer_backlog", "peer_p50", "peer_memory")
"""Words that stand there only with PEERS=1."""


async def run(progress: Progress, folder: Path) -> list[Result]:
    """Starts PostgreSQL with fsync and Kafka with a principal per agency; measures one thing after the other."""
    results: list[Result] = []
    async with started(folder, peers.SETTINGS if peers.WANTED else {}) as parts:
        for measured in (commands, door, applying, projecting, handoff, relaying, peers, size):
            try:
                results += await measured.measure(parts, progress)
            except Exception as error:  # whatever it is, the others are measured
                progress(f"not measured: {measured.__name__}: {type(error).__name__}: {error}"[:300])
    return results


def summary(results: Sequence[Result]) -> str:
    """Every ratio on one line."""
    found = {result.name: result for result in results}

    def ratio(name: str) -> str:
        return f"{found[name].ratio or 0:.2f}x" if name in found else "not_measured"

    words = {"command": "/".join(ratio(commands.name(count)) for count in commands.CONNECTIONS)}
    words |= {short: ratio(name) for short, name in SHORT.items() if name in found or short not in PEERS}
    late = f"{found[handoff.LATE].figure:.1f}" if handoff.LATE in found else "not_measured"
    shown = [f"{word}={text}" for word, text in words.items()]
    at = list(words).index("handoff_p50") + 1
    return " ".join([*shown[:at], f"handoff_p99_ms={late}", *shown[at:]])

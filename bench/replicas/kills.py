"""One of two is killed (SIGKILL) while the other could go on: how long the slowest fact or reader waits then."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from bench.replicas.scene import HEARS, TELLS, Scene
from deploy.local.loopback import client

CONSUMER, RELAY, SERVE = "a consumer is killed", "a relay is killed", "a serving process is killed"
PER_SECOND, BEFORE, SECONDS = 100, 4.0, 16.0
"""Facts a second; when the killing comes; how long the facts go on, seconds."""
TICK = 0.1

Killing = Callable[[Scene], Awaitable[tuple[float, dict[str, Any]]]]


async def _trickle(scene: Scene, seconds: float) -> dict[tuple[UUID, int], float]:
    """Facts at an even pace; the time at which each was committed, seconds since the epoch."""
    told: dict[tuple[UUID, int], float] = {}
    ends = time.time() + seconds
    while (now := time.time()) < ends:
        facts = await scene.tell(round(PER_SECOND * TICK))
        told |= dict.fromkeys(facts, time.time())
        await asyncio.sleep(max(0.0, now + TICK - time.time()))
    return told


async def _waits(scene: Scene, told: dict[tuple[UUID, int], float]) -> list[float]:
    """How long each fact took from commit to effect, seconds; in the order in which they were told."""
    await scene.all_applied()
    rows = await scene.hearer.fetch("select key, last_sequence, extract(epoch from at)::float8 as at from bench_log order by position")
    reached: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        reached.setdefault(row["key"], []).append((row["last_sequence"], row["at"]))
    return [next(at for last, at in reached[str(key)] if last >= sequence) - then for (key, sequence), then in told.items()]


def _killed(role: str, places: tuple[int, ...]) -> Killing:
    async def killing(scene: Scene) -> tuple[float, dict[str, Any]]:
        """One after the other is killed, each while the other runs; the longest wait of a fact."""
        slowest, usual = 0.0, 0.0
        for place in places:
            await scene.run(role, 2)
            trickle = asyncio.create_task(_trickle(scene, SECONDS))
            await asyncio.sleep(BEFORE)
            await kill(scene, scene.parts(role)[place])
            waits = await _waits(scene, await trickle)
            slowest, usual = max(slowest, *waits), sorted(waits)[len(waits) // 2]
        return slowest, {"usual_s": round(usual, 3), "killed": len(places)}

    return killing


async def kill(scene: Scene, name: str) -> None:
    """It has no time for anything any more, and nobody starts it again."""
    await asyncio.to_thread(scene.stack.engine.run, "kill", "--signal", "KILL", scene.stack.parts[name].container)
    await asyncio.to_thread(scene.stack.look)
    if scene.stack.parts[name].running:
        raise RuntimeError(f"{name} still runs")


async def _serve_killed(scene: Scene) -> tuple[float, dict[str, Any]]:
    """Readers meanwhile: the slowest page, and how many failed."""
    role, slowest, pages, failed = f"{HEARS}-serve", 0.0, 0, 0
    await scene.run(role, 2)
    ends = time.monotonic() + 15

    async def read() -> None:
        nonlocal slowest, pages, failed
        async with client(20) as http:
            while (began := time.monotonic()) < ends:
                answer = await http.get(f"{scene.stack.urls[HEARS]}/", headers={"accept": "text/html"})
                pages, failed = pages + 1, failed + (answer.status_code != 200)
                slowest = max(slowest, time.monotonic() - began)
                await asyncio.sleep(0.05)

    reading = asyncio.gather(*(read() for _ in range(4)))
    await asyncio.sleep(BEFORE)
    await kill(scene, scene.parts(role)[0])
    await reading
    return slowest, {"pages": pages, "failed": failed}


ALL: dict[str, Killing] = {
    CONSUMER: _killed(f"{HEARS}-consume", (0,)),
    RELAY: _killed(f"{TELLS}-relay", (0, 1)),  # one of them was leading
    SERVE: _serve_killed,
}

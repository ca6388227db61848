"""One and two of each process of a service, on containers: what more they get through, and who goes on when one is killed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from contracts.catalogue import SERVICES

from bench.replicas import kills, order
from bench.replicas.scene import Scene
from bench.results import Progress, Result
from deploy.containers.stack import ROLES, Stack
from deploy.images.base import NoBaseError
from deploy.images.build import build, image_of
from deploy.images.engine import EngineError, NoEngineError, engine
from deploy.images.stand_ins import PARTS
from deploy.local.journey.walk import walk
from deploy.local.processes import free_ports

PROJECT = "stegvis-replicas"
TURNS = (1, 2, 2, 1)
"""How many of each process, one turn after the other, so that a machine's mood hits both."""
RELAY, CONSUMER, PAGES = "relay, facts to Kafka", "consumer, events applied", "pages made for each reader"
UNITS = {RELAY: "facts/s", CONSUMER: "events/s", PAGES: "pages/s"}
KILLED = {kills.CONSUMER: 15.0, kills.RELAY: 5.0, kills.SERVE: 10.0}
"""What is killed -> how long a fact or a reader may wait then, seconds."""
DISORDER = "keys whose events came out of order, or not all"


async def run(progress: Progress, folder: Path) -> list[Result]:
    """Two of each process: the journey, what they get through beside one of each, the order of each key, three killings."""
    try:
        stack = Stack(engine(), folder / "stack", PROJECT, free_ports(1)[0], replicas=max(TURNS), progress=progress)
    except NoEngineError as error:
        progress(f"not measured: {error}")
        return []
    return await _measured(stack, progress)


async def _measured(stack: Stack, progress: Progress) -> list[Result]:
    try:
        await asyncio.to_thread(_build, stack, progress)
        await asyncio.to_thread(stack.start)
        _check(stack)
        progress(f"{sum(part.running for part in stack.parts.values())} containers are ready, two of each process")
        if await walk(stack):
            raise RuntimeError("the journey can't be walked on two of each process")
        async with Scene.of(stack) as scene:
            results = await _throughput(scene, progress)
            results += await _killings(scene, progress)
            disorder = await order.disorder(scene)
            progress(f"order: {scene.told} facts of {len(scene.keys)} keys, {len(disorder)} keys not as they should be {disorder[:3]}")
        return [*results, Result(DISORDER, "keys", len(disorder), target=0, raw={"facts": scene.told, "keys": len(scene.keys)})]
    except (NoBaseError, EngineError) as error:
        progress(f"not measured: {error}")
        return []
    finally:
        await asyncio.to_thread(_end, stack)


def _build(stack: Stack, progress: Progress) -> None:
    if not all(stack.engine.has(image_of(part)) for part in ("info", "dialog", *PARTS)):
        build(progress=progress)
    stack.look()
    if stack.parts:
        stack.down()  # what a killed run left


def _check(stack: Stack) -> None:
    for role in (f"{service}-{role}" for service in SERVICES for role in ROLES):
        found = sum(name.partition(".")[0] == role for name in stack.parts)
        if found != max(TURNS):
            raise EngineError(f"{found} of {role} run, {max(TURNS)} should")


def _end(stack: Stack) -> None:
    stack.look()
    stack.keep_logs()
    stack.down()


async def _throughput(scene: Scene, progress: Progress) -> list[Result]:
    found: dict[tuple[str, int], list[float]] = {}
    for count in TURNS:
        rates = dict(zip(UNITS, await scene.rates(count), strict=True))
        progress(f"{count} of each: " + ", ".join(f"{name} {rate:.0f}/s" for name, rate in rates.items()))
        for name, rate in rates.items():
            found.setdefault((name, count), []).append(rate)
    return [
        Result(
            f"{name}, {count} of each process",
            UNITS[name],
            median(rates),
            median(found[name, 1]) if count > 1 else None,
            higher_is_better=True,
            raw={"turns": rates},
        )
        for (name, count), rates in sorted(found.items())
    ]


async def _killings(scene: Scene, progress: Progress) -> list[Result]:
    results = []
    for name, killed in kills.ALL.items():
        seconds, raw = await killed(scene)
        progress(f"{name}: {seconds:.1f} s {raw}")
        results.append(Result(name, "s", seconds, target=KILLED[name], raw=raw))
    return results


def summary(results: Sequence[Result]) -> str:
    """What two do beside one, and how long the others took to go on."""
    found = {result.name: result for result in results}
    if not found:
        return "not_measured"
    ratios = [(name.partition(",")[0].split()[0], found[f"{name}, 2 of each process"].ratio or 0) for name in UNITS]
    words = [f"{word}_2_beside_1={ratio:.2f}x" for word, ratio in ratios]
    words += [f"{name.split()[1]}_killed_s={found[name].figure:.1f}" for name in KILLED]
    return " ".join([*words, f"out_of_order={found[DISORDER].figure:.0f}"])

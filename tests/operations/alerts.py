"""`python -m tests.operations.alerts`: every alert is fired on purpose on a running platform, with the same rules at times / 60.

Each one must be silent before, fire, carry what it promises, let its runbook's commands be followed, and go when the cause has gone. Then
every query of every dashboard is put to the Prometheus that watched, and drawn.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.checks import ROOT
from deploy.local.processes import StartError
from deploy.observability.alerts import ALERTS, Alert
from deploy.observability.programs import NoPrometheusError
from tests.operations.books import Block, BookError, blocks, follow
from tests.operations.drawing import draw
from tests.operations.scenes import TRIALS, Trial, passes_by, prelude
from tests.operations.stage import Stage

FOLDER = ROOT / ".local" / "operations"
BY_NAME = {alert.name: alert for alert in ALERTS}
CALM_SECONDS, FIRE_SECONDS, GO_SECONDS = 60.0, 90.0, 90.0


@dataclass(frozen=True, slots=True)
class Seen:
    """How one alert's trial went."""

    alert: Alert
    labels: Mapping[str, str]
    fired_after: float
    """Seconds from the cause."""
    gone_after: float
    """Seconds from the cure."""
    commands: int
    """Blocks of its runbook that were followed."""


class SilentError(AssertionError):
    """An alert didn't fire, fired without a cause, or stayed."""


async def until(true: Callable[[], Any], seconds: float, what: str) -> float:
    """How long it took. Raises SilentError."""
    began = time.monotonic()
    while not await asyncio.to_thread(true):
        if time.monotonic() - began > seconds:
            raise SilentError(what)
        await asyncio.sleep(0.25)
    return time.monotonic() - began


def firing(stage: Stage, name: str, labels: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The alerts of a name that fire now and carry these labels."""
    found = [alert for alert in stage.prometheus.firing() if alert["labels"]["alertname"] == name]
    return [alert for alert in found if (labels or {}).items() <= alert["labels"].items()]


async def play(stage: Stage, trial: Trial) -> list[Seen]:
    """One scene: its alerts must be silent, fire, be followed, and go."""
    for name in trial.alerts:
        await until(lambda name=name: not firing(stage, name), CALM_SECONDS, f"{name} fires without a cause")
    seen: dict[str, tuple[Mapping[str, str], float, int]] = {}
    began = time.monotonic()
    async with trial.scene(stage):
        for name, labels in trial.alerts.items():
            await until(lambda name=name, labels=labels: firing(stage, name, labels), FIRE_SECONDS, f"{name} doesn't fire for {labels}")
            after = time.monotonic() - began
            [alert, *_] = firing(stage, name, labels)
            _promised(BY_NAME[name], alert)
            seen[name] = (alert["labels"], after, await _look(stage, name, alert["labels"]["service"]))
        began = time.monotonic()
    for name in trial.alerts:
        await until(lambda name=name: not firing(stage, name), GO_SECONDS, f"{name} stays when its cause has gone")
    gone = time.monotonic() - began
    return [Seen(BY_NAME[name], labels, after, gone, commands) for name, (labels, after, commands) in seen.items()]


def _promised(alert: Alert, fired: Mapping[str, Any]) -> None:
    """Service, topic, next step and runbook are on it."""
    labels, annotations = fired["labels"], fired["annotations"]
    missing = [name for name in ("service", "topic", "severity") if not labels.get(name)]
    missing += [name for name in alert.annotations() if not annotations.get(name) or "{{" in annotations[name]]
    if missing:
        raise SilentError(f"{alert.name} lacks {missing}: {fired}")


async def _look(stage: Stage, name: str, service: str) -> int:
    """Follows what the runbook lets one look at; what changes something belongs to the scene."""
    looks = [block for block in blocks(BY_NAME[name].runbook) if block.kind == "sh"]
    if service not in stage.platform.dead():
        key = "00000000-0000-4000-8000-000000000000"
        for block in looks:
            lines = [line for line in block.lines.splitlines() if "$KEY" not in line]
            await asyncio.to_thread(follow, Block("\n".join(lines), block.kind), stage.environment(service, KEY=key))
    return len(looks)


async def perform(stage: Stage) -> tuple[list[Seen], list[str]]:
    """All scenes. Returns what was seen and what wasn't, with the reason."""
    seen: list[Seen] = []
    not_seen: list[str] = []
    for trial in TRIALS:
        if why := trial.impossible():
            not_seen += [f"{name}: {why}" for name in trial.alerts]
            continue
        await passes_by(stage)
        try:
            found = await play(stage, trial)
        except (AssertionError, BookError) as error:
            not_seen += [f"{name}: {type(error).__name__}: {error}" for name in trial.alerts]
            print(f"  {', '.join(trial.alerts)}: {error}", flush=True)
            continue
        for one in found:
            where = f"{one.labels['service']} {one.labels['topic']}"
            print(f"  {one.alert.name:<24}{where:<42}fired {one.fired_after:5.1f} s, gone {one.gone_after:5.1f} s", flush=True)
        seen += found
    return seen, not_seen


def main() -> int:
    """0 when every alert fired and went, and every panel of every dashboard could be drawn."""
    began = time.monotonic()
    stage = Stage(FOLDER)
    try:
        with stage.up():
            print(f"the platform is up, Prometheus {stage.prometheus.url}; times / 60", flush=True)
            seen, not_seen = asyncio.run(_all(stage))
            drawn, empty = draw(stage.prometheus, FOLDER, time.monotonic() - began)
    except (StartError, NoPrometheusError) as error:
        print(f"alerts: {error}", file=sys.stderr)
        return 1
    for line in (*not_seen, *empty):
        print(f"  {line}")
    print(f"dashboards: panels={drawn} empty={len(empty)} in {FOLDER.relative_to(ROOT)}")
    print(f"in {time.monotonic() - began:.0f} s")
    print(f"alerts: fired={len(seen)}/{len(ALERTS)}")
    return 0 if len(seen) == len(ALERTS) and not empty else 1


async def _all(stage: Stage) -> tuple[list[Seen], list[str]]:
    try:
        await prelude(stage)
        return await perform(stage)
    finally:
        with contextlib.suppress(AssertionError):
            await stage.crew.leave()


if __name__ == "__main__":
    raise SystemExit(main())

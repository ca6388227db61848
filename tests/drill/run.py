"""`make drill`: each agency's database is destroyed while people use it, and restored: to its newest state, and to an earlier time."""

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.catalogue import SERVICES

from deploy.checks import ROOT
from deploy.local.backups import Backups
from deploy.local.journey.cast import cast, synthetic_number
from deploy.local.journey.stories import Crew
from deploy.local.platform import Platform
from deploy.local.scratch import keep, kept_on_error, scratch
from deploy.local.services import run_command
from tests.drill import mutant
from tests.drill.people import Scene
from tests.drill.truth import Fact, answered_and_gone, held, mark, numbers_given_twice, resurrected, told_twice, unknown_facts
from tests.faults.load import Load
from tests.faults.rig import ROOMY
from tests.faults.survey import until_quiet, until_told

DESTROYED = SERVICES
"""Whose disks are lost."""
AGENCIES = ("dialog", "helpjourney")
"""Who also goes back to an earlier time: the two where people can delete something."""
USED_SECONDS = 8.0
FROZEN_SECONDS = 1.5
"""The way to the backup hangs for so long before the disk dies: what is answered in this time must be in the backup all the same."""
NUMBER = synthetic_number(299)
"""Of an invented person whom nobody else here is."""


@dataclass
class Found:
    """What the drill measured; all counts are zero when nothing is wrong."""

    rpo: float = 0.0
    rtos: list[float] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    resurrected: int = 0
    wrong: int = 0
    """Facts on which the tool's list and the truth differ, and keys that were held without need."""

    @property
    def is_clean(self) -> bool:
        return not (self.rpo or self.lost or self.doubled or self.resurrected or self.wrong)

    @property
    def line(self) -> str:
        rto = max(self.rtos, default=0.0)
        return f"drill: rpo_s={self.rpo:.0f} rto_s={rto:.1f} lost={self.lost} doubled={self.doubled} resurrected={self.resurrected}"


MUTANTS: dict[str, Callable[[Found], bool]] = {
    "the log is copied without waiting for it": lambda found: found.rpo > 0 and found.lost > 0,
    "the ledger of deletions isn't read back": lambda found: found.resurrected > 0,
    "nothing is parked": lambda found: found.doubled > 0 and found.wrong > 0,
}
"""What is broken in a drill with mutants, and what must show it."""


class Drill:
    """One platform, its agencies' backups, and what was found."""

    def __init__(self, platform: Platform, folder: Path, *, broken: bool) -> None:
        """`broken`: with all MUTANTS."""
        self.platform, self.broken = platform, broken
        self.found = Found()
        self.backups = {
            name: Backups(platform.databases[name], folder / name, platform.log(f"backup-{name}"), synchronous=not broken)
            for name in DESTROYED
        }

    async def run(self) -> Found:
        for backups in self.backups.values():
            await asyncio.to_thread(backups.begin)
        await self.newest()
        await self.earlier()
        return self.found

    async def newest(self) -> None:
        """(a) Every agency in turn loses its disk in the middle of journeys, and gets back all that anybody was answered."""
        crew = Crew(self.platform.urls, cast())
        load = Load(self.platform, crew)
        deaths: list[float] = []
        async with load.running(askers=3, chatters=1, travellers=1):
            for name in DESTROYED:
                await asyncio.sleep(USED_SECONDS)
                self.backups[name].receiver.signal(signal.SIGSTOP)
                await asyncio.sleep(FROZEN_SECONDS)
                deaths.append(time.monotonic())
                rto = await asyncio.to_thread(self.rebuild, name)
                say(f"{name}: disk lost in the middle of {load.journeys} journeys, back to its newest state in {rto:.1f} s")
                await asyncio.to_thread(self.backups[name].begin)
                await until_told(self.platform, 60)
            await asyncio.sleep(USED_SECONDS / 2)
        await crew.leave()
        findings, rpo = await answered_and_gone(self.platform, load, deaths)
        needless = [await held(self.platform, name) for name in DESTROYED]
        say(f"newest state: {len(load.ledger.outcomes())} commands, {load.journeys} journeys, {findings}, held {sum(needless)}")
        self.found.rpo = max(self.found.rpo, rpo)
        self.found.lost += findings.lost + findings.zombies
        self.found.doubled += findings.duplicates + findings.inversions + findings.double_claims
        self.found.wrong += sum(needless)

    async def earlier(self) -> None:
        """(b) Every agency goes back to a time before a youth deleted, ended and was offered something; everybody else knows better."""
        crew = Crew(self.platform.urls, cast())
        scene = Scene(self.platform, crew, NUMBER)
        await scene.before()
        await until_quiet(self.platform)
        load = Load(self.platform, crew)
        async with load.running(askers=2, chatters=1, travellers=0):
            await asyncio.sleep(USED_SECONDS / 2)
            moments = {name: await mark(self.platform, name) for name in AGENCIES}
            await asyncio.sleep(USED_SECONDS / 2)
        await scene.after()
        await until_quiet(self.platform)
        for name in AGENCIES:
            rto, listed = await asyncio.to_thread(self.rewind, name, moments[name].at)
            truth = await unknown_facts(self.platform, name, moments[name])
            self.found.resurrected += await resurrected(self.platform, name, scene.deleted)
            say(
                f"{name}: back to an earlier time in {rto:.1f} s; facts that others know and it doesn't: {len(truth)}, listed {len(listed)}"
            )
            self.found.wrong += len(truth ^ listed)
            await asyncio.to_thread(self.platform.restart, name)
        await scene.again()
        waits = {name: await held(self.platform, name) for name in AGENCIES}
        early = sum([await numbers_given_twice(self.platform, name) for name in AGENCIES])
        for name in AGENCIES:
            await asyncio.to_thread(self.let_go, name)
        await until_quiet(self.platform)
        await until_told(self.platform, 60)
        findings = await told_twice(self.platform)
        say(f"earlier time: held {waits}, numbers given twice before anybody decided {early}, then {findings}")
        self.found.doubled += early + findings.duplicates + findings.inversions
        self.found.lost += findings.lost
        self.found.wrong += findings.parked
        await scene.leaves()
        await crew.leave()

    def rebuild(self, name: str) -> float:
        """The disk dies, everything is done as the runbook says. Seconds until people are served again."""
        began = time.monotonic()
        self.platform.databases[name].destroy()
        self.platform.services[name].stop()
        self.backups[name].restore()
        self.platform.restart(name)
        self.found.rtos.append(time.monotonic() - began)
        return self.found.rtos[-1]

    def rewind(self, name: str, at: datetime) -> tuple[float, set[Fact]]:
        """Back to a time; what the service itself then says that others know. It doesn't serve yet."""
        began = time.monotonic()
        self.platform.services[name].stop()
        self.platform.databases[name].destroy()
        self.backups[name].restore(at)
        if self.broken:
            self.platform.services[name].environment["DELETIONS_DIR"] = str(self.platform.folder / "another")
        listed = self.operate(name, "restored")
        self.found.rtos.append(time.monotonic() - began)
        return self.found.rtos[-1], {(key["topic"], key["key"], number) for key in listed for number in key["sequences"]}

    def let_go(self, name: str) -> None:
        """What an operator does in the end: every key goes on behind what others know."""
        for topic in sorted({key["topic"] for key in self.operate(name, "parked", "list")}):
            self.operate(name, "parked", "retry", "--topic", topic, "--by", "drill")

    def operate(self, name: str, *words: str) -> list[dict[str, Any]]:
        """A verb of the service, with the service's own environment; what it prints."""
        module = ["tests.drill.mutant", name] if self.broken else [name]
        environment = self.platform.services[name].environment | ({"PYTHONPATH": str(ROOT)} if self.broken else {})
        argv = [sys.executable, "-m", *module, *words]
        done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, check=False, text=True)
        if done.returncode:
            raise RuntimeError(f"{name} {' '.join(words)}: {done.stderr[-2000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]


def say(line: str) -> None:
    print(line, flush=True)


def drill(folder: Path, *, broken: bool = False) -> Found:
    """The whole drill on a platform of its own."""
    overrides = {name: dict(settings) for name, settings in ROOMY.items()}
    if broken:
        overrides = {name: overrides.get(name, {}) | {"PYTHONPATH": str(ROOT)} for name in ("info", *AGENCIES, "identity", "reporting")}
    with Platform(folder, overrides=overrides, outside={}, command=mutant.command if broken else run_command) as platform:
        work = Drill(platform, folder / "backups", broken=broken)
        try:
            return asyncio.run(work.run())
        finally:
            for backups in work.backups.values():
                backups.end()


def main() -> int:
    """0 when nothing was found; with --mutants, when each of them was."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill.run", description=__doc__)
    parser.add_argument("--mutants", action="store_true", help="only a drill with everything broken: its numbers must show each")
    options = parser.parse_args()
    began = time.monotonic()
    folder = scratch("drill")
    with kept_on_error(folder):
        found = drill(folder, broken=options.mutants)
    caught = {what: shows(found) for what, shows in MUTANTS.items()} if options.mutants else {}
    right = all(caught.values()) if options.mutants else found.is_clean
    if right and not os.environ.get("KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        keep(folder)
        say(f"logs and data: {folder}")
    say(f"list_wrong={found.wrong}; in {(time.monotonic() - began) / 60:.1f} min")
    for what, shown in caught.items():
        say(f"broken on purpose: {what}: {'caught' if shown else 'NOT CAUGHT'}")
    say(found.line)
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())

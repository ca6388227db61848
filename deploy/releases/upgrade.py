"""`python -m deploy.releases.upgrade`: each service's last release beside the current others, and on their migrated databases."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from contracts.catalogue import SERVICES

from deploy.local.journey.cast import cast, synthetic_number
from deploy.local.journey.people import StuckError, Youth
from deploy.local.journey.stories import OTHERS, Crew
from deploy.local.journey.timeline import Timeline, Watch
from deploy.local.journey.walk import goes_all_the_way
from deploy.local.platform import Platform, Progress
from deploy.local.processes import StartError
from deploy.local.services import ServiceProcess, run_command
from deploy.releases.record import ROOT, HistoryError, Release, latest
from deploy.releases.told import unheard
from deploy.releases.trees import python_of

FOLDER = ROOT / ".local" / "upgrade"
FIRST_SERIAL = 200
"""Of the made-up identity numbers that the walks use; each walk has people of its own."""
FAILURES = (AssertionError, httpx.HTTPError, ExceptionGroup, StartError)


@dataclass(slots=True)
class Keepsake:
    """What one youth left behind, and must find again whatever was released since."""

    youth: Youth
    code: str
    """Of her answered question."""

    async def is_there(self) -> None:
        """Raises StuckError for the first thing that is gone."""
        await self.youth.reads_answer(self.code, "puste rolig")
        own = await self.youth.opens("helpjourney", "/")
        times = dict.fromkeys(link for link in own.links if "/time/" in link)
        if not any([(await self.youth.browser.get(link)).has_form("/avlys") for link in times]):
            raise StuckError(f"her appointment is gone: {own.url}: {own.text[:300]}")
        journeys = dict.fromkeys(link for link in own.links if "/reise/" in link and not link.endswith("/time"))
        if not any(["Helst etter skoletid" in (await self.youth.browser.get(link)).text for link in journeys]):
            raise StuckError(f"what she brought is gone: {own.url}: {own.text[:300]}")


@dataclass(slots=True)
class Outcome:
    """What was found."""

    released: tuple[str, ...] = SERVICES
    """Services that have a release to go back to; one that joined has none yet."""
    mixed: list[str] = field(default_factory=list)
    """Services whose last release went the whole way beside the current others."""
    migrations: list[str] = field(default_factory=list)
    """Services that went back to their last release on the migrated database, and forward again, with everything still there."""
    lost: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        every = len(self.released)
        return f"upgrade: mixed={len(self.mixed)}/{every} migrations={len(self.migrations)}/{every} lost={self.lost}"

    @property
    def ok(self) -> bool:
        return not self.failures and not self.lost and set(self.mixed) == set(self.migrations) == set(self.released)


class Upgrade:
    """A platform that starts as it was last released and is brought up to date service by service."""

    def __init__(self, folder: Path, progress: Progress, released: dict[str, Release] | None = None) -> None:
        """Raises HistoryError when a release can't be built."""
        self.progress = progress
        self.released = released or {name: release for name in SERVICES if (release := latest(name))}
        self._pythons = {name: python_of(release) for name, release in self.released.items()}
        self.platform = Platform(folder, command=lambda name: [*self._old(name), "--migrate"], progress=progress)
        self.keepsakes: list[Keepsake] = []
        self.outcome = Outcome(tuple(self.released))
        for name in sorted(set(SERVICES) - set(self.released)):
            progress(f"{name} was never released: it runs as it is here")
        self._serial = FIRST_SERIAL

    def _old(self, name: str) -> list[str | Path]:
        return [self._pythons[name], "-m", name, "run"] if name in self._pythons else [sys.executable, "-m", name, "run"]

    async def run(self) -> Outcome:
        """Old everywhere; databases migrated under it; current everywhere; then each service back and forward again."""
        await asyncio.to_thread(self.platform.start)
        watch = Watch(self.platform.kafka_admin)
        await watch.start(from_the_start=True)
        try:
            await self._step("the last releases, all five", self.walk(watch))
            await asyncio.gather(*(asyncio.to_thread(self.migrate, name) for name in SERVICES))
            await asyncio.gather(*(asyncio.to_thread(self.swap, name, old=False) for name in SERVICES))
            await self._step("current, with what the last releases left", self.everything_is_there())
            for name in self.released:
                await self.back_and_forth(name, watch)
            self.outcome.lost += await unheard(self.platform, watch, self.progress)
        finally:
            await watch.stop()
        return self.outcome

    async def back_and_forth(self, name: str, watch: Watch) -> None:
        """One service goes back to its last release while the others are current, and forward again."""
        await asyncio.to_thread(self.swap, name, old=True)
        if await self._step(f"{self.released[name]} beside the current others", self.walk(watch)):
            self.outcome.mixed.append(name)
        await asyncio.to_thread(self.swap, name, old=False)
        if await self._step(f"{name} forward again", self.everything_is_there()) and name in self.outcome.mixed:
            self.outcome.migrations.append(name)

    async def _step(self, what: str, going: Coroutine[Any, Any, None]) -> bool:
        began = time.monotonic()
        try:
            await going
        except FAILURES as error:
            named = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            self.outcome.failures.append(f"{what}: {type(named).__name__}: {named}")
            self.progress(f"FAILED: {self.outcome.failures[-1]}")
            return False
        self.progress(f"{what}: ok in {time.monotonic() - began:.1f} s")
        return True

    def swap(self, name: str, *, old: bool) -> None:
        """Ends one service and starts its last release (without migrating: it can't know newer revisions) or the current one."""
        running = self.platform.services[name]
        running.stop()
        command = self._old(name) if old else run_command(name)
        self.platform.services[name] = ServiceProcess(name, running.environment, running.log, lambda _: command)
        self.platform.restart(name)

    def migrate(self, name: str) -> None:
        """Brings the database up to date while the last release goes on working on it."""
        environment = self.platform.services[name].environment
        migration = ServiceProcess(
            name, environment, self.platform.log(f"migrate-{name}"), lambda _: [sys.executable, "-m", name, "migrate"]
        )
        migration.start()
        deadline = time.monotonic() + 60
        while migration.alive and time.monotonic() < deadline:
            time.sleep(0.05)
        if migration.exit_code != 0:
            raise StartError(f"migrating {name} ended with {migration.exit_code}:\n{migration.tail()}")

    async def walk(self, watch: Watch) -> None:
        """The whole journey with people of its own. Raises what a person would have got stuck on."""
        people = replace(cast(), youths=tuple(self._number() for _ in range(3)))
        crew, youth = Crew(self.platform.urls, people), Youth(self.platform.urls)
        while await watch.new(wait_ms=300):
            pass  # of the walk before
        with self._told_to_a_log():
            try:
                code = await goes_all_the_way(Timeline(watch), crew, youth)
                self.keepsakes.append(Keepsake(youth, code))
                for story in OTHERS.values():
                    await story(crew)
            finally:
                await crew.leave()

    def _number(self) -> str:
        self._serial += 1
        return synthetic_number(self._serial)

    @contextlib.contextmanager
    def _told_to_a_log(self) -> Iterator[None]:
        with self.platform.log("walk").open("a") as log, contextlib.redirect_stdout(log):
            yield

    async def everything_is_there(self) -> None:
        """What was left behind under any release."""
        for keepsake in self.keepsakes:
            try:
                await keepsake.is_there()
            except FAILURES:
                self.outcome.lost += 1
                raise


def main() -> int:
    """Exit code 0 when every last release works with what is current, back and forth."""
    began = time.monotonic()

    def progress(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        upgrade = Upgrade(FOLDER, progress)
    except HistoryError as error:
        print(f"upgrade: {error}", file=sys.stderr)
        return 1
    try:
        outcome = asyncio.run(upgrade.run())
    except StartError as error:
        print(f"upgrade: {error}", file=sys.stderr)
        return 1
    finally:
        upgrade.platform.stop(delete=True)
    print(f"{outcome} minutes={(time.monotonic() - began) / 60:.1f}")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())

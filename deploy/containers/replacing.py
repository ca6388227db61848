"""Each service in turn goes back to its last release and forward again, while youths walk: nothing may fail, nothing may be lost."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
from contracts.catalogue import SERVICES

from deploy.containers.stack import ROLES, Stack
from deploy.images.build import build_service, image_of
from deploy.local.journey.cast import cast, synthetic_number
from deploy.local.journey.people import Youth
from deploy.local.journey.stories import Crew
from deploy.local.journey.timeline import Timeline, Watch
from deploy.local.journey.walk import goes_all_the_way
from deploy.local.loopback import client
from deploy.local.platform import Progress
from deploy.local.processes import StartError
from deploy.releases.record import Release, latest
from deploy.releases.trees import python_of, tree
from deploy.releases.upgrade import FAILURES, Keepsake

FIRST_SERIAL = 400
"""Of the made-up identity numbers that these walks use."""
PREVIOUS = "previous"
"""The tag of a service's last release."""


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    replaced: list[str] = field(default_factory=list)
    walks: int = 0
    lost: int = 0
    failures: list[str] = field(default_factory=list)
    pages: int = 0
    """How many front pages were read meanwhile, one every tenth of a second."""
    slowest_ready: float = 0
    """Seconds from the start of a container that serves to its being ready."""
    slowest_drain: float = 0
    """Seconds from the wish that it ends to its end."""

    def __str__(self) -> str:
        return f"{len(self.replaced)}/{len(SERVICES)}"


def build_releases(stack: Stack, progress: Progress) -> dict[str, Release]:
    """An image of each service's last release, from its own files and lock. Raises HistoryError, EngineError."""
    released = {name: release for name in SERVICES if (release := latest(name))}
    for commit in {release.commit for release in released.values()}:
        python_of(next(release for release in released.values() if release.commit == commit))  # puts the style sheets in place
    for name, release in released.items():
        made = build_service(stack.engine, name, tree(release), version=release.version, commit=release.commit, tag=PREVIOUS)
        progress(f"{release}: {made.megabytes:.0f} MB, {made.seconds:.1f} s")
    return released


DRAIN_SECONDS = 10
"""How long a process that is asked to end may take."""


class Reader:
    """Somebody who reads one front page again and again, by the gateway."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.pages, self.slowest, self.failed = 0, 0.0, list[str]()

    async def read(self) -> None:
        """Until it's cancelled."""
        headers = {"accept": "text/html"}
        async with client(20) as http:
            while True:
                began = time.monotonic()
                try:
                    status = (await http.get(self._url, headers=headers)).status_code
                except httpx.HTTPError as error:
                    status = 0
                    self.failed.append(f"{type(error).__name__} after {time.monotonic() - began:.1f} s")
                if status >= 500:
                    self.failed.append(f"{status} after {time.monotonic() - began:.1f} s")
                self.pages += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
                await asyncio.sleep(0.1)


class Replacing:
    """Youths walk one after the other while services are replaced under them."""

    def __init__(self, stack: Stack, watch: Watch, released: dict[str, Release], progress: Progress) -> None:
        self.stack, self.watch, self.released, self.progress = stack, watch, released, progress
        self.keepsakes: list[Keepsake] = []
        self.outcome = Outcome()
        self._serial = FIRST_SERIAL

    async def run(self) -> Outcome:
        """Back and forth for every service."""
        for name, release in self.released.items():
            back = await self._while_walking(f"{name} back to {release.version}", name, PREVIOUS)
            forth = await self._while_walking(f"{name} forward again", name, None)
            if back and forth:
                self.outcome.replaced.append(name)
        for keepsake in self.keepsakes:
            try:
                await keepsake.is_there()
            except FAILURES as error:
                self.outcome.lost += 1
                self.outcome.failures.append(f"what a youth left behind: {error}")
        return self.outcome

    async def _while_walking(self, what: str, name: str, tag: str | None) -> bool:
        began = time.monotonic()
        walk, reader = asyncio.create_task(self._walk()), Reader(self.stack.urls[name])
        reading = asyncio.create_task(reader.read())
        try:
            await asyncio.to_thread(self._swap, name, tag)
            await walk
        except FAILURES as error:
            walk.cancel()
            named = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            return self._failed(f"{what}: {type(named).__name__}: {named}")
        finally:
            reading.cancel()
        self.outcome.walks += 1
        self.outcome.pages += reader.pages
        if reader.failed:
            return self._failed(f"{what}: {len(reader.failed)} of {reader.pages} pages failed: {reader.failed[0]}")
        seconds = time.monotonic() - began
        self.progress(f"{what}: a youth went all the way in {seconds:.1f} s, {reader.pages} pages, the slowest {reader.slowest:.1f} s")
        return True

    def _failed(self, what: str) -> bool:
        self.outcome.failures.append(what)
        self.progress(f"FAILED: {what}")
        return False

    def _swap(self, name: str, tag: str | None) -> None:
        """The other release serves beside this one before this one ends; then relay and consumer change places."""
        override = self._override(name, tag) if tag else None
        self.stack.up(f"{name}-next", override=override)
        self._await_ready(f"{name}-next")
        self.stack.up(f"{name}-serve", override=override)
        self._await_ready(f"{name}-serve")
        drained = self.stack.remove(f"{name}-next")
        self.outcome.slowest_drain = max(self.outcome.slowest_drain, drained)
        if drained > DRAIN_SECONDS:
            self._failed(f"{name} took {drained:.1f} s to end")
        self.stack.up(f"{name}-relay", f"{name}-consume", override=override)
        self.stack.wait(f"{name}-{role}" for role in ROLES)

    def _await_ready(self, name: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not self.stack.ready(name):
            if time.monotonic() > deadline:
                raise StartError(f"{name} isn't ready after {seconds:.0f} s")
            time.sleep(0.1)
        started = self.stack.parts[name].started
        self.outcome.slowest_ready = max(self.outcome.slowest_ready, (datetime.now(UTC) - started).total_seconds())

    def _override(self, name: str, tag: str) -> Path:
        """The first releases read passwords from the environment alone."""
        folder = self.stack.state / "secrets" / name
        given = {variable.upper(): (folder / variable).read_text() for variable in ("database_url", "kafka_password")}
        parts = {f"{name}-{role}": {"image": image_of(name, tag), "environment": given} for role in (*ROLES, "next")}
        file = self.stack.state / f"{name}-{tag}.json"
        file.touch(0o600)
        file.write_text(json.dumps({"services": parts}))
        return file

    async def _walk(self) -> None:
        people = replace(cast(), youths=tuple(self._number() for _ in range(3)))
        crew, youth = Crew(self.stack.urls, people), Youth(self.stack.urls)
        while await self.watch.new(wait_ms=200):
            pass  # of the walk before
        with self._told_to_a_log():
            try:
                code = await goes_all_the_way(Timeline(self.watch), crew, youth)
                self.keepsakes.append(Keepsake(youth, code))
            finally:
                with contextlib.suppress(httpx.HTTPError, AssertionError):
                    await crew.leave()

    def _number(self) -> str:
        self._serial += 1
        return synthetic_number(self._serial)

    @contextlib.contextmanager
    def _told_to_a_log(self) -> Iterator[None]:
        self.stack.logs.mkdir(parents=True, exist_ok=True)
        with (self.stack.logs / "walks.log").open("a") as log, contextlib.redirect_stdout(log):
            yield

"""`python -m deploy.containers.run` (`make containers`): builds the platform, runs it on containers, tries to break it, takes it down."""

import argparse
import asyncio
import shutil
import signal
import sys
import time

from contracts.catalogue import SERVICES

from deploy.commands import Command, a_port
from deploy.containers.isolation import Verdict, try_everything
from deploy.containers.prepare import STATE
from deploy.containers.replacing import Outcome, Replacing, build_releases
from deploy.containers.scraped import PROCESSES, scraped
from deploy.containers.stack import Stack
from deploy.images.base import NoBaseError
from deploy.images.build import build, image_of
from deploy.images.engine import EngineError, NoEngineError, engine
from deploy.local.gateway import refuse_busy
from deploy.local.journey.timeline import Watch
from deploy.local.journey.walk import walk
from deploy.local.platform import Progress
from deploy.local.processes import StartError
from deploy.releases.record import HistoryError, Release
from deploy.releases.told import unheard

FOLDER = STATE.with_name("containers-trial")
PROJECT = "stegvis-trial"
REFUSALS = (NoEngineError, NoBaseError, EngineError, StartError, HistoryError)


class Trial:
    """One run from nothing to nothing."""

    def __init__(self, options: argparse.Namespace, progress: Progress) -> None:
        """Raises NoEngineError."""
        self.options, self.progress = options, progress
        self.images = 0
        self.journey = "not walked"
        self.isolation = Verdict()
        self.upgrades = Outcome()
        self.lost = 0
        self.scraped: int | None = None
        """Processes that Prometheus sees; None where its image couldn't be built."""
        self.stack = Stack(
            engine(), FOLDER, PROJECT, options.port, official=options.official, isolate=options.isolate == "on", progress=progress
        )

    def __str__(self) -> str:
        scraped = "not_tried" if self.scraped is None else f"{self.scraped}/{PROCESSES}"
        return (
            f"images={self.images} journey={self.journey} isolation={self.isolation} upgrades={self.upgrades}"
            f" lost={self.lost + self.upgrades.lost} scraped={scraped}"
        )

    @property
    def ok(self) -> bool:
        """Whether nothing broke."""
        failed = self.isolation.broken or self.upgrades.failures or self.lost or self.upgrades.lost or self.scraped not in {None, PROCESSES}
        return self.journey == "ok" and not failed and (self.options.quick or len(self.upgrades.replaced) == len(SERVICES))

    def run(self) -> None:
        """Everything in turn. Raises one of REFUSALS when it can't go on; nothing is left running."""
        refuse_busy(self.options.port)
        self.images = len(build(progress=self.progress))
        released = {} if self.options.quick else build_releases(self.stack, self.progress)
        self.stack.look()
        if self.stack.parts:
            self.stack.down()  # what a killed run left
        shutil.rmtree(FOLDER, ignore_errors=True)
        try:
            began = time.monotonic()
            self.stack.start()
            running = sum(part.running for part in self.stack.parts.values())
            self.progress(f"{running} containers are up and ready, {time.monotonic() - began:.1f} s after the first was made")
            asyncio.run(self._try(released))
        finally:
            self.stack.look()
            self.stack.keep_logs()
            self.stack.down()
            self.progress(f"down; nothing is left but the logs in {self.stack.logs}")

    async def _try(self, released: dict[str, Release]) -> None:
        self.journey = "ok" if await walk(self.stack) == 0 else "failed"
        if self.options.official or self.stack.engine.has(image_of("prometheus")):
            self.scraped = await asyncio.to_thread(scraped, self.stack)
            self.progress(f"Prometheus sees {self.scraped} of {PROCESSES} processes")
        self.isolation = await asyncio.to_thread(try_everything, self.stack)
        self.progress(f"isolation: {self.isolation} attempts refused")
        for broken in self.isolation.broken[:20]:
            self.progress(f"FAILED: {broken}")
        watch = Watch(self.stack.kafka_admin)
        await watch.start(from_the_start=True)
        try:
            if released:
                self.upgrades = await Replacing(self.stack, watch, released, self.progress).run()
                self.progress(
                    f"{self.upgrades.walks} youths went all the way and {self.upgrades.pages} pages were read meanwhile;"
                    f" slowest ready {self.upgrades.slowest_ready:.1f} s after its start, slowest drain {self.upgrades.slowest_drain:.1f} s"
                )
            self.lost = await unheard(self.stack, watch, self.progress)
        finally:
            await watch.stop()


def main() -> int:
    """Exit code 0 when nothing broke; else what broke, each in one line."""
    parser = Command(prog="python -m deploy.containers.run", description=__doc__)
    parser.add_argument("--port", type=a_port, default=8080, help="the gateway's, 8080 by default")
    parser.add_argument("--official", action="store_true", help="the registry's images of PostgreSQL, Kafka and gateway")
    parser.add_argument("--isolate", choices=("on", "off"), default="on", help="off: shows that the matrix sees open networks, and fails")
    parser.add_argument("--quick", action="store_true", help="without replacing services")
    options = parser.parse_args()
    began = time.monotonic()

    def progress(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        trial = Trial(options, progress)
        trial.run()
    except REFUSALS as error:
        print(f"containers: {error}", file=sys.stderr)
        return 1
    print(f"containers: {trial} minutes={(time.monotonic() - began) / 60:.1f}")
    return 0 if trial.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Everything running, with Prometheus beside it and with what a trial needs: a small disk for one service, a TLS server to look at."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.local.journey.cast import cast
from deploy.local.journey.stories import Crew
from deploy.local.platform import Platform
from deploy.local.services import run_command
from deploy.observability.alerts import Times
from deploy.observability.local import LocalPrometheus
from tests.operations.books import place
from tests.operations.tls import TlsServer

TIMES = Times(scale=60, scrape_seconds=1)
"""The real times divided by 60."""
SMALL_DISK = "helpjourney"
LOOKS_AT_TLS = "reporting"
DISK_MEGABYTES = 8


def mounting() -> tuple[str, ...]:
    """A command before which a process may mount a disk that nobody else sees; empty where that isn't allowed."""
    for words in (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount")):
        probe = [*words, "mount", "-t", "tmpfs", "none", "/mnt"]
        if shutil.which("unshare") and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return words
    return ()


def command(service: str) -> list[str | Path]:
    """As always, but one service has its DATA_DIR on a disk of a few megabytes."""
    words = mounting() if service == SMALL_DISK else ()
    if not words:
        return run_command(service)
    script = f'mount -t tmpfs -o size={DISK_MEGABYTES}m none "$DATA_DIR"; exec "$@"'
    return [*words, "sh", "-c", script, "-", sys.executable, *[str(word) for word in run_command(service)[1:]]]


class Stage:
    """What the scenes play on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tls = TlsServer(folder)
        self.platform = Platform(
            folder / "platform", overrides={LOOKS_AT_TLS: {"WATCHED_CERTIFICATES": self.tls.address}}, outside={}, command=command
        )
        self.prometheus = LocalPrometheus(folder / "prometheus", self.platform.addresses, TIMES)
        self.crew = Crew(self.platform.urls, cast())

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        """All of it, and nothing left afterwards."""
        shutil.rmtree(self.folder / "prometheus", ignore_errors=True)
        self.tls.start(days=90)
        try:
            with self.platform:
                self.prometheus.start()
                try:
                    yield
                finally:
                    self.prometheus.stop()
        finally:
            self.tls.stop()

    def environment(self, service: str, **more: str) -> dict[str, str]:
        """In which a runbook's commands run: the service's own, and where things are."""
        return place(self.platform, service, self.prometheus.url, ENDPOINT=self.tls.address, **more)

    def disk(self) -> Path:
        """The small disk as its process sees it."""
        service = self.platform.services[SMALL_DISK]
        return Path(f"/proc/{service.pid}/root{service.environment['DATA_DIR']}")

"""Prometheus beside a platform that runs on this machine: its configuration, its process, and what it answers."""

from pathlib import Path
from typing import Any

import httpx
from contracts.catalogue import SERVICES

from deploy.local.environment import Addresses
from deploy.local.processes import Child, free_ports
from deploy.observability.alerts import Times
from deploy.observability.programs import program
from deploy.observability.rules import rules
from deploy.observability.scraping import Target, config

START_SECONDS = 30.0


class LocalPrometheus:
    """Asks the five services of one platform. `folder`: for its data; `times`: of the rules."""

    def __init__(self, folder: Path, addresses: Addresses, times: Times | None = None, log: Path | None = None) -> None:
        self._folder = folder
        self._times = times or Times()
        self._targets = [Target(name, "run", f"127.0.0.1:{addresses.internal_ports[name]}") for name in SERVICES]
        self._port = free_ports(1)[0]
        self._child = Child("prometheus", self._command(), log or folder / "prometheus.log")

    @property
    def url(self) -> str:
        """Its pages and its API."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns when it answers. Raises NoPrometheusError, StartError."""
        self._child.argv = [program("prometheus"), *self._command()[1:]]
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "rules.yml").write_text(rules(self._times))
        (self._folder / "prometheus.yml").write_text(config(self._targets, "rules.yml", self._times.scrape_seconds))
        self._child.start()
        self._child.wait_until(self._ready, START_SECONDS)

    def stop(self) -> None:
        """Asks it to end."""
        self._child.stop(grace=5)

    def _command(self) -> list[str | Path]:
        return [
            "prometheus",
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            "--storage.tsdb.retention.time=2d",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--log.level=warn",
        ]

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def firing(self) -> list[dict[str, Any]]:
        """The alerts that fire now: labels and annotations."""
        answer = httpx.get(f"{self.url}/api/v1/alerts", timeout=30).raise_for_status()
        return [alert for alert in answer.json()["data"]["alerts"] if alert["state"] == "firing"]

    def over_time(self, expr: str, end: float, seconds: float, step: float) -> list[dict[str, Any]]:
        """An expression in the `seconds` before `end` (epoch seconds): an entry per line, `metric` and `values` ([epoch seconds, text])."""
        asked: dict[str, str | float] = {"query": expr, "start": end - seconds, "end": end, "step": step}
        answer = httpx.get(f"{self.url}/api/v1/query_range", params=asked, timeout=30)
        if answer.status_code != 200:
            raise ValueError(f"{expr}: {answer.text}")
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

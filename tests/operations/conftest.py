"""One service process as operations start it, with what it says and whether it is ready."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx
import pytest

from deploy.local.keys import make_keys
from deploy.local.processes import free_ports
from deploy.local.scratch import scratch

PATIENCE = 150.0


@dataclass(eq=False)
class Process:
    """A running `python -m <service> <verb>`."""

    child: subprocess.Popen[str]
    output: Path
    port: int
    internal_port: int

    def lines(self) -> list[dict[str, object]]:
        """What it logged so far."""
        return [json.loads(line) for line in self.output.read_text().splitlines() if line.startswith("{")]

    def said(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.lines() if line["event"] == event]

    def until(self, true: Callable[[], object], what: str) -> None:
        """Polls; fails when it takes too long or the process ends."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert self.child.poll() is None, f"ended with {self.child.returncode} before {what}: {self.output.read_text()}"
            assert time.monotonic() < deadline, f"not {what}: {self.output.read_text()}"
            time.sleep(0.1)

    def status(self, path: str) -> tuple[int, str]:
        """Of the internal address; 0 when nobody answers."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.internal_port}{path}", timeout=5)
        except httpx.TransportError:
            return 0, ""
        return answer.status_code, answer.text

    def serves(self) -> bool:
        """Whether the public port takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> int:
        """Asks it to end; its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        return self.child.wait(20)


@dataclass
class Starter:
    """Starts processes of one agency's keys; ends what is left."""

    folder: Path
    processes: list[Process] = field(default_factory=list)

    def environment(self, service: str, changed: Mapping[str, str | None]) -> dict[str, str]:
        """As an agency would set it; None takes a setting away."""
        if not (self.folder / "keys" / service).exists():
            shutil.copytree(_keys(service), self.folder, dirs_exist_ok=True)
        port, internal_port = free_ports(2)
        settings: dict[str, str | None] = {
            "PATH": os.environ["PATH"],
            "PORT": str(port),
            "INTERNAL_PORT": str(internal_port),
            "KEYS_DIR": str(self.folder / "keys" / service),
            "TRUST_DIR": str(self.folder / "trust"),
            "DATA_DIR": str(self.folder / "data"),
            "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
            **changed,
        }
        return {name: value for name, value in settings.items() if value is not None}

    def run(self, service: str, *words: str, **changed: str | None) -> subprocess.CompletedProcess[str]:
        """Until it ends by itself."""
        command = [sys.executable, "-m", service, *words]
        environment = self.environment(service, changed)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def start(self, service: str, *words: str, before: tuple[str, ...] = (), **changed: str | None) -> Process:
        """Beside the test. `before`: a command that starts it."""
        environment = self.environment(service, changed)
        output = self.folder / f"{service}-{len(self.processes)}.log"
        command = [*before, sys.executable, "-m", service, *words]
        with output.open("w") as file:
            child = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT, text=True)
        made = Process(child, output, int(environment["PORT"]), int(environment["INTERNAL_PORT"]))
        self.processes.append(made)
        return made


@cache
def _keys(service: str) -> Path:
    """Made once: it takes a while."""
    folder = scratch("keys")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    make_keys(folder, [service])
    return folder


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    made = Starter(tmp_path)
    yield made
    for process in made.processes:
        if process.child.poll() is None:
            process.child.kill()
            process.child.wait()

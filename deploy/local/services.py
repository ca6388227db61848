"""One service process: its command, its environment, whether it answers."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local import loopback
from deploy.local.processes import Child, tail

Command = Callable[[str], list[str | Path]]
READY_SECONDS = 120.0


def run_command(service: str) -> list[str | Path]:
    """Serve, relay and consume in one process, on a database that is brought up to date first."""
    return [sys.executable, "-m", service, "run", "--migrate"]


class ServiceProcess:
    """A service that can be killed and started again alone."""

    def __init__(self, name: str, environment: Mapping[str, str], log: Path, command: Command = run_command) -> None:
        self.name = name
        self.environment = dict(environment)
        self.log = log
        self._child = Child(name, command(name), log, env=self.environment, cwd=log.parent)

    @property
    def pid(self) -> int:
        """The process id; 0 before the first start."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs now."""
        return self._child.alive

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._child.exit_code

    @property
    def child(self) -> Child:
        """The process itself, for signals."""
        return self._child

    def start(self, **changed: str) -> None:
        """Starts the process; `changed` settings stay changed."""
        self.environment |= changed
        self._child.env = self.environment
        self._child.start()

    def wait(self, gateway_port: int, host: str, seconds: float = READY_SECONDS) -> None:
        """Returns when it says that it's ready and its front page answers through the gateway; StartError otherwise."""
        internal = int(self.environment["INTERNAL_PORT"])
        self._child.wait_until(lambda: status(internal, "/readyz") == 200, seconds, "ready")
        self._child.wait_until(lambda: 200 <= status(gateway_port, "/", host) < 500, seconds, "answering through the gateway")

    def stop(self) -> None:
        """Asks it to drain and end."""
        self._child.stop(grace=12)

    def tail(self, lines: int = 12) -> str:
        """The last lines of its log."""
        return tail(self.log, lines)


def status(port: int, path: str, host: str = "127.0.0.1") -> int:
    """The status that a GET gets on a port of this machine, 0 when nobody answers."""
    return loopback.status(f"http://{host}:{port}{path}")

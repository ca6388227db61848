"""The platform of docker-compose.yml as one thing: up, down, one part replaced, and where everything in it is."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from contracts.catalogue import SERVICES

from deploy.containers.prepare import admin_password, authority_of, environment, password_of, prepare
from deploy.images.engine import Engine, EngineError
from deploy.kafka.access import Access
from deploy.kafka.broker import ADMIN
from deploy.local.environment import HOSTS
from deploy.local.loopback import status, trust
from deploy.local.platform import Progress
from deploy.local.processes import StartError, free_ports

ROOT = Path(__file__).parents[2]
ROLES = ("serve", "relay", "consume")
INTERNAL_PORT = 9000
PROFILES = {"-next": "next", "prometheus": "operations"}
"""End of a part's name -> the profile that it belongs to."""
GRACE_SECONDS = 12
"""As docker-compose.yml says for services."""
ONCE = ("migrate", "setup")
"""Ends of names of the parts that do one thing and end."""


@dataclass(frozen=True, slots=True)
class Part:
    """One container."""

    name: str
    """Its service's name in docker-compose.yml; a second replica's is `<name>.2`."""
    container: str
    pid: int
    running: bool
    done: bool
    """It has ended, and well."""
    started: datetime
    addresses: Mapping[str, str]
    """Network, as docker-compose.yml calls it -> address."""


class Stack:
    """One running docker-compose.yml. The calls block."""

    def __init__(
        self,
        engine: Engine,
        state: Path,
        project: str,
        port: int,
        *,
        official: bool = False,
        isolate: bool = True,
        replicas: int = 1,
        progress: Progress,
    ) -> None:
        """`state`: keys, passwords and settings. `official`: the registry's images instead of what was built here.

        `replicas`: of each process of a service, side by side.
        """
        self.engine, self.state, self.project, self.port = engine, state, project, port
        self._kafka_port = free_ports(1)[0]
        overrides = [*([] if official else ["stand-ins.yml"]), *(["replicas.yml"] if replicas > 1 else [])]
        self._files = [ROOT / "docker-compose.yml", *(ROOT / "deploy" / "containers" / name for name in overrides)]
        self._environment = {**engine.environment, **environment(state, port, self._kafka_port, project)}
        self._environment |= {"NETWORK_ISOLATE": "true" if isolate else "false", "REPLICAS": str(replicas)}
        self._progress = progress
        self.parts: dict[str, Part] = {}

    @property
    def urls(self) -> dict[str, str]:
        """The public address of each service."""
        return {name: f"https://{HOSTS[name]}:{self.port}" for name in SERVICES}

    @property
    def kafka_admin(self) -> Access:
        """The administrator's way in, from this machine."""
        return Access(f"127.0.0.1:{self._kafka_port}", "SASL_SSL", ADMIN, admin_password(self.state), authority_of(self.state))

    def internal(self, service: str) -> str:
        """The base of the internal address of what serves; only this machine itself reaches it."""
        return f"http://{self.parts[f'{service}-serve'].addresses[service]}:{INTERNAL_PORT}"

    def dsn(self, service: str) -> str:
        """The address of one service's database, with its own role."""
        host = self.parts[f"{service}-postgres"].addresses[f"{service}-store"]
        return f"postgresql://{service}:{password_of(self.state, service)}@{host}:5432/{service}"

    def up(self, *names: str, override: Path | None = None) -> None:
        """Starts everything, or the named parts as docker-compose.yml (and `override`) say now. Raises EngineError."""
        self._compose("up", "-d", *(["--no-deps", *names] if names else []), override=override)
        self.look()

    def prepare(self) -> None:
        """Fills the folder with keys, passwords and settings."""
        prepare(self.state, self.port, self._kafka_port)
        trust(authority_of(self.state))

    def remove(self, name: str) -> float:
        """Asks one part to drain and end, and takes it away; returns how many seconds it drained."""
        began = time.monotonic()
        self.engine.run("stop", "--time", str(GRACE_SECONDS), self.parts[name].container)
        drained = time.monotonic() - began
        self.engine.run("rm", "--force", self.parts[name].container)
        self.look()
        return drained

    def start(self) -> None:
        """Prepares and starts everything; returns when all are ready and the five hosts answer. Raises StartError."""
        self.prepare()
        self.up()
        self.wait_for_jobs()
        self.wait(name for name in self.parts if name.partition(".")[0].endswith(ROLES))

    def wait_for_jobs(self, seconds: float = 300) -> None:
        """Returns when what does one thing has done it: databases are migrated, Kafka has topics and principals. Raises StartError."""
        deadline = time.monotonic() + seconds
        while waiting := [part.name for part in self.parts.values() if part.name.endswith(ONCE) and not part.done]:
            if time.monotonic() > deadline:
                raise StartError(f"not done after {seconds:.0f} s: {', '.join(waiting)}; logs are in {self.logs}")
            time.sleep(0.5)
            self.look()

    def wait(self, names: Iterable[str], seconds: float = 300) -> None:
        """Returns when the named parts say that they are ready and the public hosts answer. Raises StartError."""
        deadline = time.monotonic() + seconds
        waiting = list(names)
        hosts = list(self.urls.values())
        while waiting or hosts:
            if time.monotonic() > deadline:
                raise StartError(f"not ready after {seconds:.0f} s: {', '.join(waiting or hosts)}; logs are in {self.logs}")
            self.look()
            waiting = [name for name in waiting if not self.ready(name)]
            hosts = [] if waiting else [url for url in hosts if not 200 <= status(f"{url}/") < 500]
            time.sleep(0.2)

    def ready(self, name: str) -> bool:
        """Whether one process of a service says that it can work."""
        part = self.parts.get(name)
        if part is None or not part.running:
            return False
        try:
            with urlopen(f"http://{next(iter(part.addresses.values()))}:{INTERNAL_PORT}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPError):
            return False

    def look(self) -> None:
        """Finds out what runs where."""
        listed = self.engine.run("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label=com.docker.compose.project={self.project}")
        if not listed:
            self.parts = {}
            return
        parts = [self._part(facts) for facts in json.loads(self.engine.run("inspect", *listed.split()))]
        self.parts = {part.name: part for part in parts}

    def _part(self, facts: Mapping[str, object]) -> Part:
        config, state, networks = facts["Config"], facts["State"], facts["NetworkSettings"]
        assert isinstance(config, dict)
        assert isinstance(state, dict)
        assert isinstance(networks, dict)
        addresses = {name.removeprefix(f"{self.project}_"): net["IPAddress"] for name, net in networks["Networks"].items()}
        labels = config["Labels"]
        service, number = labels["com.docker.compose.service"], labels["com.docker.compose.container-number"]
        return Part(
            service if number == "1" else f"{service}.{number}",
            str(facts["Id"]),
            int(state["Pid"]),
            bool(state["Running"]),
            state["Status"] == "exited" and state["ExitCode"] == 0,
            datetime.fromisoformat(state["StartedAt"]),
            {name: address for name, address in addresses.items() if address},
        )

    @property
    def logs(self) -> Path:
        """Where `keep_logs` writes."""
        return self.state / "logs"

    def keep_logs(self) -> None:
        """A file per container."""
        self.logs.mkdir(parents=True, exist_ok=True)

        def keep(part: Part) -> None:
            with (self.logs / f"{part.name}.log").open("wb") as file:
                subprocess.run(
                    [self.engine.name, "logs", part.container], env=self._environment, stdout=file, stderr=subprocess.STDOUT, check=False
                )

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(keep, self.parts.values()))

    def down(self, *, stores: bool = True) -> None:
        """Stops and removes everything; the `stores` too, or what is in them is there at the next start."""
        profiles = [word for profile in PROFILES.values() for word in ("--profile", profile)]
        self._compose(*profiles, "down", *(["--volumes"] if stores else []), "--timeout", "15")
        self.parts = {}
        if not stores:
            return
        mine = [name for name in self.engine.run("volume", "ls", "--quiet").split() if name.startswith(f"{self.project}_")]
        if mine:  # podman-compose leaves those that several services name
            self.engine.run("volume", "rm", "--force", *mine)

    def _compose(self, *arguments: str, override: Path | None = None) -> None:
        program: Sequence[str] = ["docker", "compose"] if self.engine.name == "docker" else [sys.executable, "-m", "podman_compose"]
        files = [part for file in (*self._files, *([override] if override else [])) for part in ("-f", str(file))]
        wanted = {profile for end, profile in PROFILES.items() if any(argument.endswith(end) for argument in arguments)}
        profile = [word for name in wanted for word in ("--profile", name)]
        command = [*program, "--project-name", self.project, *files, *profile, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            raise EngineError(f"compose {' '.join(arguments)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")

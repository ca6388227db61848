"""PostgreSQL and Kafka in containers, for tests that ask for them: `TEST_INFRA=docker`."""

import asyncio
import atexit
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from contracts.catalogue import SERVICES

from deploy.containers.authority import Authority
from deploy.containers.prepare import ROOT, admin_password, authority_of, prepare_kafka
from deploy.images.base import PYTHON, ensure
from deploy.images.build import build_part, image_of
from deploy.images.engine import engine
from deploy.kafka.access import Access
from deploy.kafka.broker import ADMIN
from deploy.local.processes import Child, StartError, free_ports, listens
from deploy.local.scratch import scratch

SECONDS = 90.0
OVER_SOCKET = {"TESTCONTAINERS_RYUK_DISABLED": "true", "TESTCONTAINERS_CONNECTION_MODE": "docker_host"}
"""Ryuk is an image of a registry; what runs here is ended by who started it."""


@cache
def _reach() -> Callable[[str], Any]:
    """How testcontainers makes a container here, over Docker's socket or one of Podman's; builds what is missing. Raises NoEngineError."""
    found = engine()
    ensure(found, print, (PYTHON,))
    for part in ("postgres", "kafka"):
        if not found.has(image_of(part)):
            build_part(found, part)
    os.environ.update(OVER_SOCKET)
    if found.name == "podman":
        folder = scratch("podman")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        socket = folder / "socket"
        argv = ["podman", "system", "service", "--time=0", f"unix://{socket}"]
        server = Child("podman", argv, socket.with_suffix(".log"), env=found.environment).start()
        server.wait_until(socket.exists, 30, "listening")
        os.environ["DOCKER_HOST"] = f"unix://{socket}"
    from testcontainers.core.container import DockerContainer

    return DockerContainer


class ContainerPostgres:
    """One cluster, as tests know it from child processes: `dsn` and `stop`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._password = secrets.token_hex(24)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._container = _reach()(image_of("postgres")).with_env("POSTGRES_PASSWORD", self._password).with_command(["postgres", *options])
        self._container.ports = {5432: ("127.0.0.1", free_ports(1)[0])}

    @property
    def port(self) -> int:
        """On 127.0.0.1."""
        return int(self._container.get_exposed_port(5432))

    @property
    def dsn(self) -> str:
        """The superuser's address."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/postgres"

    def start(self) -> "ContainerPostgres":
        """Returns when it answers a query. Raises StartError."""
        self._container.start()
        _until(lambda: _succeeds(self.run("select 1")), "PostgreSQL in a container")
        return self

    async def run(self, *statements: str) -> None:
        """As the superuser."""
        connection = await asyncpg.connect(self.dsn, timeout=5)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    def create_role_and_database(self, name: str) -> str:
        """A role and a database of the same name, closed to others; returns its address."""
        password = secrets.token_hex(24)
        closed = f"revoke all on database {name} from public"
        asyncio.run(self.run(f"create role {name} login password '{password}'", f"create database {name} owner {name}", closed))
        return f"postgresql://{name}:{password}@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Ends and removes it, with its data."""
        self._container.stop()


class ContainerKafka:
    """One broker with a principal per agency, as tests know it from child processes: `access` and `stop`."""

    def __init__(self, tls: bool = False) -> None:
        """`tls`: as docker-compose.yml has it; else plain on 127.0.0.1, as the demo's."""
        self._folder = tempfile.TemporaryDirectory(prefix="stegvis-kafka-container-")
        self._state, self._port = Path(self._folder.name), free_ports(1)[0]
        self._authority = Authority(self._state / "authority", authority_of(self._state)) if tls else None
        prepare_kafka(self._state, self._port, self._authority)
        self._container = (
            _reach()(image_of("kafka"))
            .with_volume_mapping(str(self._state / "kafka"), "/run/kafka", "ro")
            .with_volume_mapping(str(ROOT / "deploy" / "containers" / "kafka.sh"), "/etc/stegvis/start.sh", "ro")
            .with_command(["sh", "/etc/stegvis/start.sh"])
            .with_kwargs(extra_hosts={"kafka": "127.0.0.1"})
        )
        self._container.ports = {19092: ("127.0.0.1", self._port)}

    @property
    def access(self) -> Access:
        """The administrator's."""
        address, password = f"127.0.0.1:{self._port}", admin_password(self._state)
        if self._authority:
            return Access(address, "SASL_SSL", ADMIN, password, self._authority.file)
        return Access(address, "SASL_PLAINTEXT", ADMIN, password)

    def start(self) -> "ContainerKafka":
        """Returns when it accepts clients. Raises StartError."""
        self._container.start()
        _until(lambda: listens(self._port), "Kafka in a container")
        return self

    def stop(self) -> None:
        """Ends and removes it, with its data."""
        self._container.stop()
        self._folder.cleanup()


@contextmanager
def for_a_platform(settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Kafka and a cluster per agency; gives the settings by which a platform finds them instead of starting its own."""
    with ExitStack() as running:
        kafka = ContainerKafka().start()
        running.callback(kafka.stop)
        found = dict(kafka.access.environment)
        for name in SERVICES:
            cluster = ContainerPostgres(settings).start()
            running.callback(cluster.stop)
            found[f"{name.upper()}_DATABASE_URL"] = cluster.create_role_and_database(name)
        yield found


def _succeeds(work: Any) -> bool:
    try:
        asyncio.run(work)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise StartError(f"{what} isn't ready after {SECONDS:.0f} s")
        time.sleep(0.1)

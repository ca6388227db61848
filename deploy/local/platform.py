"""The whole platform on this machine: five databases, Kafka, the test login, the gateway and five services, each restartable alone."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType

from contracts.catalogue import SERVICES

from deploy.gateway.caddyfile import Route
from deploy.kafka.access import Access
from deploy.kafka.principals import ensure_principals
from deploy.kafka.topics import TopicError, ensure_topics
from deploy.local.environment import HOSTS, STAFF_CLIENT, YOUTH_CLIENT, Addresses, service_environment
from deploy.local.gateway import LocalGateway, refuse_busy
from deploy.local.kafka import LocalKafka
from deploy.local.keys import kafka_passwords, make_keys
from deploy.local.oidc.launcher import Client, LocalOidc
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import StartError, free_ports
from deploy.local.services import Command, ServiceProcess, run_command
from deploy.local.start_page import write_start_page
from deploy.local.state import State

SMALL_CLUSTER = {"shared_buffers": "24MB", "max_connections": "60", "wal_level": "replica", "max_wal_size": "256MB", "jit": "off"}
"""Settings of each agency's cluster here: five run side by side."""

Progress = Callable[[str], None]


class Platform:
    """Start, stop, kill and restart of everything. The calls block; in async code run them in a thread."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        brokers: int = 1,
        fresh: bool = True,
        overrides: Mapping[str, Mapping[str, str]] | None = None,
        outside: Mapping[str, str] | None = None,
        command: Command = run_command,
        progress: Progress = lambda _: None,
    ) -> None:
        """`folder`: data, keys and logs. `port`: the gateway's, a free one by default. `fresh`: forget what earlier runs stored.

        `overrides`: settings by service. `outside`: where to look for KAFKA_BOOTSTRAP_SERVERS and <SERVICE>_DATABASE_URL of parts
        that run elsewhere (the environment by default); those aren't started here.
        """
        self.folder = folder.absolute()
        self._fresh = fresh
        self._overrides = {name: dict((overrides or {}).get(name, {})) for name in SERVICES}
        self._outside = os.environ if outside is None else outside
        self._command = command
        self._progress = progress
        self._state = State(self.folder)
        self._brokers = brokers
        self._dsns: dict[str, str] = {}
        self._recording = threading.Lock()
        self.databases: dict[str, LocalPostgres] = {}
        self.kafka: LocalKafka | None = None
        self.oidc: LocalOidc | None = None
        self.gateway: LocalGateway | None = None
        self.services: dict[str, ServiceProcess] = {}
        public, internal, (youth_port, staff_port) = free_ports(len(SERVICES)), free_ports(len(SERVICES)), free_ports(2)
        self._oidc_ports = (youth_port, staff_port)
        self.addresses = Addresses(
            gateway_port=port or free_ports(1)[0],
            ports=dict(zip(SERVICES, public, strict=True)),
            internal_ports=dict(zip(SERVICES, internal, strict=True)),
            idporten=f"http://127.0.0.1:{youth_port}",
            ansattporten=f"http://127.0.0.1:{staff_port}",
        )

    # What others ask for

    @property
    def urls(self) -> dict[str, str]:
        """The public address of each service."""
        return {name: self.addresses.url(name) for name in SERVICES}

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return self.kafka_admin.bootstrap

    @property
    def kafka_admin(self) -> Access:
        """The way in of who may see and make everything: for launchers and tests, never for a service."""
        return self.kafka.access if self.kafka else Access.of(self._outside)

    def kafka_access(self, service: str) -> Access:
        """One service's way in, as its own principal; nobody's on a cluster elsewhere that names no administrator."""
        admin = self.kafka_admin
        return admin if admin.username is None else admin.principal(service, kafka_passwords(self.folder)[service])

    @property
    def logs(self) -> Path:
        """The folder with a log per part."""
        return self.folder / "logs"

    def log(self, part: str) -> Path:
        """The log of one part: a service's name, `kafka-1`, `postgres-dialog`, `oidc` or `gateway`."""
        return self.logs / f"{part}.log"

    def dsn(self, service: str) -> str:
        """The address of one service's database, with its own role."""
        return self._dsns[service]

    def internal(self, service: str) -> str:
        """The base of a service's internal address: /livez, /readyz, /metrics, /docs, /openapi.json."""
        return self.addresses.internal(service)

    @property
    def pids(self) -> dict[str, int]:
        """The process id of every part that was started here."""
        parts = {f"postgres-{name}": cluster.pid for name, cluster in self.databases.items()}
        if self.kafka:
            parts |= {f"kafka-{number}": pid for number, pid in enumerate(self.kafka.pids, 1)}
        if self.oidc:
            parts["oidc"] = self.oidc.pid
        if self.gateway:
            parts["gateway"] = self.gateway.pid
        return parts | {name: service.pid for name, service in self.services.items()}

    # Start and stop

    def start(self) -> "Platform":
        """Starts everything and returns when the five hosts answer; StartError with the reason otherwise, and nothing is left running."""
        left = self._state.take()
        try:
            refuse_busy(self.addresses.gateway_port)
            if left:
                self._progress(f"ended what a killed run left: {', '.join(left)}")
            if self._fresh:
                self._state.empty()
            self.logs.mkdir(parents=True, exist_ok=True)
            make_keys(self.folder)
            self._start_parts()
            self._start_services()
        except BaseException:
            self.stop()
            raise
        return self

    def _start_parts(self) -> None:
        timed = [partial(self._timed, "gateway", self._start_gateway), partial(self._timed, "test login", self._start_oidc)]
        self._side_by_side([self._start_kafka, self._start_databases, *timed])

    def _side_by_side(self, jobs: Sequence[Callable[[], object]]) -> None:
        """Runs all at once; the first failure (or a signal) stops what runs, so that nobody waits for the rest."""
        pool = ThreadPoolExecutor(len(jobs), "parts")
        try:
            for job in as_completed([pool.submit(each) for each in jobs]):
                job.result()
        except BaseException:
            self._stop_parts()
            raise
        finally:
            pool.shutdown()

    def _timed(self, what: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        self._progress(f"{what} up in {time.monotonic() - began:.1f} s")

    def _start_gateway(self) -> None:
        routes = {name: Route(HOSTS[name], f"127.0.0.1:{self.addresses.ports[name]}") for name in SERVICES}
        folder = self.folder / "data" / "gateway"
        start_page = write_start_page(folder / "start", self.addresses)
        self.gateway = LocalGateway(folder, self.addresses.gateway_port, routes, self.log("gateway"), start_page)
        self.gateway.start()
        self._record()

    def _start_kafka(self) -> None:
        if "KAFKA_BOOTSTRAP_SERVERS" in self._outside:
            self._timed(f"topics on {self.bootstrap}", self._make_topics)
            return
        self.kafka = LocalKafka(self._brokers, self.folder / "data" / "kafka", logs=self.logs, secured=True)
        self._timed("kafka", self.kafka.start)
        self._record()
        self._timed("topics and principals", self._make_topics)

    def _make_topics(self) -> None:
        try:
            asyncio.run(ensure_topics(self.kafka_admin))
            if self.kafka_admin.username is not None:
                ensure_principals(self.kafka_admin, kafka_passwords(self.folder))
        except TopicError as error:
            raise StartError(str(error)) from error

    def _start_databases(self) -> None:
        here = [name for name in SERVICES if not self._outside.get(f"{name.upper()}_DATABASE_URL")]
        self._dsns = {name: self._outside[f"{name.upper()}_DATABASE_URL"] for name in SERVICES if name not in here}
        if here:
            pattern = LocalPostgres(self.folder / "data" / "postgres" / "pattern").prepare()
            self._side_by_side([partial(self._start_database, name, pattern) for name in here])

    def _start_database(self, name: str, pattern: Path) -> None:
        folder, log = self.folder / "data" / "postgres" / name, self.log(f"postgres-{name}")
        cluster = LocalPostgres(folder, settings=SMALL_CLUSTER, log=log, pattern=pattern)
        self.databases[name] = cluster
        self._timed(f"postgres of {name}", cluster.start)
        self._record()
        self._dsns[name] = cluster.create_role_and_database(name)

    def _start_oidc(self) -> None:
        jwks = self.folder / "trust" / "identity.json"
        identity = self.addresses.url("identity")
        back_channel = f"http://127.0.0.1:{self.addresses.ports['identity']}"
        youths = Client(
            YOUTH_CLIENT, jwks, [f"{identity}/tilbake/idporten"], [f"{identity}/logget-ut"], f"{back_channel}/bakkanal/idporten"
        )
        staff = Client(STAFF_CLIENT, jwks, [f"{identity}/tilbake/ansattporten"], [f"{identity}/logget-ut"])
        self.oidc = LocalOidc(self.folder / "data" / "oidc", youths, staff, self._oidc_ports, self.log("oidc"))
        self.oidc.start()
        self._record()

    def _start_services(self) -> None:
        for name in SERVICES:
            environment = service_environment(name, self.addresses, self.folder, self._dsns[name], self.kafka_access(name))
            self.services[name] = ServiceProcess(name, environment | self._overrides[name], self.log(name), self._command)
            self.services[name].start()
        self._record()
        self._side_by_side([partial(self._timed, name, partial(self._wait, name)) for name in SERVICES])

    def _wait(self, name: str) -> None:
        self.services[name].wait(self.addresses.gateway_port, HOSTS[name])

    def _record(self) -> None:
        with self._recording:
            self._state.record(self.pids)

    def stop(self, delete: bool = False) -> None:
        """Stops everything, services first; a second call does nothing. `delete`: removes what was stored, not keys and logs."""
        self._stop_parts()
        if delete:
            self._state.empty("data")
        self._state.release()

    def _stop_parts(self) -> None:
        with ThreadPoolExecutor(12, "stop") as pool:
            list(pool.map(ServiceProcess.stop, list(self.services.values())))
            jobs = [pool.submit(part.stop) for part in (self.gateway, self.oidc, self.kafka) if part is not None]
            jobs += [pool.submit(cluster.stop, False) for cluster in list(self.databases.values())]
            for job in jobs:
                with suppress(OSError):
                    job.result()

    def __enter__(self) -> "Platform":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # Faults

    def kill(self, service: str) -> None:
        """Kills one service process at once."""
        self.services[service].child.kill()

    def signal(self, service: str, number: signal.Signals) -> None:
        """Sends a signal to one service process (SIGSTOP, SIGCONT)."""
        self.services[service].child.signal(number)

    def restart(self, service: str, wait: bool = True, **changed: str) -> None:
        """Starts one service again, stopping it first when it runs; `changed` settings (e.g. CLOCK_OFFSET_SECONDS) stay changed."""
        self.services[service].stop()
        self.services[service].start(**changed)
        self._record()
        if wait:
            self._wait(service)

    def dead(self) -> list[str]:
        """The services that were started and don't run now."""
        return [name for name, service in self.services.items() if not service.alive]

    def kill_broker(self, node: int = 1) -> None:
        """Kills one Kafka node at once."""
        self._own_kafka().kill(node)

    def restart_broker(self, node: int = 1, wait: bool = True) -> None:
        """Starts one Kafka node again on its data and ports."""
        self._own_kafka().restart(node, wait)
        self._record()

    def _own_kafka(self) -> LocalKafka:
        if self.kafka is None:
            raise StartError("Kafka runs elsewhere (KAFKA_BOOTSTRAP_SERVERS): it can't be killed from here")
        return self.kafka

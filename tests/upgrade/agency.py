"""One agency that reads what another tells: its process, its PostgreSQL, a Kafka, and facts that come in and are counted."""

import asyncio
import json
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from contracts.catalogue import SERVICES

from deploy.kafka.topics import ensure_topics
from deploy.local.environment import Addresses, service_environment
from deploy.local.kafka import LocalKafka
from deploy.local.keys import make_keys
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import free_ports
from deploy.local.services import READY_SECONDS, ServiceProcess, status
from deploy.testing import golden_examples
from tests.upgrade.readme import SERVICE

FACTS = 25
"""Each time, a page read in each."""
HEARD_SECONDS = 60.0
ONE_PAGE = [{"page_class": "article", "language": "nb", "count": 1}]
USAGE = golden_examples("info.usage.counted.v1")[0]


class Agency:
    """reporting alone, in whichever release; what it has heard must never be less than what was told."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.kafka, self.cluster = LocalKafka(), LocalPostgres(folder / "postgres", settings={"shared_buffers": "24MB"})
        self._public, self._internal, nobody = free_ports(3)
        ports = dict.fromkeys(SERVICES, nobody)
        nowhere = "http://127.0.0.1:1"
        self._addresses = Addresses(self._public, {**ports, SERVICE: self._public}, {**ports, SERVICE: self._internal}, nowhere, nowhere)
        self._process: ServiceProcess | None = None
        self.told = 0
        self.versions: list[str] = []
        """That have run, in order."""

    def __enter__(self) -> Self:
        self.kafka.start()
        self.cluster.start()
        asyncio.run(ensure_topics(self.kafka.access))
        make_keys(self.folder)
        self.dsn = self.cluster.create_role_and_database(SERVICE)
        self.environment = service_environment(SERVICE, self._addresses, self.folder, self.dsn, self.kafka.access)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process:
            self._process.stop()
        self.kafka.stop()
        self.cluster.stop(delete=True)
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def replace(self, command: list[str], version: str) -> None:
        """What runs ends, and this takes its place; returns when it's ready. Raises StartError."""
        if self._process:
            self._process.stop()
        log = self.folder / f"{time.monotonic_ns()}-{version}.log"
        self._process = ServiceProcess(SERVICE, self.environment, log, lambda _name: list(command))
        self._process.start()
        self._process.child.wait_until(self.is_ready, READY_SECONDS, "ready")
        self.versions.append(version)

    def is_ready(self) -> bool:
        """It says so, and shows its front page."""
        return status(self._internal, "/readyz") == 200 and 200 <= status(self._public, "/", "tall.localhost") < 500

    def hears(self) -> None:
        """Facts come in, and all that were ever told are counted. Raises AssertionError."""
        asyncio.run(self._tell())
        deadline = time.monotonic() + HEARD_SECONDS
        while (found := asyncio.run(self.counted())) != (0, 0):
            if time.monotonic() > deadline:
                raise AssertionError(f"{SERVICE} {self.versions[-1]}: lost, doubled: {found}")
            time.sleep(0.3)

    async def counted(self) -> tuple[int, int]:
        """How many of the facts that were told aren't counted, and how many are counted too often."""
        heard = int(await self._ask("select count(*) from inbox"))
        pages = int(await self._ask("select coalesce(sum(count), 0) from counts where step = 'pages_read'"))
        return max(self.told - min(heard, pages), 0), max(pages - self.told, 0)

    def settings(self, around: dict[str, str]) -> dict[str, str]:
        """What the service's processes get, laid over what a shell has."""
        return around | self.environment | {"PATH": around["PATH"]}

    async def _ask(self, statement: str) -> Any:
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def _tell(self) -> None:
        async with AIOKafkaProducer(**self.kafka.access.aiokafka, acks="all") as producer:
            for _ in range(FACTS):
                key = str(uuid4())
                headers = {**USAGE.headers, "ce_id": str(uuid4())}
                value = json.dumps({**USAGE.data, "bucket_id": key, "counts": ONE_PAGE}).encode()
                await producer.send(USAGE.topic, value, key.encode(), headers=[(name, said.encode()) for name, said in headers.items()])
        self.told += FACTS

"""The drill in small: dialog alone, with Kafka and its backups, goes back to a time before a youth deleted her question."""

import asyncio
import json
import shutil
import subprocess
import sys
from datetime import datetime

import asyncpg
import pytest
from contracts.catalogue import SERVICES

from deploy.kafka.topics import ensure_topics
from deploy.local.backups import Backups
from deploy.local.environment import Addresses, service_environment
from deploy.local.journey.people import Youth, fine
from deploy.local.kafka import LocalKafka
from deploy.local.keys import make_keys
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import free_ports
from deploy.local.services import READY_SECONDS, ServiceProcess, status
from deploy.testing import until


class Dialog:
    """The agency: its process, its database, its backups."""

    def __init__(self, folder, cluster: LocalPostgres, kafka: LocalKafka) -> None:
        public, internal, nobody = free_ports(3)
        ports = dict.fromkeys(SERVICES, nobody)
        addresses = Addresses(
            public, {**ports, "dialog": public}, {**ports, "dialog": internal}, "http://127.0.0.1:1", "http://127.0.0.1:1"
        )
        make_keys(folder)
        self.cluster, self.dsn = cluster, cluster.create_role_and_database("dialog")
        environment = service_environment("dialog", addresses, folder, self.dsn, kafka.access)
        self.process = ServiceProcess("dialog", environment, folder / "dialog.log")
        self.backups = Backups(cluster, folder / "backups", folder / "backups.log")
        self.urls = {"dialog": addresses.url("dialog")}
        self._internal = internal

    def start(self) -> None:
        self.process.start()
        self.process.child.wait_until(lambda: status(self._internal, "/readyz") == 200, READY_SECONDS, "ready")

    def restore(self, at: datetime) -> None:
        self.process.stop()
        self.cluster.destroy()
        self.backups.restore(at)

    def operate(self, *words: str) -> list[dict[str, object]]:
        argv = [sys.executable, "-m", "dialog", *words]
        done = subprocess.run(argv, env=self.process.environment, capture_output=True, check=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    async def ask(self, statement: str) -> object:
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def has_told(self) -> None:
        async def nothing_waits() -> bool:
            return await self.ask("select count(*) from outbox") == 0

        await until(nothing_waits, seconds=60)


@pytest.fixture
def dialog(tmp_path):
    cluster = LocalPostgres(tmp_path / "postgres", settings={"wal_level": "replica", "shared_buffers": "24MB"})
    with LocalKafka() as kafka, cluster:
        asyncio.run(ensure_topics(kafka.access))
        agency = Dialog(tmp_path, cluster, kafka)
        agency.start()
        agency.backups.begin()
        yield agency
        agency.process.stop()
        agency.backups.end()
    cluster.stop(delete=True)
    shutil.rmtree(agency.backups.folder.resolve(), ignore_errors=True)


async def test_a_question_deleted_since_stays_deleted_and_what_others_know_is_listed(dialog):
    """INVARIANT: a restore brings back nothing that was deleted, and the service itself says exactly what others know and it doesn't."""
    youth = Youth(dialog.urls)
    keeps, deletes = [await youth.asks("Er det vanlig å ha det sånn?", "body", "13_15", publish=False) for _ in range(2)]
    await dialog.has_told()
    at = await dialog.ask("select clock_timestamp()")
    page = await youth.looks_for_answer(deletes)
    fine(await youth.browser.submit(page.form("/svar/slett")))
    await youth.asks("Og dette?", "body", "13_15", publish=False)
    await dialog.has_told()
    since = {str(row) for row in (await dialog.ask("select array_agg(id) from questions where asked_at is not null"))}

    await asyncio.to_thread(dialog.restore, at)
    assert await dialog.ask("select count(*) from questions") == 2  # the deleted one is back, as nobody was told yet
    listed = await asyncio.to_thread(dialog.operate, "restored")
    before = {str(row) for row in await dialog.ask("select array_agg(id) from questions")}
    assert len(before) == 1
    [new] = since - before
    known = {key["key"]: (key["sequences"], key["types"]) for key in listed if key["topic"] == "dialog.questions.v1"}
    assert known.pop(new) == ([1], ["dialog.question.asked.v1"])
    assert list(known.values()) == [([2, 3], ["dialog.question.withdrawn.v1", "dialog.question.deleted.v1"])]
    waiting = await asyncio.to_thread(dialog.operate, "parked", "list")
    assert [key["key"] for key in waiting if key["topic"] == "dialog.questions.v1"] == [new]  # the deleted one is settled

    await asyncio.to_thread(dialog.start)
    assert (await youth.looks_for_answer(keeps)).status == 200
    assert await dialog.ask("select count(*) from outbox") == 0
    await youth.leaves()

"""INVARIANT: who is asked to end has ended within 10 s, whoever keeps it waiting; what was in hand is rolled back or comes again."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from deploy.kafka.topics import ensure_topics
from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import descendants
from deploy.testing import service_database

MOST_SECONDS = 10.0 + 5.0
"""10 are promised; a machine that does much else gets more."""
SOON_SECONDS = 8.0
"""Where nothing is in hand; seen: 0.3."""
database = service_database("reporting")
info = service_database("info")


@pytest.fixture
def silent_brokers() -> Iterator[str]:
    """Three addresses that take every connection and never say a word."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    held: list[socket.socket] = []

    def take(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                held.append(listener.accept()[0])

    for listener in listeners:
        threading.Thread(target=take, args=(listener,), daemon=True).start()
    yield ",".join(f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners)
    for each in (*listeners, *held):
        each.close()


async def ends(process, most: float = MOST_SECONDS) -> None:
    began = time.monotonic()
    assert await asyncio.to_thread(process.end) == 0
    print(f"ended after {time.monotonic() - began:.1f} s")
    assert time.monotonic() - began < most, process.output.read_text()[-2000:]
    assert process.said("stopped")


async def ready(process) -> None:
    await asyncio.to_thread(process.until, lambda: process.status("/readyz")[0] == 200, "ready")


@pytest.mark.parametrize("verb", ["relay", "consume"])
async def test_while_it_asks_brokers_that_never_answer_whether_it_may_begin(starter, database, silent_brokers, verb):
    process = starter.start("reporting", verb, DATABASE_URL=database.dsn, KAFKA_BOOTSTRAP_SERVERS=silent_brokers)
    await asyncio.to_thread(process.until, lambda: process.status("/livez")[0] == 200, "live")
    await ends(process, most=SOON_SECONDS)


async def test_while_a_restored_database_waits_for_kafka(starter, database):
    async with database.engine.begin() as connection:
        await connection.execute(text("insert into lineages (lineage, noted_at) values ('of another life', now())"))
        await connection.execute(text("delete from lineages where lineage <> 'of another life'"))
    process = starter.start("reporting", "run", DATABASE_URL=database.dsn)
    await asyncio.to_thread(process.until, lambda: process.said("waits for Kafka to mend what was restored"), "waiting for Kafka")
    await ends(process, most=SOON_SECONDS)


async def test_while_a_broker_or_a_database_hangs(starter, info, database, silent_brokers, tmp_path):
    """All at once, since it is mostly waiting: while it connects to a broker, while it reads from one, while its database hangs."""
    one = silent_brokers.partition(",")[0]
    connecting = [starter.start("info", verb, DATABASE_URL=info.dsn, KAFKA_BOOTSTRAP_SERVERS=one) for verb in ("relay", "consume")]
    broker, cluster = LocalKafka(datadir=tmp_path / "kafka"), LocalPostgres(datadir=tmp_path / "postgres")
    with broker, cluster:
        await ensure_topics(broker.bootstrap)
        reading = starter.start("reporting", "run", DATABASE_URL=database.dsn, KAFKA_BOOTSTRAP_SERVERS=broker.bootstrap)
        dsn = cluster.create_role_and_database("identity")
        storing = starter.start("reporting", "run", "--migrate", DATABASE_URL=dsn)
        await asyncio.gather(*map(ready, (*connecting, reading, storing)))
        await asyncio.to_thread(reading.until, lambda: "stegvis_consumer_lag{" in reading.status("/metrics")[1], "reading")
        with frozen(*broker.pids, *descendants([cluster.pid])):
            await asyncio.sleep(2)
            await asyncio.gather(*map(ends, (*connecting, reading, storing)))


@contextlib.contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """They run, hold what they hold, and do nothing."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

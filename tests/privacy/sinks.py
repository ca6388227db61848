"""Everything that the platform writes down, as bytes by place: records, tables, logs, spans, metrics, and the files underneath."""

import asyncio
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from contracts.catalogue import SERVICES, TOPICS

from deploy.kafka.access import Access
from deploy.local.platform import Platform
from deploy.testing.readers import admin, ends_of, is_behind

Row = dict[str, object]
Tables = dict[str, list[Row]]
PENDING = {
    "dialog": ("select from handoff_counts",),
    "identity": ("select from login_tallies",),
    "helpjourney": ("select from border_buckets", "select from notices where sent_at is null and due < now() + interval '10 seconds'"),
}
"""By service: what will be told or sent within seconds, when a bucket is over or a reminder is due."""


START_PAGE = ("data", "gateway", "start")


@dataclass(frozen=True)
class Sinks:
    """One look at everything, taken after a walk."""

    records: list[ConsumerRecord]
    databases: dict[str, Tables]
    """By service; without the bookkeeping of migrations."""
    by_place: dict[str, bytes]
    """`kafka:<topic>`, `database:<service>.<table>`, `log:<part>`, `spans:<service>`, `metrics:<service>`."""
    folder: Path

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every other file of the platform's folder, `files:<path>`: tables and their journals, segments, reminders, keys.

        Not the demo's start page: it lists whom one can log in as, and was written before anybody came.
        """
        for folder, _, names in os.walk(self.folder, followlinks=True):  # a cluster may lie where its own user can reach it
            for path in (Path(folder, name) for name in names):
                place = path.relative_to(self.folder)
                seen = place.parts[0] in ("logs", "traces") or path.suffix in (".index", ".timeindex") or "pattern" in place.parts
                seen = seen or place.parts[: len(START_PAGE)] == START_PAGE
                if not seen and path.is_file() and path.stat().st_size:
                    yield f"files:{place}", path


async def look_at_everything(platform: Platform) -> Sinks:
    """Reads all of it; nothing is changed."""
    records = await every_record(platform.kafka_admin)
    databases = {service: await every_row(platform.dsn(service)) for service in SERVICES}
    topics = {*TOPICS, *(record.topic for record in records)}
    by_place = {f"kafka:{topic}": b"\n".join(_written(record) for record in records if record.topic == topic) for topic in topics}
    for service, tables in databases.items():
        by_place |= {f"database:{service}.{table}": b"\n".join(map(row_as_bytes, rows)) for table, rows in tables.items()}
    by_place |= {f"log:{path.stem}": path.read_bytes() for path in platform.logs.iterdir()}
    by_place |= {f"spans:{path.stem}": path.read_bytes() for path in (platform.folder / "traces").iterdir()}
    async with httpx.AsyncClient(timeout=30) as http:
        for service in SERVICES:
            by_place[f"metrics:{service}"] = (await http.get(platform.internal(service) + "/metrics")).content
    return Sinks(records, databases, by_place, platform.folder)


async def every_record(kafka: Access) -> list[ConsumerRecord]:
    """All records of all topics, also those that the catalogue doesn't know, from the beginning to where they end now."""
    partitions = await _every_partition(kafka)
    consumer = AIOKafkaConsumer(**kafka.aiokafka, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
        return records
    finally:
        await consumer.stop()


async def _every_partition(kafka: Access) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**kafka.aiokafka)
    await admin.start()
    try:
        topics = [topic for topic in await admin.describe_topics() if not topic["topic"].startswith("__")]
        return [TopicPartition(topic["topic"], partition["partition"]) for topic in topics for partition in topic["partitions"]]
    finally:
        await admin.close()


async def every_row(dsn: str) -> Tables:
    """All rows of all tables that a service's role can see, and what the server says that it runs now."""
    connection = await asyncpg.connect(dsn)
    try:
        names = [row["tablename"] for row in await connection.fetch("select tablename from pg_tables where schemaname = 'public'")]
        tables = {name: [dict(row) for row in await connection.fetch(f'select * from "{name}"')] for name in names}
        running = await connection.fetch("select query, application_name from pg_stat_activity")
        return tables | {"pg_stat_activity": [dict(row) for row in running]}
    finally:
        await connection.close()


def row_as_bytes(row: Row) -> bytes:
    """Every column with its name; bytes as they are, all else as text."""
    return b"|".join(name.encode() + b"=" + (value if isinstance(value, bytes) else str(value).encode()) for name, value in row.items())


def mapped(path: Path) -> mmap.mmap:
    """A file as searchable bytes, without reading all of it into memory."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


async def until_quiet(platform: Platform, seconds: float = 30) -> None:
    """Returns when no service has a fact unsent, a bucket unclosed or a record unread: what will be written has been written."""
    deadline = asyncio.get_running_loop().time() + seconds
    async with admin(platform.kafka_admin) as client:
        while waiting := [
            name for name in SERVICES if await _has_work(name, platform.dsn(name)) or await _is_behind_now(name, platform, client)
        ]:
            assert asyncio.get_running_loop().time() < deadline, f"still busy: {waiting}"
            await asyncio.sleep(0.1)


async def _has_work(service: str, dsn: str) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        waiting = ("select from outbox", *PENDING.get(service, ()))
        return any([await connection.fetchval(f"select exists ({rows})") for rows in waiting])
    finally:
        await connection.close()


async def _is_behind_now(service: str, platform: Platform, client: AIOKafkaAdminClient) -> bool:
    return await is_behind(client, service, await ends_of(platform.kafka_admin, [service]))


def _written(record: ConsumerRecord) -> bytes:
    parts = [record.key or b"", record.value or b"", *(name.encode() + b"=" + value for name, value in record.headers)]
    return b"\n".join(parts)

"""Leaves a text where none may be, and takes it away again: so that the search is seen to find it."""

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.platform import Platform

NAME = "handmade"


@contextmanager
def a_line_in(files: list[Path], text: str) -> Iterator[None]:
    """A line at the end of each file, new ones too."""
    before = [path.stat().st_size if path.exists() else None for path in files]
    for path in files:
        with path.open("ab") as file:
            file.write(f'{{"event": "{text}"}}\n'.encode())
    try:
        yield
    finally:
        for path, size in zip(files, before, strict=True):
            _shorten(path, size)


def _shorten(path: Path, size: int | None) -> None:
    if size is None:
        path.unlink()
        return
    with path.open("r+b") as file:
        file.truncate(size)


@asynccontextmanager
async def a_record_with(platform: Platform, text: str) -> AsyncIterator[None]:
    """A record of a topic that the catalogue doesn't know, with the text in base64 in a header."""
    admin = AIOKafkaAdminClient(**platform.kafka_admin.aiokafka)
    producer = AIOKafkaProducer(**platform.kafka_admin.aiokafka)
    await admin.start()
    await producer.start()
    try:
        await admin.create_topics([NewTopic(NAME, 1, 1)])
        await producer.send_and_wait(NAME, b"{}", headers=[("note", base64.b64encode(b"1" + text.encode()))])
        yield
    finally:
        await admin.delete_topics([NAME])
        await producer.stop()
        await admin.close()


@asynccontextmanager
async def a_row_with(dsn: str, text: str) -> AsyncIterator[None]:
    """A row of a new table, with the text as hexadecimal characters inside bytes."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"create table {NAME} (note bytea)")
        await connection.execute(f"insert into {NAME} values ($1)", text.encode().hex().encode())
        yield
    finally:
        await connection.execute(f"drop table {NAME}")
        await connection.close()

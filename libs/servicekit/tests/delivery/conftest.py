"""A small publisher and a small reader on the tables of the plumbing: articles are withdrawn here and counted there."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import pytest
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import OFFSET_END
from confluent_kafka import TopicPartition as KafkaPosition
from confluent_kafka.admin import AdminClient
from contracts.catalogue import TOPICS
from contracts.info import ArticleWithdrawn
from servicekit.database import create_engine, driver_dsn
from servicekit.delivery.outbox import UnitOfWork
from servicekit.settings import ServiceSettings
from sqlalchemy import text

from deploy.kafka.access import Access
from deploy.testing import Database, Templates
from deploy.testing.databases import Prepare, opened
from deploy.testing.plumbing import prepare_plumbing

TABLES = (
    "create table articles (id uuid primary key, told integer not null)",
    "create table effects (id uuid primary key, times integer not null, last_sequence bigint not null, inversions integer not null)",
)
COUNT = text(
    """insert into effects values (:id, 1, :sequence, 0) on conflict (id) do update set times = effects.times + 1,
    inversions = effects.inversions + (case when excluded.last_sequence = effects.last_sequence + 1 then 0 else 1 end),
    last_sequence = excluded.last_sequence"""
)


class Articles:
    """Both ends: telling that an article was withdrawn (again and again), and what a reader does with it."""

    def __init__(self) -> None:
        self.failing: Callable[[UUID], Exception | None] = lambda _: None
        """Lets the reader fail for some articles."""

    async def create(self, database: Database, count: int = 1) -> list[UUID]:
        ids = [uuid4() for _ in range(count)]
        async with database.engine.begin() as connection:
            await connection.execute(text("insert into articles select unnest(cast(:ids as uuid[])), 0"), {"ids": ids})
        return ids

    async def withdraw(self, uow: UnitOfWork, article: UUID) -> int:
        statement = text("update articles set told = told + 1 where id = :id returning told")
        told: int = (await uow.connection.execute(statement, {"id": article})).scalar_one()
        uow.tell(ArticleWithdrawn(publication_id=article), key=article, sequence=told)
        return told

    async def on_withdrawn(self, event: ArticleWithdrawn, uow: UnitOfWork) -> None:
        if error := self.failing(event.publication_id):
            raise error
        assert uow.received is not None
        await uow.connection.execute(COUNT, {"id": event.publication_id, "sequence": uow.received.sequence})

    async def effects(self, database: Database, article: UUID) -> tuple[int, int] | None:
        """How often the article's events had an effect, and how many came out of order."""
        async with database.engine.connect() as connection:
            row = (await connection.execute(text("select times, inversions from effects where id = :id"), {"id": article})).first()
        return (row.times, row.inversions) if row else None


class Log:
    """What a topic got since the test began."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.sequences: dict[str, list[int]] = defaultdict(list)
        self.records = []

    async def read(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=100, max_records=5000)).values():
            for record in records:
                headers = dict(record.headers)
                self.records.append(record)
                self.sequences[record.key.decode()].append(int(headers.get("ce_sequence", b"0")))

    async def has(self, key: object, sequences: list[int]) -> bool:
        await self.read()
        return self.sequences[str(key)] == sequences


@pytest.fixture
async def log(kafka):
    consumer = AIOKafkaConsumer(**kafka.access("reporting").aiokafka)
    await consumer.start()
    consumer.assign([TopicPartition(ArticleWithdrawn.topic, number) for number in range(TOPICS[ArticleWithdrawn.topic].partitions)])
    await consumer.seek_to_end()
    for partition in consumer.assignment():
        await consumer.position(partition)
    yield Log(consumer)
    await consumer.stop()


@pytest.fixture(autouse=True)
def plain_tracebacks() -> None:
    """Structlog's default draws tracebacks with the values of all variables; that stops the event loop for seconds."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )


@pytest.fixture(autouse=True)
def empty_topic(request: pytest.FixtureRequest) -> None:
    """No record of an earlier test is left: some of them write what can't be read, and a new group reads from the start."""
    if "kafka" not in request.fixturenames:
        return
    admin = AdminClient(request.getfixturevalue("kafka").admin.librdkafka)
    topic = ArticleWithdrawn.topic
    everything = [KafkaPosition(topic, number, OFFSET_END) for number in range(TOPICS[topic].partitions)]
    for deleted in admin.delete_records(everything, request_timeout=30).values():
        deleted.result()


@pytest.fixture
def articles() -> Articles:
    return Articles()


async def _prepare(dsn: str) -> None:
    await prepare_plumbing(dsn)
    engine = create_engine(dsn, "prepare")
    async with engine.begin() as connection:
        for statement in TABLES:
            await connection.execute(text(statement))
    await engine.dispose()


@pytest.fixture
def prepare() -> Prepare:
    """Makes the tables in an empty database."""
    return _prepare


@pytest.fixture
async def database(templates: Templates) -> AsyncIterator[Database]:
    """The publisher's database."""
    async with templates.copy("articles", _prepare) as dsn, opened("info", dsn) as fresh:
        yield fresh


@pytest.fixture
async def reader(templates: Templates) -> AsyncIterator[Database]:
    """The reader's database."""
    async with templates.copy("articles", _prepare) as dsn, opened("reporting", dsn) as fresh:
        yield fresh


@dataclass(frozen=True)
class Running:
    """A part that runs beside the test."""

    part: object
    task: asyncio.Task[None]
    stop: asyncio.Event


@pytest.fixture
def take_writes() -> Callable[[Database, bool], Awaitable[None]]:
    """Has a database take writes, or none, of those who connect from now on."""

    async def take(database: Database, writes: bool) -> None:
        name, how = database.dsn.rpartition("/")[2], "off" if writes else "on"
        connection = await asyncpg.connect(driver_dsn(database.dsn), server_settings={"default_transaction_read_only": "off"})
        await connection.execute(f'alter database "{name}" set default_transaction_read_only = {how}')
        await connection.close()

    return take


def settings_for(dsn: str, kafka: Access | str = "127.0.0.1:1") -> ServiceSettings:
    access = Access(kafka) if isinstance(kafka, str) else kafka
    return ServiceSettings(database_url=dsn, **{name.lower(): value for name, value in access.environment.items()})


@pytest.fixture
def settings() -> Callable[..., ServiceSettings]:
    return settings_for


@pytest.fixture
def running() -> Callable[..., AbstractAsyncContextManager[Running]]:
    """Runs a relay or a consumer until the block ends; `hard=True` cancels it instead of stopping it."""

    @asynccontextmanager
    async def run(part: object, *, hard: bool = False) -> AsyncIterator[Running]:
        stop = asyncio.Event()
        task = asyncio.create_task(part.run(stop))  # type: ignore[attr-defined]
        try:
            yield Running(part, task, stop)
        finally:
            if hard:
                task.cancel()
            stop.set()
            await asyncio.wait({task}, timeout=20)
            if not task.cancelled():
                task.result()

    return run

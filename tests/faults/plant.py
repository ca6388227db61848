"""The real plumbing on a real PostgreSQL and a hostile bus: commands, relays, a reader and timers, each step taken when a test says so.

A death is an exception that nobody catches: open transactions roll back, what was committed stays, memory is gone.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from contracts.info import ArticleWithdrawn
from servicekit import crash, idempotency, timers
from servicekit.database import create_engine
from servicekit.delivery import consumer as consuming
from servicekit.delivery import outbox, replay
from servicekit.delivery import relay as relaying
from servicekit.delivery.outbox import UnitOfWork
from servicekit.delivery.parking import Decision
from servicekit.settings import ServiceSettings
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from deploy.testing import Standstill
from deploy.testing.plumbing import prepare_plumbing
from tests.faults.bus import Bus, BusConsumer
from tests.faults.ledger import Findings, Ledger, Phase, World, check

HEALING_SECONDS = 12.0
TABLES = (
    "create table articles (id uuid primary key, told integer not null)",
    "create table acts (command text not null)",
    "create table effects (position bigint generated always as identity, key text not null, sequence bigint not null)",
)
OF_READER = ("inbox", "inbox_keys", "parked_events", "effects")
REFUSE_COMMITS = (
    "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$",
    "create constraint trigger refuse after insert on acts deferrable initially deferred for each row execute function refuse()",
)
TELL = text("update articles set told = told + 1 where id = :id returning told")


class Killed(BaseException):
    """The process died here."""


class RefusedError(Exception):
    """The command was refused after it had begun to write."""


async def prepare(dsn: str) -> None:
    """Fills an empty database; both ends have the same tables."""
    await prepare_plumbing(dsn)
    engine = create_engine(dsn, "prepare")
    async with engine.begin() as connection:
        for statement in TABLES:
            await connection.execute(text(statement))
    await engine.dispose()


def die() -> None:
    raise Killed


async def nothing() -> None: ...


class Plant:
    """One publisher (`info`), any number of its relays and timers, and one reader (`reporting`)."""

    def __init__(self, publisher: str, reader: str, stack: AsyncExitStack) -> None:
        self.bus, self.ledger = Bus(), Ledger()
        self._dsn, self._stack = publisher, stack
        self._engine, self._reader_engine = create_engine(publisher, "info"), create_engine(reader, "reporting")
        stack.push_async_callback(self._engine.dispose)
        stack.push_async_callback(self._reader_engine.dispose)
        self._begin = outbox.beginner(self._engine, "info")
        self._begin_reading = outbox.beginner(self._reader_engine, "reporting")
        self._relays: dict[str, tuple[relaying.Relay, asyncpg.Connection]] = {}
        self._committed: dict[Any, int] = {}
        self.failing: set[str] = set()
        """Keys for which the reader's handler fails."""
        self._new_reader()

    # The publisher

    async def articles(self, count: int) -> list[UUID]:
        ids = [uuid4() for _ in range(count)]
        async with self._engine.begin() as connection:
            await connection.execute(text("insert into articles select unnest(cast(:ids as uuid[])), 0"), {"ids": ids})
        return ids

    async def command(
        self, name: str, article: UUID, *, before_commit: Callable[[], Awaitable[None]] = nothing, refused: bool = False
    ) -> None:
        """One try of a client: a door with an idempotency key, as the services' are."""
        self._note(name, Phase.INVOKE)

        async def act() -> dict[str, str]:
            sequence = (await uow.connection.execute(TELL, {"id": article})).scalar_one()
            await uow.connection.execute(text("insert into acts values (:name)"), {"name": name})
            uow.tell(ArticleWithdrawn(publication_id=article), key=article, sequence=sequence)
            return {}

        try:
            async with self._begin() as uow:
                await idempotency.once(uow, name.encode(), b"the same", act)
                await uow.flush()
                await before_commit()
                if refused:
                    raise RefusedError
        except RefusedError:
            self._note(name, Phase.FAIL)
        except Killed:
            self._note(name, Phase.UNKNOWN)
        except DBAPIError:
            self._note(name, Phase.UNKNOWN)
            raise
        else:
            self._note(name, Phase.OK)

    async def refuse_commits(self) -> None:
        """From now on the database takes all that a command writes, and fails when it is to be committed."""
        async with self._engine.begin() as connection:
            for statement in REFUSE_COMMITS:
                await connection.execute(text(statement))

    async def relay(self, name: str = "one") -> int:
        """One round of a relay; 0 also when it died. A relay that died comes back with nothing in its memory."""
        if name not in self._relays:
            connection = await asyncpg.connect(self._dsn)
            self._stack.callback(connection.terminate)
            settings = ServiceSettings(database_url=self._dsn)
            self._relays[name] = relaying.Relay(settings), connection
        relay, connection = self._relays[name]
        try:
            return await relay.round(connection)
        except Killed:
            del self._relays[name]
            connection.terminate()
            return 0

    async def tick(self, name: str) -> None:
        """Makes a timer due that must act once."""
        async with self._begin() as uow:
            uow.schedule("tick", await uow.now(), UUID(int=hash(name) & 2**64 - 1))

    async def run_timers(self, replicas: int = 1) -> None:
        async def act(uow: UnitOfWork, subject: UUID | None) -> None:
            await uow.connection.execute(text("insert into acts values (:name)"), {"name": f"tick {subject}"})
            await asyncio.sleep(0.2)

        await asyncio.gather(*(timers.run_due(self._begin, {"tick": act}) for _ in range(replicas)))

    # The reader

    def _new_reader(self) -> None:
        settings = ServiceSettings(database_url=self._dsn)
        self._consumer = consuming.Consumer("reporting", settings, self._begin_reading, {ArticleWithdrawn: self._apply})
        self._member = BusConsumer(self.bus, self._committed)

    async def _apply(self, event: ArticleWithdrawn, uow: UnitOfWork) -> None:
        assert uow.received is not None
        if str(event.publication_id) in self.failing:
            raise ValueError("the handler can't")
        row = {"key": str(event.publication_id), "sequence": uow.received.sequence}
        await uow.connection.execute(text("insert into effects (key, sequence) values (:key, :sequence)"), row)

    async def read(self, most: int = 500) -> None:
        """One batch, or the reader's death in it: then it comes back where it has committed."""
        if batch := self._member.poll(most):
            try:
                await self._consumer._consume(self._member, batch)
            except Killed:
                self._new_reader()

    def lose_the_group(self) -> None:
        """The reader's offsets are gone: all comes again."""
        self._committed.clear()
        self._new_reader()

    async def back_up_the_reader(self) -> None:
        """Keeps what the reader's database holds now."""
        await self._on_reader(*(f"create table saved_{table} as table {table}" for table in OF_READER))

    async def restore_the_reader(self) -> None:
        """The database is as it was when it was backed up; Kafka, and what the reader told Kafka of its offsets, went on."""
        for table in OF_READER:
            await self._on_reader(f"delete from {table}", f"insert into {table} overriding system value table saved_{table}")
        self._new_reader()

    async def retry_parked(self) -> None:
        """A person has every parked key tried again."""
        for key in (await self.world()).parked:
            place = (ArticleWithdrawn.topic or "", key)
            decision, stops_at = Decision("test", "restored"), replay.UNFINISHED
            while stops_at == replay.UNFINISHED:
                outcome = await replay.retry(self._begin_reading, "reporting", place, {ArticleWithdrawn: self._apply}, decision)
                stops_at = outcome.stops_at

    async def _on_reader(self, *statements: str) -> None:
        async with self._reader_engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))

    # The end

    async def heal(self) -> Findings:
        """Nothing fails any more: relay and read until all is quiet, then look."""
        crash.arm(None)
        self.bus.plan.clear()
        began = time.monotonic()
        with Standstill() as still:
            while time.monotonic() - began - still.seconds < HEALING_SECONDS:
                moved = await self.relay()
                await self.read()
                if not moved and not self._member.behind and not await self._count("select count(*) from outbox"):
                    break
                await asyncio.sleep(0 if moved else 0.03)
        return check(self.ledger, await self.world())

    async def world(self) -> World:
        """What is there now."""
        effects: dict[str, list[int]] = defaultdict(list)
        for row in await self._rows(self._reader_engine, "select key, sequence from effects order by position"):
            effects[row.key].append(row.sequence)
        told = {str(row.id): row.told for row in await self._rows(self._engine, "select id, told from articles")}
        parked = await self._rows(self._reader_engine, "select key, min(sequence) as first from parked_events group by key")
        acts = await self._rows(self._engine, "select command, count(*) as times from acts group by command")
        return World(
            acts={row.command: row.times for row in acts},
            told=told,
            log=self.bus.by_key(),
            effects={key: effects[key] for key in told},
            parked={row.key: row.first for row in parked},
            waiting=await self._count("select count(*) from outbox"),
        )

    async def _count(self, statement: str) -> int:
        return (await self._rows(self._engine, statement))[0][0]

    async def _rows(self, engine: Any, statement: str) -> Any:
        async with engine.connect() as connection:
            return (await connection.execute(text(statement))).all()

    def _note(self, command: str, phase: Phase) -> None:
        self.ledger.note(command, phase, time.monotonic())


Scenario = Callable[[Plant], Awaitable[None]]

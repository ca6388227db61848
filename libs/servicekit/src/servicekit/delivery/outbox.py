"""Facts are written beside the state that makes them true, in the same transaction."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.catalogue import TOPICS, ZONES, Topic
from contracts.event import Envelope, Event
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from servicekit import crash
from servicekit.crash import Place
from servicekit.deletions import Ledger
from servicekit.delivery.record import Received

CHANNEL = "outbox"
"""NOTIFY on this channel wakes the relay when the transaction commits."""

LARGEST_VALUE = 200_000
"""Bytes of one fact's data. Topics take records of 256 kB with key and headers."""

_NOW = text("select transaction_timestamp()")
_TELL = """with told as (
      insert into outbox (topic, key, headers, value, time)
      select topic, key, cast(headers as jsonb)
        || jsonb_build_object('ce_time', to_char(time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        || coalesce((
          select jsonb_build_object('ce_sequence', cast(cast(cast(headers as jsonb) ->> 'ce_sequence' as bigint) + renumbered.by as text))
          from renumbered where renumbered.topic = fact.topic and renumbered.key = fact.key), '{}'), value, time
      from unnest((select $1::text[]), (select $2::text[]), (select $3::text[]), (select $4::bytea[]), (select $5::int[]))
             with ordinality as fact(topic, key, headers, value, precision, number),
        date_bin(precision * interval '1 second', transaction_timestamp() + $6::interval, 'epoch') as time
      order by number)
    select pg_notify('outbox', '')"""
"""Also rounds the time down as the topic asks: to read it first would cost every command a round trip. A key that was told further
in a future that a restore took away goes on behind that. The arrays stand in selects of their own so that the plan doesn't depend on their
length: else it is made anew for each command, which takes longer than carrying it out. It goes to the driver as it stands: every command
pays for what SQLAlchemy would do with it."""
_FILLED_IN = datetime.fromtimestamp(0, UTC)
_SCHEDULE = text(
    """insert into timers (kind, subject, due_at)
    select kind, subject, due_at from unnest(cast(:kinds as text[]), cast(:subjects as uuid[]), cast(:dues as timestamptz[]))
      as timer(kind, subject, due_at)
    order by kind, subject
    on conflict (kind, subject) do update set due_at = excluded.due_at, attempts = 0"""
)
_UNSCHEDULE = text(
    """delete from timers using unnest(cast(:kinds as text[]), cast(:subjects as uuid[])) as gone(kind, subject)
    where timers.kind = gone.kind and timers.subject = gone.subject"""
)
_trace_context = TraceContextTextMapPropagator()


class NotTheOwnerError(Exception):
    """A service tried to tell a fact on a topic that isn't its own, or that isn't the topic of the fact."""


class FactTooLargeError(Exception):
    """A fact is larger than its topic takes: the command must fail now, not its fact later."""


@dataclass(frozen=True, slots=True)
class _Fact:
    topic: Topic
    key: UUID
    sequence: int
    event: Event
    causation_id: UUID | None
    trace: dict[str, str]


WriteTotals = Callable[[AsyncConnection, Mapping[Any, int]], Awaitable[None]]
"""Writes totals, by key, in the transaction in which they were added up."""


class UnitOfWork:
    """One transaction. What is told or scheduled here happens if, and only if, it commits. Handlers never commit."""

    def __init__(self, connection: AsyncConnection, source: str, clock_offset: timedelta = timedelta(0)) -> None:
        self.connection = connection
        self.received: Received | None = None
        """The event in hand; only in event handlers."""
        self.tells = False
        """Whether facts were written."""
        self._source = source
        self._clock_offset = clock_offset
        self._now: datetime | None = None
        self._facts: list[_Fact] = []
        self._timers: dict[tuple[str, UUID | None], datetime | None] = {}
        self._totals: defaultdict[WriteTotals, Counter[Any]] = defaultdict(Counter)
        self.deleted: defaultdict[str, set[UUID]] = defaultdict(set)
        """What must stay away when an older state of the database is restored, by kind."""
        self._deleting: list[tuple[str, UUID]] = []

    async def now(self) -> datetime:
        """The database's time at the start of the transaction, UTC, plus CLOCK_OFFSET_SECONDS."""
        if self._now is None:
            began: datetime = (await self.connection.execute(_NOW)).scalar_one()
            self._now = began.astimezone(UTC) + self._clock_offset
        return self._now

    @property
    def clock_offset(self) -> timedelta:
        """CLOCK_OFFSET_SECONDS, for statements that take the time themselves."""
        return self._clock_offset

    def began(self, now: datetime) -> None:
        """A statement has already brought what `now` would ask for."""
        self._now = now.astimezone(UTC)

    def tell(self, event: Event, *, key: UUID, sequence: int, topic: str | None = None) -> None:
        """Queue a fact about one aggregate that this transaction has locked or version-checked.

        `sequence` is the aggregate's new count of told facts (1, 2, 3 ...), kept on its own row. `topic` only where the event
        class names none. Raises NotTheOwnerError.
        """
        row = TOPICS.get(event.topic or topic or "")
        if row is None or row.owner != self._source or topic not in (None, row.name):
            raise NotTheOwnerError(event.type)
        if sequence < 1:
            raise ValueError("sequences begin at 1")
        cause: UUID | None = None
        trace: dict[str, str] = {}
        if row.stays_in_zone:
            _trace_context.inject(trace)
            trace.pop("tracestate", None)
            if self.received and ZONES.get(self.received.source) is ZONES[self._source]:
                cause = self.received.id
        self._facts.append(_Fact(row, key, sequence, event, cause, trace))

    def forget(self, kind: str, subject: UUID) -> None:
        """Note that this transaction deletes something for good: the ledger outside the database has it before the commit."""
        self._deleting.append((kind, subject))

    def schedule(self, kind: str, due: datetime, subject: UUID | None = None) -> None:
        """Have the timer `kind` run for `subject` at `due`; scheduling it again moves it."""
        self._timers[kind, subject] = due

    def unschedule(self, kind: str, subject: UUID) -> None:
        """Forget the timer, if there is one."""
        self._timers[kind, subject] = None

    def add_up(self, write: WriteTotals, key: Hashable, number: int) -> None:
        """Add `number` to the total of `key`. `write` gets all its totals at once, so that many events cost one statement."""
        self._totals[write][key] += number

    async def flush(self) -> None:
        """Write what was told, scheduled and added up, and count what was deleted. The door's context does this before it commits."""
        if self._facts:
            await self._write_facts()
        if self._timers:
            await self._write_timers()
        if self._totals:
            await self._write_totals()
        for kind, subject in self._deleting:
            self.deleted[kind].add(subject)
        self._deleting.clear()

    def discard(self) -> None:
        """Forget what was told, scheduled, added up and deleted since the last flush: its savepoint was rolled back."""
        self._deleting.clear()
        self._totals.clear()
        self._facts.clear()
        self._timers.clear()

    async def _write_facts(self) -> None:
        facts, self._facts = self._facts, []
        values = [fact.event.model_dump_json().encode() for fact in facts]
        if any(len(value) > LARGEST_VALUE for value in values):
            raise FactTooLargeError
        columns = (
            [fact.topic.name for fact in facts],
            [str(fact.key) for fact in facts],
            [json.dumps(self._headers(fact)) for fact in facts],
            values,
            [int(fact.topic.precision) for fact in facts],
        )
        crash.reach(Place.COMMAND_WRITTEN)
        await self.connection.exec_driver_sql(_TELL, (*columns, self._clock_offset))
        self.tells = True

    def _headers(self, fact: _Fact) -> dict[str, str]:
        return Envelope(uuid4(), fact.event.type, self._source, _FILLED_IN, fact.sequence, fact.causation_id).headers() | fact.trace

    async def _write_totals(self) -> None:
        totals, self._totals = self._totals, defaultdict(Counter)
        for write, numbers in totals.items():
            await write(self.connection, numbers)

    async def _write_timers(self) -> None:
        timers, self._timers = self._timers, {}
        gone = [timer for timer, due in timers.items() if due is None]
        due = [(*timer, due) for timer, due in timers.items() if due is not None]
        if gone:
            await self.connection.execute(_UNSCHEDULE, {"kinds": [kind for kind, _ in gone], "subjects": [subject for _, subject in gone]})
        if due:
            kinds, subjects, dues = zip(*due, strict=True)
            await self.connection.execute(_SCHEDULE, {"kinds": list(kinds), "subjects": list(subjects), "dues": list(dues)})


Begin = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
"""Opens a transaction: `async with begin() as uow`. The door does this, never a handler."""


def beginner(engine: AsyncEngine, source: str, clock_offset: timedelta = timedelta(0), ledger: Ledger | None = None) -> Begin:
    """How the service `source` opens its transactions. Without a ledger, deletions are noted nowhere: for tests and for restores."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with engine.begin() as connection:
            uow = UnitOfWork(connection, source, clock_offset)
            crash.reach(Place.COMMAND_BEGUN)
            yield uow
            await uow.flush()
            if uow.deleted and ledger is not None:
                await asyncio.to_thread(ledger.note, uow.deleted)
            if uow.tells:
                crash.reach(Place.COMMAND_TOLD)
        if uow.tells:
            crash.reach(Place.COMMAND_COMMITTED)

    return begin

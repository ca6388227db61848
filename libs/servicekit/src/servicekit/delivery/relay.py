"""Moves committed facts to Kafka, in order per key. A row that exists is unsent.

One relay leads at a time, by a lock in the transaction that deletes; the others stand by. What was sent is deleted only when every
in-sync replica has it, so a crash may repeat facts, in their order, and never skips one. A key stops at its first failure.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer

from servicekit import crash
from servicekit.crash import Place
from servicekit.database import driver_dsn, server_settings
from servicekit.delivery import metrics
from servicekit.delivery.kafka_access import client_options
from servicekit.delivery.lanes import Fact, Outcome, abandon, create_producer, send
from servicekit.delivery.lineage import ACCEPTED
from servicekit.delivery.outbox import CHANNEL
from servicekit.delivery.parking import FREE
from servicekit.settings import ServiceSettings

WINDOW = 2000
"""Facts looked at in one round."""
POLL = 1.0
"""Seconds between two looks when nothing wakes the relay; NOTIFY does at once."""
ROUND_SECONDS = 8.0
"""After this time a round gives up what isn't acknowledged: its transaction must not stay open while Kafka is away."""
IDLE_LIMIT_MS = 30_000
"""A relay that is frozen inside a round loses its lead after this time."""
FIRST_BACK_OFF, LONGEST_BACK_OFF = 0.2, 30.0
LATE_BACK_OFF = 2.0
RECONNECT_AT_MOST = 5.0
LIVE_SECONDS = 60.0

log = structlog.get_logger("relay")

SLOTS = 16
"""Keys are hashed to so many slots; a shard leads with the locks of all its slots, so that relays with other shard counts keep away."""

_READ_ONLY = "current_setting('transaction_read_only')::boolean"
_LEAD = f"""select case when not {_READ_ONLY} then coalesce(bool_and(pg_try_advisory_xact_lock(hashtext('stegvis/relay'), slot)), false) end
from generate_series($2::int, $3::int - 1, $1::int) as slot"""  # noqa: S608 - ours
"""NULL: nothing can be forgotten here."""
_NEXT = f"""select position, topic, key, headers, value, time from outbox
where ($1 = 1 or (hashtext(key)::bigint + 2147483648) % $1 = $2) and (topic || ' ' || key) <> all ($3::text[]) and {FREE}
order by position limit $4"""  # noqa: S608 - both parts are ours
_FORGET = """with gone as (delete from outbox where position = any ($1::bigint[]))
insert into relayed as known (topic, partition, "offset")
select * from unnest($2::text[], $3::int[], $4::bigint[]) as reached(topic, partition, "offset") order by topic, partition
on conflict (topic, partition) do update set "offset" = excluded."offset" where excluded."offset" > known."offset\""""


class ReadOnlyError(Exception):
    """Nothing can be forgotten here: the same facts would be sent again and again. A new connection may be able to, when the time comes."""


class NotAcceptedError(Exception):
    """The database was restored under this process: nothing is told before a new start has made it fit (`servicekit.restored`)."""


@dataclass(slots=True)
class _Hold:
    until: float
    delay: float


class Relay:
    """The relay of one service, or of one of its shards: those keys whose hash leaves `shard` when divided by `shards`."""

    def __init__(self, settings: ServiceSettings, *, shard: int = 0, shards: int = 1) -> None:
        if SLOTS % shards or not 0 <= shard < shards:
            raise ValueError(f"shards must divide {SLOTS}, and a shard be one of them")
        self._settings = settings
        self._shard, self._shards = shard, shards
        self._held: dict[str, _Hold] = {}
        self._careful: set[tuple[str, int]] = set()
        self._producer: AIOKafkaProducer | None = None
        self._more = False
        """The last round left facts that another one may take at once: nothing will wake it for them."""
        self._last_look = time.monotonic()

    async def is_live(self) -> bool:
        """The relay still looks, whether or not the database and Kafka answer."""
        return time.monotonic() - self._last_look < LIVE_SECONDS

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until `stop` is set, through restarts of the database and of Kafka; then finish the round in hand."""
        delay = FIRST_BACK_OFF
        try:
            while not stop.is_set():
                try:
                    async with self._connected() as (connection, woken):
                        delay = FIRST_BACK_OFF
                        await self._relay(connection, woken, stop)
                except Exception as error:  # a connection that breaks shows as more than network errors
                    log.warning("relay waits", seconds=round(delay, 1), exc_info=error)
                    self._last_look = time.monotonic()
                    await _wait(stop, delay * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
                    delay = min(delay * 2, RECONNECT_AT_MOST)
        finally:
            if self._producer is not None:
                await abandon(self._producer)

    async def _relay(self, connection: asyncpg.Connection, woken: asyncio.Event, stop: asyncio.Event) -> None:
        ending = asyncio.create_task(stop.wait())
        ending.add_done_callback(lambda _: woken.set())
        try:
            while not stop.is_set():
                woken.clear()
                self._last_look = time.monotonic()
                await self.round(connection)
                if not self._more:
                    await _wait(woken, POLL)
        finally:
            ending.cancel()

    async def round(self, connection: asyncpg.Connection) -> int:
        """Send the oldest facts and forget those that are acknowledged. Returns how many; 0 also when another relay leads."""
        producer, self._more = await self._ready_producer(), False
        async with connection.transaction():
            leads = await connection.fetchval(_LEAD, self._shards, self._shard, SLOTS)
            if leads is None:
                raise ReadOnlyError
            if not leads:
                return 0
            rows = await connection.fetch(_NEXT, self._shards, self._shard, self._waiting(), WINDOW)
            if not rows:
                return 0
            crash.reach(Place.RELAY_CLAIMED)
            outcome = await send(producer, list(map(Fact._make, rows)), self._careful, ROUND_SECONDS)
            crash.reach(Place.RELAY_ACKED)
            await self._learn(outcome)  # while it leads, and whatever becomes of its connection: a broken producer sends nothing later
            topics, partitions = [topic for topic, _ in outcome.reached], [partition for _, partition in outcome.reached]
            await connection.execute(_FORGET, outcome.acked, topics, partitions, list(outcome.reached.values()))
            crash.reach(Place.RELAY_DELETED)
        crash.reach(Place.RELAY_COMMITTED)
        acked = set(outcome.acked)
        for topic, count in Counter(row["topic"] for row in rows if row["position"] in acked).items():
            metrics.relayed.labels(topic).inc(count)
        self._more = bool(outcome.careful) or (bool(outcome.acked) and len(rows) == WINDOW)
        return len(outcome.acked) + len(outcome.careful)

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = create_producer(client_options(self._settings))
            try:
                await producer.start()
            except BaseException:
                await abandon(producer)
                raise
            self._producer = producer
        return self._producer

    async def _learn(self, outcome: Outcome) -> None:
        now = time.monotonic()
        for place in outcome.held:
            delay = min(self._held[place].delay * 2, LONGEST_BACK_OFF) if place in self._held else FIRST_BACK_OFF
            self._held[place] = _Hold(now + delay, delay)
        for place in outcome.late:
            self._held[place] = _Hold(now + LATE_BACK_OFF, FIRST_BACK_OFF)
        for place in [place for place, hold in self._held.items() if hold.until + 2 * LONGEST_BACK_OFF < now]:
            del self._held[place]
        self._careful = outcome.careful or (self._careful if outcome.held else set())
        if outcome.broken and self._producer is not None:
            broken, self._producer = self._producer, None
            await abandon(broken)

    def _waiting(self) -> list[str]:
        now = time.monotonic()
        return [place for place, hold in self._held.items() if hold.until > now]

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncpg.Connection, asyncio.Event]]:
        """One connection that works and listens; `woken` is set when facts were committed, and when the connection is lost.

        It forgets without waiting for the disk: after a crash of the database some facts of the last second are there again and sent
        again, as after any crash of a relay.
        """
        own = server_settings("relay") | {"idle_in_transaction_session_timeout": str(IDLE_LIMIT_MS), "synchronous_commit": "off"}
        connection = await asyncpg.connect(driver_dsn(self._settings.dsn), server_settings=own, timeout=5)
        woken = asyncio.Event()
        try:
            if not await connection.fetchval(ACCEPTED):
                raise NotAcceptedError
            if await connection.fetchval(f"select {_READ_ONLY}"):
                raise ReadOnlyError
            await connection.add_listener(CHANNEL, lambda *_: woken.set())
            connection.add_termination_listener(lambda *_: woken.set())
            yield connection, woken
        finally:
            connection.terminate()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)

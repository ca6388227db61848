"""A handoff from the youth's act in dialog to the committed offer in helpjourney, beside the least that could carry it."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from contracts.codes import TopicCode, Urgency
from contracts.dialog import HandoffOffered
from dialog.domain.handoffs import Life
from dialog.handlers.handoffs import ClaimSecret, OfferHandoff, offer_handoff
from helpjourney.consumers import HANDLERS
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.inbox import Handlers
from servicekit.delivery.outbox import Begin, UnitOfWork
from servicekit.delivery.relay import Relay

from bench.delivery.parts import Parts, connected
from bench.results import Progress, Result, percentile

P50, LATE = "handoff, command to effect, p50", "handoff, command to effect, p99"
PER_SECOND, HANDOFFS, FLOORS = 50, 500, 300
FLOOR_TOPIC = "bench.floor"
WARM_UP = 25
SEALED = secrets.token_urlsafe(4096)
"""As long as a padded and sealed summary."""

_STATE = "insert into bench_state values ($1, $2)"
_TABLE = "create table if not exists bench_state (id uuid primary key, what text)"


class Clock:
    """When helpjourney's transactions had committed, by handoff."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._applied: list[UUID] = []
        self.committed: dict[UUID, float] = {}

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """As helpjourney's own, timed."""
        async with self._begin() as uow:
            yield uow
        applied, self._applied = self._applied, []
        self.committed |= dict.fromkeys(applied, time.perf_counter())

    async def on_offered(self, event: HandoffOffered, uow: UnitOfWork) -> None:
        """Helpjourney's own handler, noted."""
        await HANDLERS[HandoffOffered](event, uow)
        self._applied.append(event.handoff_id)


async def _offers(begin: Begin, count: int) -> dict[UUID, float]:
    """Commands at an even pace, however long each takes; when each began."""
    began: dict[UUID, float] = {}
    start = time.perf_counter()

    async def offer(number: int) -> None:
        await asyncio.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
        at = time.perf_counter()
        secret = ClaimSecret(secrets.token_bytes(32))
        command = OfferHandoff(secret, TopicCode("mental_health"), next(iter(Urgency)), Life.HOURS_24, ("Jeg vil snakke med noen.",))
        async with begin() as uow:
            handoff = await offer_handoff(command, uow, lambda _summary, _secret: SEALED, 3600)
        began[handoff.id] = at

    await asyncio.gather(*(offer(number) for number in range(count)))
    return began


async def _through(parts: Parts, stack: AsyncExitStack) -> list[float]:
    dialog = await stack.enter_async_context(parts.database("dialog"))
    helpjourney = await stack.enter_async_context(parts.database("helpjourney"))
    clock, stop = Clock(helpjourney.begin), asyncio.Event()
    handlers: Handlers = {**HANDLERS, HandoffOffered: clock.on_offered}
    settings = parts.settings("helpjourney", helpjourney.dsn)
    consumer = Consumer("helpjourney", settings, clock.begin, handlers, group=f"bench-{uuid4().hex[:8]}")
    relay = Relay(dialog.engine, parts.settings("dialog", dialog.dsn))
    tasks = [asyncio.create_task(part.run(stop)) for part in (consumer, relay)]
    try:
        await _all_there(await _offers(dialog.begin, WARM_UP), clock)
        began = await _offers(dialog.begin, HANDOFFS)
        await _all_there(began, clock)
    finally:
        stop.set()
        await asyncio.gather(*tasks)
    return [clock.committed[handoff] - at for handoff, at in began.items()]


async def _all_there(began: dict[UUID, float], clock: Clock, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not began.keys() <= clock.committed.keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(began.keys() - clock.committed.keys())} of {len(began)} handoffs didn't arrive")
        await asyncio.sleep(0.02)


async def _floor(parts: Parts, dsns: Sequence[str]) -> list[float]:
    """Commit, produce, consume, commit, one after the other."""
    access = parts.kafka.admin.aiokafka
    admin = AIOKafkaAdminClient(**access)
    await admin.start()
    await admin.create_topics([NewTopic(FLOOR_TOPIC, 1, 1)])
    await admin.close()
    took = []
    async with AsyncExitStack() as stack:
        sender, receiver = [await stack.enter_async_context(connected(dsn)) for dsn in dsns]
        producer = await stack.enter_async_context(AIOKafkaProducer(**access, acks="all", enable_idempotence=True))
        consumer = AIOKafkaConsumer(FLOOR_TOPIC, **access, group_id=None, auto_offset_reset="earliest")
        await stack.enter_async_context(consumer)
        for connection in (sender, receiver):
            await connection.execute(_TABLE)
        for _ in range(FLOORS + WARM_UP):
            began = time.perf_counter()
            await _state(sender)
            await producer.send_and_wait(FLOOR_TOPIC, SEALED.encode(), key=b"key")
            await consumer.getone()
            await _state(receiver)
            took.append(time.perf_counter() - began)
            await asyncio.sleep(0.002)
    return took[WARM_UP:]


async def _state(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.execute(_STATE, uuid4(), "x")


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """50 handoffs a second through handler, relay, Kafka, consumer and inbox, all as they are."""
    floor = await _floor(parts, [await parts.dsn("dialog"), await parts.dsn("helpjourney")])
    async with AsyncExitStack() as stack:
        took = await _through(parts, stack)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    ours, least = ({name: 1000 * percentile(values, share) for name, share in shares.items()} for values in (took, floor))
    raw = {"ours": ours, "floor": least, "per_second": PER_SECOND, "handoffs": len(took)}
    progress(f"handoff: p50 {ours['p50']:.1f} ms, p99 {ours['p99']:.1f} ms; the least p50 {least['p50']:.1f} ms")
    return [
        Result(P50, "ms", ours["p50"], least["p50"], 4 * least["p50"], raw=raw),
        Result(LATE, "ms", ours["p99"], least["p99"], 50.0, raw=raw),
    ]

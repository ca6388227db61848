"""A handoff from the youth's act in dialog to the committed offer in helpjourney, beside the least that could carry it."""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from contracts.codes import TopicCode, Urgency
from dialog.domain.handoffs import Life
from dialog.handlers.handoffs import ClaimSecret, OfferHandoff, offer_handoff
from servicekit.delivery.outbox import Begin

from bench.delivery.handoff_floor import COMMIT, TABLE, TOPIC
from bench.delivery.parts import Parts, connected, running
from bench.results import Progress, Result, percentile
from deploy.kafka.access import Access
from deploy.local.keys import make_keys
from deploy.local.processes import Child, free_ports
from deploy.local.services import status

P50, LATE = "handoff, command to effect, p50", "handoff, command to effect, p99"
PER_SECOND, HANDOFFS, ROUNDS = 50, 100, 5
"""Handoffs of a round; rounds of each way, in turns."""
WARM_UP = 25
SEALED = secrets.token_urlsafe(4096)
"""As long as a padded and sealed summary."""

_TELL = """create function bench_tell() returns trigger language plpgsql as
$$ begin perform pg_notify('bench', new.handoff_id::text); return null; end $$"""
_WATCH = "create trigger bench_tell after insert on {table} for each row execute function bench_tell()"


@dataclass
class Way:
    """One way for a handoff."""

    send: Callable[[], Awaitable[UUID]]
    committed: dict[UUID, float]
    """When this process heard that the receiver's transaction had committed, by handoff."""
    took: list[float] = field(default_factory=list)

    async def round(self, count: int) -> list[float]:
        """Handoffs at an even pace, however long each takes: the seconds of each. TimeoutError when one doesn't arrive."""
        began: dict[UUID, float] = {}
        start = time.perf_counter()

        async def one(number: int) -> None:
            await asyncio.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
            at = time.perf_counter()
            began[await self.send()] = at

        await asyncio.gather(*(one(number) for number in range(count)))
        while not began.keys() <= self.committed.keys():
            if time.perf_counter() - start > count / PER_SECOND + 30:
                raise TimeoutError(f"{len(began.keys() - self.committed.keys())} of {count} handoffs didn't arrive")
            await asyncio.sleep(0.02)
        return [self.committed[handoff] - at for handoff, at in began.items()]


async def _offer(begin: Begin) -> UUID:
    """Dialog's own handler, with a summary that is sealed already."""
    command = OfferHandoff(
        ClaimSecret(secrets.token_bytes(32)), TopicCode("mental_health"), next(iter(Urgency)), Life.HOURS_24, ("Jeg vil snakke med noen.",)
    )
    async with begin() as uow:
        return (await offer_handoff(command, uow, lambda _summary, _secret: SEALED, 3600)).id


@asynccontextmanager
async def _watched(dsn: str, table: str) -> AsyncIterator[dict[UUID, float]]:
    """When rows of a table were committed, by `handoff_id`, as far as this process hears of it."""
    committed: dict[UUID, float] = {}
    async with connected(dsn) as connection:
        await connection.execute(_TELL)
        await connection.execute(_WATCH.format(table=table))
        await connection.add_listener("bench", lambda *heard: committed.setdefault(UUID(heard[3]), time.perf_counter()))
        yield committed


@asynccontextmanager
async def _whole(parts: Parts) -> AsyncIterator[Way]:
    """Dialog's command here, its relay and helpjourney's consumer as processes of their own, as they run."""
    async with parts.database("dialog") as dialog, parts.database("helpjourney") as helpjourney, AsyncExitStack() as stack:
        committed = await stack.enter_async_context(_watched(helpjourney.dsn, "offers"))
        for service, verb, dsn in (("dialog", "relay", dialog.dsn), ("helpjourney", "consume", helpjourney.dsn)):
            port, internal = free_ports(2)
            environment = {"DATABASE_URL": dsn, "PORT": str(port), "INTERNAL_PORT": str(internal)}
            child = _child(parts, service, ["-m", service, verb], parts.kafka.access(service), environment)
            await stack.enter_async_context(running(child, partial(_ready, internal)))
        yield Way(partial(_offer, dialog.begin), committed)


def _ready(port: int) -> bool:
    return status(port, "/readyz") == 200


def _child(parts: Parts, name: str, arguments: list[str], access: Access, environment: dict[str, str]) -> Child:
    data = parts.folder / f"handoff-{name}"
    data.mkdir(parents=True, exist_ok=True)
    environment |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), **access.environment}
    make_keys(data, [name])
    environment |= {"KEYS_DIR": str(data / "keys" / name), "TRUST_DIR": str(data / "trust"), "DATA_DIR": str(data)}
    return Child(name, [sys.executable, *arguments], data / "log", env=environment, cwd=data)


@asynccontextmanager
async def _least(parts: Parts) -> AsyncIterator[Way]:
    """Commit and produce here; consume and commit in a process of its own."""
    access = parts.kafka.admin
    admin = AIOKafkaAdminClient(**access.aiokafka)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    dsns = [await parts.dsn(service, f"bench_floor_{service}") for service in ("dialog", "helpjourney")]
    async with AsyncExitStack() as stack:
        sender, receiver = [await stack.enter_async_context(connected(dsn)) for dsn in dsns]
        for connection in (sender, receiver):
            await connection.execute(TABLE)
        committed = await stack.enter_async_context(_watched(dsns[1], "bench_handoffs"))
        await stack.enter_async_context(
            running(_child(parts, "floor", ["-m", "bench.delivery.handoff_floor"], access, {"DATABASE_URL": dsns[1]}))
        )
        producer = await stack.enter_async_context(AIOKafkaProducer(**access.aiokafka, acks="all", enable_idempotence=True))
        yield Way(partial(_send, sender, asyncio.Lock(), producer), committed)


async def _send(connection: asyncpg.Connection, free: asyncio.Lock, producer: AIOKafkaProducer) -> UUID:
    handoff = uuid4()
    async with free, connection.transaction():
        await connection.execute(COMMIT, handoff)
    await producer.send_and_wait(TOPIC, SEALED.encode(), key=handoff.bytes)
    return handoff


async def measure(parts: Parts, progress: Progress) -> list[Result]:
    """50 handoffs a second, through handler, relay, Kafka, consumer and inbox, and the least way, in turns."""
    async with _least(parts) as least, _whole(parts) as ours:
        for way in (least, ours):
            await way.round(WARM_UP)
        for number in range(ROUNDS):
            for way in (least, ours)[:: -1 if number % 2 else 1]:
                way.took += await way.round(HANDOFFS)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    ours_ms, least_ms = ({name: 1000 * percentile(way.took, share) for name, share in shares.items()} for way in (ours, least))
    raw = {"ours": ours_ms, "floor": least_ms, "per_second": PER_SECOND, "handoffs": len(ours.took)}
    progress(f"handoff: p50 {ours_ms['p50']:.1f} ms, p99 {ours_ms['p99']:.1f} ms; the least p50 {least_ms['p50']:.1f} ms")
    return [
        Result(P50, "ms", ours_ms["p50"], least_ms["p50"], 4 * least_ms["p50"], raw=raw),
        Result(LATE, "ms", ours_ms["p99"], least_ms["p99"], 50.0, raw=raw),
    ]

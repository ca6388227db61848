"""What is there after a run: read from the databases' own tables and from Kafka, compared by the ledger's checker."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError
from contracts.catalogue import SERVICES
from contracts.event import Envelope
from dialog.handlers.receipts import receipt_hash
from servicekit.crypto import unb64
from servicekit.keys import Keys

from deploy.kafka.access import Access
from deploy.local.platform import Platform
from deploy.testing.readers import Ends, admin, ends_of, is_behind
from tests.faults.answers import OF_QUESTION
from tests.faults.ledger import Ledger, World
from tests.privacy.sinks import every_record

COUNTED = {
    "dialog.questions.v1": ("dialog", "select id, told from questions"),
    "dialog.chats.v1": ("dialog", "select id, sequence as told from chats"),
    "helpjourney.appointments.v1": ("helpjourney", "select id, version as told from appointments"),
}
"""Topic -> where its owner's rows count what they told."""
FIGURES = {
    "questions_asked": "dialog.question.asked.v1",
    "chats_requested": "dialog.chat.requested.v1",
    "chats_accepted": "dialog.chat.accepted.v1",
    "journeys_started": "helpjourney.journey.started.v1",
    "appointments_wished": "helpjourney.appointment.wished.v1",
    "appointments_booked": "helpjourney.appointment.booked.v1",
}
"""Figure of the reporting service -> the event that it counts."""
READER = "reporting"
LOOK_SECONDS = 0.2
"""Between two looks at what has come: each opens connections, and the machine is busy with coming back."""


async def rows(platform: Platform, service: str, statement: str, *arguments: object) -> list[Any]:
    """Tries again while the database is away."""
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = await asyncpg.connect(platform.dsn(service), timeout=5)
            try:
                return await connection.fetch(statement, *arguments)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


async def until_told(platform: Platform, patience: float) -> None:
    """Returns when every fact of now has had its effect in each service that reads it; gives up after `patience` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            for name in SERVICES:
                await _until_sent(platform, name)
            await _until_read(platform.kafka_admin)


async def _until_sent(platform: Platform, service: str) -> None:
    newest = (await rows(platform, service, "select coalesce(max(position), 0) from outbox"))[0][0]
    while (await rows(platform, service, "select exists (select from outbox where position <= $1)", newest))[0][0]:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)


async def _until_read(kafka: Access) -> None:
    """Asks anew while brokers are away."""
    ends: Ends | None = None
    while True:
        with suppress(KafkaError, OSError):
            ends = ends or await ends_of(kafka, SERVICES)
            async with admin(kafka) as client:
                if not any([await is_behind(client, name, ends) for name in SERVICES]):
                    return
        await asyncio.sleep(LOOK_SECONDS)


async def until_quiet(platform: Platform, patience: float = 90.0) -> int:
    """Waits until every outbox is empty and stays so for a moment; returns the rows that are left."""
    deadline, calm = time.monotonic() + patience, 0
    while True:
        left = sum([(await rows(platform, name, "select count(*) from outbox"))[0][0] for name in SERVICES])
        calm = calm + 1 if not left else 0
        if calm == 10 or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.3)


async def survey(platform: Platform, ledger: Ledger, recoveries: Iterable[float]) -> World:
    """Looks at everything, once it is quiet."""
    waiting = await until_quiet(platform)
    records = await every_record(platform.kafka_admin)
    await until_told(platform, 60)
    log: dict[str, list[tuple[int, str]]] = defaultdict(list)
    counted: dict[str, set[str]] = defaultdict(set)
    topics: dict[str, str] = {}
    for record in sorted(records, key=lambda record: (record.topic, record.partition, record.offset)):
        envelope, key = Envelope.of(record.headers), f"{record.topic} {record.key.decode()}"
        log[key].append((envelope.sequence, str(envelope.id)))
        counted[envelope.type].add(str(envelope.id))
        topics[key] = record.topic
    parked = await rows(platform, READER, "select topic || ' ' || key as key, min(sequence) as first from parked_events group by 1")
    return World(
        acts=await _acts(platform, ledger),
        things=await _things(platform, ledger),
        told=await _told(platform, log, topics),
        log=log,
        effects=await _effects(platform, log),
        parked={row["key"]: row["first"] for row in parked},
        waiting=waiting,
        models=await _models(platform, counted),
        recoveries=list(recoveries),
    )


async def _acts(platform: Platform, ledger: Ledger) -> dict[str, int]:
    """By command: how many services keep the outcome of its idempotency key, which is stored in the transaction of the act."""
    kept: Counter[bytes] = Counter()
    for service in ("dialog", "helpjourney"):
        kept.update(row["key_hash"] for row in await rows(platform, service, "select key_hash from idempotency_keys"))
    return {command: kept[sha256(unb64(command.split()[1])).digest()] for command in ledger.outcomes()}


async def _things(platform: Platform, ledger: Ledger) -> set[str]:
    """Journeys and appointments by their addresses, questions by the codes that were shown for them."""
    journeys = await rows(platform, "helpjourney", "select '/reise/' || id from journeys")
    appointments = await rows(platform, "helpjourney", "select '/time/' || id from appointments")
    asked = {bytes(row[0]) for row in await rows(platform, "dialog", "select receipt_hash from questions")}
    key = Keys(platform.folder / "keys" / "dialog").service
    shown = [receipt for receipt in ledger.receipts.values() if receipt.startswith(OF_QUESTION)]
    there = {receipt for receipt in shown if receipt_hash(key, receipt.removeprefix(OF_QUESTION)) in asked}
    return there | {row[0] for row in [*journeys, *appointments]}


async def _told(platform: Platform, log: dict[str, list[tuple[int, str]]], topics: dict[str, str]) -> dict[str, int]:
    """What the owners' rows say; for topics whose rows don't outlive their telling, what Kafka says."""
    told = {key: max(sequence for sequence, _ in events) for key, events in log.items() if topics[key] not in COUNTED}
    for topic, (service, statement) in COUNTED.items():
        told |= {f"{topic} {row['id']}": row["told"] for row in await rows(platform, service, statement)}
    return told


async def _effects(platform: Platform, log: dict[str, list[tuple[int, str]]]) -> dict[str, list[int]]:
    """What the reader's receipts and sequences say, for the keys of topics that it reads."""
    got = {str(row["event_id"]) for row in await rows(platform, READER, "select event_id from inbox where consumer = $1", READER)}
    last = await rows(platform, READER, "select topic || ' ' || key as key, last_sequence from inbox_keys where consumer = $1", READER)
    reached = {row["key"]: row["last_sequence"] for row in last}
    effects = {}
    for key, events in log.items():
        if key in reached:
            seen = dict.fromkeys(sequence for sequence, event in events if event in got)
            effects[key] = [sequence for sequence in seen if sequence <= reached[key]]
    return effects


async def _models(platform: Platform, counted: dict[str, set[str]]) -> dict[str, tuple[object, object]]:
    figures = {row["step"]: row["total"] for row in await rows(platform, READER, "select step, sum(count) as total from counts group by 1")}
    spent = (await rows(platform, "helpjourney", "select count(*) from spent_secrets"))[0][0]
    models: dict[str, tuple[object, object]] = {"handoffs_claimed": (spent, int(figures.get("handoffs_claimed", 0)))}
    return models | {figure: (len(counted[event]), int(figures.get(figure, 0))) for figure, event in FIGURES.items()}

"""What is true of a restored agency, found out in other ways than its own tool does: the drill's checker may look into every database."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from contracts.catalogue import topics_owned_by
from contracts.event import Envelope

from deploy.local.platform import Platform
from tests.faults.ledger import Findings, Ledger, Phase, check, lost
from tests.faults.load import Load
from tests.faults.survey import rows, survey
from tests.privacy.sinks import every_record

Fact = tuple[str, str, int]
"""Topic, key, sequence."""


TEXTS = {"dialog": {"chats": "true", "questions": "true"}, "helpjourney": {"journeys": "sealed_summary is not null"}}
"""Service -> table -> what of a row must not come back."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The time to which an agency will be restored, and the facts that it had told or was about to tell then."""

    at: datetime
    known: frozenset[str]
    """Event ids."""


async def mark(platform: Platform, service: str) -> Moment:
    """A moment in the middle of everything: while the outbox is locked nothing is told and nothing forgotten."""
    connection = await asyncpg.connect(platform.dsn(service))
    try:
        async with connection.transaction():
            await connection.execute("lock table outbox in exclusive mode")
            waiting = {row["id"] for row in await connection.fetch("select headers ->> 'ce_id' as id from outbox")}
            known = waiting | {identifier for identifier, _ in await _told(platform, service)}
            at = await connection.fetchval("select clock_timestamp()")
            await asyncio.sleep(0.05)
        return Moment(at, frozenset(known))
    finally:
        await connection.close()


async def unknown_facts(platform: Platform, service: str, moment: Moment) -> set[Fact]:
    """What others know and the store of that moment doesn't."""
    return {fact for identifier, fact in await _told(platform, service) if identifier not in moment.known}


async def _told(platform: Platform, service: str) -> list[tuple[str, Fact]]:
    owned = set(topics_owned_by(service))
    found = []
    for record in await every_record(platform.kafka_admin):
        if record.topic in owned:
            envelope = Envelope.of(record.headers)
            found.append((str(envelope.id), (record.topic, record.key.decode(), envelope.sequence)))
    return found


async def answered_and_gone(platform: Platform, load: Load, deaths: Sequence[float]) -> tuple[Findings, float]:
    """Everything that people were answered against what is there; seconds from a lost answer to the death of a disk, at most."""
    world = await survey(platform, load.ledger, ())
    world.claims = load.claims
    gone = set(lost(load.ledger, world))
    answers = [entry.at for entry in load.ledger.entries if entry.command in gone and entry.phase is Phase.OK]
    return check(load.ledger, world), max((_before_death(at, deaths) for at in answers), default=0.0)


def _before_death(answered: float, deaths: Sequence[float]) -> float:
    """An answer may still come a moment after the disk has died."""
    return max(min((died for died in deaths if died > answered - 1), default=answered) - answered, 0.0)


async def numbers_given_twice(platform: Platform, service: str) -> int:
    """Sequences of a key that stand on Kafka under more than one event."""
    ids = defaultdict(set)
    for identifier, fact in await _told(platform, service):
        ids[fact].add(identifier)
    return sum(len(events) - 1 for events in ids.values())


async def told_twice(platform: Platform) -> Findings:
    """Facts on Kafka and their effects, whatever the owners' rows say: those of a restored store count from an earlier time."""
    world = await survey(platform, Ledger(), ())
    world.told = {key: max(sequence for sequence, _ in facts) for key, facts in world.log.items()}
    world.models = {}
    return check(Ledger(), world)


async def resurrected(platform: Platform, service: str, deleted: dict[str, set[str]]) -> int:
    """How much of what was deleted after the chosen time is there again."""
    found = 0
    for table, there in TEXTS.get(service, {}).items():
        statement = f"select count(*) from {table} where id::text = any($1::text[]) and {there}"
        found += (await rows(platform, service, statement, sorted(deleted[table])))[0][0]
    return found


async def held(platform: Platform, service: str) -> int:
    """Facts of the service that others know and it doesn't, which wait for a person."""
    return int((await rows(platform, service, "select count(*) from parked_events where consumer = 'told'"))[0][0])

"""Whether the events of each key came in order, once, and all of them: on Kafka, and where they were applied."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.catalogue import TOPICS
from contracts.event import Envelope

from bench.replicas.scene import HEARS, TOPIC, Scene


def wrong(told: Mapping[str, int], sent: Mapping[str, Sequence[int]], applied: Mapping[str, Sequence[int]]) -> list[str]:
    """Keys that aren't on Kafka from 1 to the last that was told, or weren't applied only forward and to the end."""
    found = [f"{key} on Kafka" for key, last in told.items() if list(sent.get(key, ())) != list(range(1, last + 1))]
    for key, last in told.items():
        steps = applied.get(key, ())
        if not steps or steps[-1] != last or any(later <= earlier for earlier, later in pairwise(steps)):
            found.append(f"{key} in {HEARS}")
    return found


async def disorder(scene: Scene) -> list[str]:
    """Keys with something wrong, and what."""
    await scene.all_applied()
    sent, ids = await _sent(scene)
    applied = defaultdict[str, list[int]](list)
    for row in await scene.hearer.fetch("select key, last_sequence from bench_log order by position"):
        applied[row["key"]].append(row["last_sequence"])
    found = wrong({str(key): last for key, last in scene.keys.items()}, sent, applied)
    parked = await scene.hearer.fetchval("select count(*) from parked_events")
    receipts = await scene.hearer.fetchval("select count(*) from inbox where event_id = any($1::uuid[])", list(ids))
    if parked or receipts != scene.told:
        found.append(f"{parked} parked, {receipts} receipts of {scene.told}")
    return found


async def _sent(scene: Scene) -> tuple[dict[str, list[int]], set[UUID]]:
    """By key the sequences as they stand on Kafka, each event at its first place; and every event's id."""
    sent, ids, names = defaultdict[str, list[int]](list), set[UUID](), scene.names
    places = [TopicPartition(TOPIC, partition) for partition in range(TOPICS[TOPIC].partitions)]
    async with AIOKafkaConsumer(**scene.stack.kafka_admin.aiokafka, enable_auto_commit=False) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning()
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                for record in records:
                    envelope, key = Envelope.of(record.headers), record.key.decode()
                    if envelope.id not in ids and key in names:
                        ids.add(envelope.id)
                        sent[key].append(envelope.sequence)
    return sent, ids

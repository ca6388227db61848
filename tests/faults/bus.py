"""A bus in memory that is as hostile as Kafka is allowed to be, and on demand more: it refuses, loses acknowledgements and repeats."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import NotLeaderForPartitionError, RequestTimedOutError
from contracts.catalogue import TOPICS

PER_BATCH = 2
"""Facts that fit in one batch: few, so that a round needs several."""


@dataclass(slots=True)
class Bus:
    """Partitions as lists. `plan` says what becomes of the next batches that are sent; then all are taken."""

    log: dict[TopicPartition, list[ConsumerRecord]] = field(default_factory=dict)
    """What readers are given."""
    written: list[ConsumerRecord] = field(default_factory=list)
    """What was sent, in the order of its arrival."""
    plan: list[str] = field(default_factory=list)
    """`refuse`: not written; `mute`: written, no acknowledgement; `take`."""
    latency: float = 0.0
    """Seconds until a batch is written."""

    def producer(self, *_: object) -> "BusProducer":
        return BusProducer(self)

    def write(self, place: TopicPartition, rows: Iterable[tuple[int, bytes, bytes, list[tuple[str, bytes]]]]) -> None:
        log = self.log.setdefault(place, [])
        for timestamp, key, value, headers in rows:
            known = (0, timestamp, 0, key, value, None, len(key), len(value), tuple(headers))
            log.append(ConsumerRecord(place.topic, place.partition, len(log), *known[1:]))
            self.written.append(log[-1])

    def drop(self, key: str, sequence: int) -> None:
        """Keeps a record from readers that was acknowledged: no broker may do that."""
        for place, log in self.log.items():
            self.log[place] = [record for record in log if not (_key(record) == key and sequence_of(record) == sequence)]

    def by_key(self) -> dict[str, list[tuple[int, str]]]:
        """Key -> (sequence, event id), as written."""
        found: dict[str, list[tuple[int, str]]] = {}
        for record in self.written:
            found.setdefault(_key(record), []).append((sequence_of(record), dict(record.headers)["ce_id"].decode()))
        return found

    def repeat(self, place: TopicPartition, offset: int, new_id: str) -> None:
        """Gives readers a record once more, under another id."""
        log = self.log[place]
        headers = dict(log[offset].headers) | {"ce_id": new_id.encode()}
        log.append(replace(log[offset], offset=len(log), headers=tuple(headers.items())))


class _Builder:
    def __init__(self) -> None:
        self.rows: list[tuple[int, bytes, bytes, list[tuple[str, bytes]]]] = []

    def append(self, *, timestamp: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> object | None:
        if len(self.rows) == PER_BATCH:
            return None
        self.rows.append((timestamp, key, value, headers))
        return self

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a broker says of a batch that it has."""

    offset: int
    """Of its first record."""


class BusProducer:
    """What the relay needs of a producer."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def start(self) -> None: ...

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(TOPICS[topic].partitions))

    def create_batch(self) -> _Builder:
        return _Builder()

    async def send_batch(self, batch: _Builder, topic: str, *, partition: int) -> "asyncio.Future[Acknowledged]":
        fate = self._bus.plan.pop(0) if self._bus.plan else "take"
        if self._bus.latency:
            await asyncio.sleep(self._bus.latency)
        place = TopicPartition(topic, partition)
        begins = len(self._bus.log.get(place, ()))
        if fate != "refuse":
            self._bus.write(place, batch.rows)
        acknowledgement: asyncio.Future[Acknowledged] = asyncio.get_running_loop().create_future()
        if fate == "take":
            acknowledgement.set_result(Acknowledged(begins))
        else:
            acknowledgement.set_exception(NotLeaderForPartitionError() if fate == "refuse" else RequestTimedOutError())
        return acknowledgement


class BusConsumer:
    """What the consumer of a service needs of aiokafka's: a member that owns all partitions and has committed `committed`."""

    def __init__(self, bus: Bus, committed: dict[TopicPartition, int]) -> None:
        self._bus, self.committed = bus, committed
        self.positions = dict(committed)
        self._paused: set[TopicPartition] = set()

    def assignment(self) -> set[TopicPartition]:
        return set(self._bus.log)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed |= offsets

    def pause(self, place: TopicPartition) -> None:
        self._paused.add(place)

    def resume(self, place: TopicPartition) -> None:
        self._paused.discard(place)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.positions[place] = offset

    def poll(self, most: int) -> Sequence[ConsumerRecord]:
        batch: list[ConsumerRecord] = []
        for place, log in self._bus.log.items():
            if place not in self._paused:
                came = log[self.positions.get(place, 0) :][: most - len(batch)]
                self.positions[place] = self.positions.get(place, 0) + len(came)
                batch += came
        return batch

    @property
    def behind(self) -> bool:
        """Whether anything waits that was not read and committed."""
        return any(self.committed.get(place, 0) < len(log) for place, log in self._bus.log.items())


def sequence_of(record: ConsumerRecord) -> int:
    return int(dict(record.headers)["ce_sequence"])


def _key(record: ConsumerRecord) -> str:
    return record.key.decode()

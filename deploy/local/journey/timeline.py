"""What happened, step by step: who did what where, how long it took, and which events appeared on Kafka meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.catalogue import TOPICS
from contracts.event import Envelope

from deploy.kafka.access import Access

DEADLINE = 20.0
"""Seconds that a step waits for the events it must lead to."""


class MissingEventError(AssertionError):
    """A step did not lead to an event that it must lead to."""


class Watch:
    """Sees every event of the platform from now on, without a consumer group."""

    def __init__(self, kafka: Access) -> None:
        """`kafka`: somebody's who may read every topic."""
        self._consumer = AIOKafkaConsumer(**kafka.aiokafka, enable_auto_commit=False)
        self.told: dict[UUID, str] = {}
        """Every event's id and topic."""
        self.seen: list[str] = []
        """Types of all events, each once: after a crash a relay may send some of them again."""

    async def start(self, from_the_start: bool = False) -> None:
        await self._consumer.start()
        self._consumer.assign([TopicPartition(topic.name, partition) for topic in TOPICS.values() for partition in range(topic.partitions)])
        await (self._consumer.seek_to_beginning() if from_the_start else self._consumer.seek_to_end())
        for partition in self._consumer.assignment():
            await self._consumer.position(partition)

    async def stop(self) -> None:
        """aiokafka ends its own tasks by cancelling them, and lets that out where one of them waits for a broker that is away."""
        task = asyncio.current_task()
        try:
            await self._consumer.stop()
        except asyncio.CancelledError:
            if task is not None and task.cancelling():
                raise

    async def new(self, wait_ms: int = 0) -> list[str]:
        """Types of the events that appeared since the last call."""
        batches = await self._consumer.getmany(timeout_ms=wait_ms)
        types = []
        for record in (record for records in batches.values() for record in records):
            envelope = Envelope.of(record.headers)
            if envelope.id not in self.told:
                self.told[envelope.id] = record.topic
                types.append(envelope.type)
        self.seen += types
        return types


@dataclass(slots=True)
class StepTaken:
    """One line of the timeline."""

    number: int
    title: str
    service: str
    level: int
    milliseconds: float = 0
    events: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        times = Counter(self.events)
        shown = ", ".join(f"{name} x{number}" if number > 1 else name for name, number in times.items()) or "-"
        return f"{self.number:>3}  {self.level}  {self.service:<12} {self.milliseconds:>6.0f} ms  {self.title:<52} {shown}"


@dataclass(slots=True)
class Timeline:
    """The story of the first youth. She walks alone, so what appears between two of her steps is shown as hers."""

    watch: Watch
    steps: list[StepTaken] = field(default_factory=list)
    _early: Counter[str] = field(default_factory=Counter)
    """Events that appeared before the step that must lead to them: some follow at once."""

    @asynccontextmanager
    async def step(self, title: str, service: str, level: int, expect: Iterable[str] = ()) -> AsyncIterator[StepTaken]:
        """Take a step and wait for the events that it must lead to. Raises MissingEventError."""
        taken = StepTaken(len(self.steps) + 1, title, service, level)
        started = perf_counter()
        yield taken
        taken.milliseconds = 1000 * (perf_counter() - started)
        missing = Counter(expect)
        deadline = asyncio.get_running_loop().time() + DEADLINE
        while True:
            taken.events += await self.watch.new(wait_ms=100)
            seen = self._early + Counter(taken.events)
            if not missing - seen:
                break
            if asyncio.get_running_loop().time() > deadline:
                raise MissingEventError(f"step {taken.number} ({title}): {', '.join((missing - seen).elements())}")
        self._early = seen - missing
        self.steps.append(taken)
        print(taken, flush=True)

    def heading(self) -> str:
        return f"{'#':>3}  L  {'service':<12} {'time':>9}  {'step':<52} events on Kafka meanwhile"

    @property
    def milliseconds(self) -> float:
        return sum(step.milliseconds for step in self.steps)

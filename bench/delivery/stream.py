"""Events on Kafka to read, and a clock on the transactions that apply them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from contracts.event import Envelope, Event
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.inbox import EventHandler, Handlers
from servicekit.delivery.outbox import Begin, UnitOfWork

from bench.delivery.parts import Parts

CHUNK = 500
Keyed = tuple[UUID, int, Event]
"""Key, sequence, event."""


async def produce(parts: Parts, owner: str, events: Sequence[Keyed]) -> None:
    """Writes events as their owner's relay would have."""
    async with AIOKafkaProducer(**parts.kafka.access(owner).aiokafka, enable_idempotence=True, compression_type="gzip") as producer:
        now = datetime.now(UTC).replace(microsecond=0)
        for begins in range(0, len(events), CHUNK):
            sent = []
            for key, sequence, event in events[begins : begins + CHUNK]:
                headers = [(name, text.encode()) for name, text in Envelope(uuid4(), event.type, owner, now, sequence).headers().items()]
                value = event.model_dump_json().encode()
                sent.append(await producer.send(event.topic, value, key=str(key).encode(), headers=headers))
            await asyncio.gather(*sent)


class Clock:
    """Notes when transactions have committed and how many events were handled by then."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self.handled = 0
        self.commits: list[tuple[float, int]] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[UnitOfWork]:
        """As the service's own, timed."""
        async with self._begin() as uow:
            yield uow
        if not self.commits or self.commits[-1][1] != self.handled:
            self.commits.append((time.perf_counter(), self.handled))

    def counting(self, handlers: Handlers) -> dict[type[Event], EventHandler]:
        """The same handlers, counted."""

        def counted(handler: EventHandler) -> EventHandler:
            async def handle(event: Any, uow: UnitOfWork) -> None:
                await handler(event, uow)
                self.handled += 1

            return handle

        return {event: counted(handler) for event, handler in handlers.items()}

    @property
    def rate(self) -> float:
        """Events per second, from the first commit to the last: the time to join the group is nobody's merit."""
        (began, before), (ended, after) = self.commits[0], self.commits[-1]
        return (after - before) / (ended - began)


async def by_batch(parts: Parts, service: str, dsn: str, begin: Begin, handlers: Handlers, count: int) -> float:
    """Events per second of the service's own consumer, in a new group, until `count` were handled."""
    clock = Clock(begin)
    consumer = Consumer(service, parts.settings(service, dsn), clock.begin, clock.counting(handlers), group=f"bench-{uuid4().hex[:8]}")
    stop = asyncio.Event()
    task = asyncio.create_task(consumer.run(stop))
    await _until(lambda: bool(clock.commits) and clock.commits[-1][1] >= count, task)
    stop.set()
    await task
    return clock.rate


async def _until(condition: Callable[[], bool], task: Awaitable[None], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or (isinstance(task, asyncio.Task) and task.done()):
            raise TimeoutError("the consumer didn't get there")
        await asyncio.sleep(0.01)

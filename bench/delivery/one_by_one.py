"""The way that most first consumers are written: one transaction and one offset commit per event."""

from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.catalogue import topics_read_by
from servicekit.delivery.inbox import Handlers
from servicekit.delivery.outbox import Begin
from servicekit.delivery.record import Record
from sqlalchemy import text

from bench.delivery.parts import Parts
from bench.delivery.stream import Clock

_RECEIPT = text(
    "insert into inbox (consumer, event_id, received_at) values (:consumer, :id, :now) on conflict do nothing returning event_id"
)


async def one_by_one(parts: Parts, service: str, begin: Begin, handlers: Handlers, count: int) -> float:
    """Events per second with a receipt and the same handlers, without the checks of order that ours makes."""
    clock = Clock(begin)
    counted = {event.type: (event, handler) for event, handler in clock.counting(handlers).items()}
    group = f"bench-{uuid4().hex[:8]}"
    access = parts.kafka.access(service).aiokafka
    consumer = AIOKafkaConsumer(
        *topics_read_by(service), **access, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, max_poll_records=500
    )
    async with consumer:
        async for raw in consumer:
            record = Record.of(raw)
            async with clock.begin() as uow:
                receipt = {"consumer": group, "id": record.id, "now": await uow.now()}
                if await uow.connection.scalar(_RECEIPT, receipt) and record.type in counted:
                    event, handler = counted[record.type]
                    uow.received = record.received
                    await handler(event.model_validate_json(record.value), uow)
            await consumer.commit({TopicPartition(raw.topic, raw.partition): raw.offset + 1})
            if clock.handled >= count:
                break
    return clock.rate

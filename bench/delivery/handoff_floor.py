"""`python -m bench.delivery.handoff_floor`: the least that could take in a handoff: consume, commit."""

import asyncio
import os
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer

from deploy.kafka.access import Access

TOPIC = "bench.floor"
TABLE = "create table bench_handoffs (handoff_id uuid primary key, what text)"
COMMIT = "insert into bench_handoffs values ($1, 'x')"


async def receive() -> None:
    """Until it is killed."""
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    async with AIOKafkaConsumer(TOPIC, **Access.of().aiokafka, group_id=None, auto_offset_reset="earliest") as consumer:
        async for record in consumer:
            async with connection.transaction():
                await connection.execute(COMMIT, UUID(bytes=record.key))


if __name__ == "__main__":
    asyncio.run(receive())

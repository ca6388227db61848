"""Runs inside a container's network: which addresses and which doors of Kafka open from there. Reads and writes JSON."""

import asyncio
import json
import sys
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

TCP_SECONDS = 2.0
KAFKA_SECONDS = 6.0


async def opens(host: str, port: int) -> bool:
    """Whether somebody takes the call."""
    try:
        async with asyncio.timeout(TCP_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


class _Silent:
    def log(self, *_: object) -> None: ...


def lets_in(settings: dict[str, Any], topic: str) -> bool:
    """Whether Kafka tells a client with these settings about a topic."""
    by_address = {"ssl.endpoint.identification.algorithm": "none"}  # names don't resolve here; who signed is still checked
    client = AdminClient({**settings, **by_address, "socket.timeout.ms": int(KAFKA_SECONDS * 1000)}, logger=_Silent())
    try:
        found = client.list_topics(topic, timeout=KAFKA_SECONDS).topics[topic]
    except KafkaException:
        return False
    return found.error is None


async def main() -> None:
    """`tcp`: [[host, port], ...]; `kafka`: [[settings, topic], ...]; answers with a truth for each."""
    asked = json.load(sys.stdin)
    tcp = asyncio.gather(*(opens(host, port) for host, port in asked["tcp"]))
    kafka = asyncio.gather(*(asyncio.to_thread(lets_in, settings, topic) for settings, topic in asked["kafka"]))
    json.dump({"tcp": await tcp, "kafka": await kafka}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())

"""Makes the catalogue's topics on a cluster: the same again changes nothing, a contradiction is an error."""

import asyncio
import os
import sys
from collections.abc import Iterable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, for_code
from contracts.catalogue import TOPICS, Topic

from deploy.commands import Command
from deploy.kafka.access import Access

MAX_MESSAGE_BYTES = 262_144
"""The largest record (batch, as compressed): one that unpacks to hundreds of megabytes must not reach a consumer."""
_ALREADY_EXISTS = 36
_DAY_MS = 86_400_000


class TopicError(RuntimeError):
    """The cluster's topics can't be brought to what the catalogue says."""


def topic_settings(topic: Topic, replication: int) -> dict[str, str]:
    """Kafka's own settings of one topic."""
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(topic.retention_days * _DAY_MS),
        "message.timestamp.type": "CreateTime",  # the producer's rounded time; the broker's own would tell the exact one
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "min.insync.replicas": "2" if replication > 2 else "1",
    }


async def ensure_topics(cluster: str | Access, topics: Iterable[Topic] = TOPICS.values(), *, seconds: float = 30.0) -> list[str]:
    """Creates what is missing, sets the settings of what exists, waits until every partition has a leader.

    `cluster`: the administrator's access, or the address of a cluster without principals. Returns the names that were created now.
    """
    wanted = {topic.name: topic for topic in topics}
    access = Access(cluster) if isinstance(cluster, str) else cluster
    admin = AIOKafkaAdminClient(**access.aiokafka)
    try:
        await admin.start()
    except KafkaConnectionError as error:
        raise TopicError(f"no Kafka answers {access.username or 'somebody without a principal'} at {access.bootstrap}") from error
    try:
        brokers = len((await admin.describe_cluster())["brokers"])
        replication = min(3, brokers)
        before = await _partitions(admin, wanted)
        _check_partitions(before, wanted)
        created = [name for name in wanted if name not in before]
        await _create(admin, [wanted[name] for name in created], replication)
        await _set(admin, [wanted[name] for name in before], replication)
        await _wait_for_leaders(admin, wanted, seconds)
    finally:
        await admin.close()
    return created


async def _partitions(admin: AIOKafkaAdminClient, wanted: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    existing = sorted(set(wanted) & set(await admin.list_topics()))
    if not existing:
        return {}
    return {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics(existing)}


def _check_partitions(found: dict[str, list[dict[str, Any]]], wanted: dict[str, Topic]) -> None:
    for name, partitions in found.items():
        if len(partitions) != wanted[name].partitions:
            raise TopicError(
                f"{name} has {len(partitions)} partitions and the catalogue says {wanted[name].partitions}:"
                " a change would break the order of keys, so it needs a new topic version"
            )


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic], replication: int) -> None:
    if not topics:
        return
    new = [NewTopic(topic.name, topic.partitions, replication, topic_configs=topic_settings(topic, replication)) for topic in topics]
    answer = await admin.create_topics(new)
    for name, code, *_ in answer.topic_errors:
        if code not in (0, _ALREADY_EXISTS):
            raise TopicError(f"{name} can't be created: {for_code(code).__name__}")


async def _set(admin: AIOKafkaAdminClient, topics: list[Topic], replication: int) -> None:
    if topics:
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=topic_settings(topic, replication)) for topic in topics]
        await admin.alter_configs(resources)


async def _wait_for_leaders(admin: AIOKafkaAdminClient, wanted: dict[str, Topic], seconds: float) -> None:
    """A topic just created answers "not the leader" for a moment: whoever starts next shouldn't have to know."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = await _partitions(admin, wanted)
        missing = [
            name
            for name, topic in wanted.items()
            if len([partition for partition in found.get(name, []) if partition["leader"] >= 0]) != topic.partitions
        ]
        if not missing:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise TopicError(f"no leader after {seconds:.0f} s: {', '.join(missing)}")
        await asyncio.sleep(0.05)


def main() -> int:
    """The command: `python -m deploy.kafka.topics [--bootstrap HOST:PORT]`, as the administrator that KAFKA_USERNAME names, if any."""
    parser = Command(prog="python -m deploy.kafka.topics", description=__doc__)
    parser.add_argument("--bootstrap", default=os.environ.get("KAFKA_BOOTSTRAP_SERVERS"), help="default: KAFKA_BOOTSTRAP_SERVERS")
    bootstrap = parser.parse_args().bootstrap
    if not bootstrap:
        parser.error("name the cluster: --bootstrap or KAFKA_BOOTSTRAP_SERVERS")
    try:
        created = asyncio.run(ensure_topics(Access.of({**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap})))
    except TopicError as error:
        print(f"topics: {error}", file=sys.stderr)
        return 1
    print(f"topics: created={len(created)} there={len(TOPICS) - len(created)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""INVARIANT: every principal may do with every topic and group what the catalogue says, and nothing else. Each of them tries it all."""

import asyncio
import secrets
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.api import Request
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.fetch import FetchRequest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from contracts.catalogue import SERVICES, TOPICS, Precision, Topic
from faststream.kafka import KafkaBroker
from pydantic import SecretStr
from servicekit.delivery.consumer import broker_security
from servicekit.delivery.kafka_access import client_options
from servicekit.settings import ServiceSettings

from deploy.kafka.access import Access
from deploy.kafka.principals import Grant, ensure_principals, grants
from deploy.kafka.topics import ensure_topics
from deploy.local.kafka import LocalKafka

STRANGER = Topic("tests.nobodys.v1", "tests", frozenset(), "id", Precision.PUBLIC)
"""A topic that no agency has anything to do with."""
NAMES = [*TOPICS, STRANGER.name]
OPERATIONS = ("describe", "read", "write", "create", "alter", "delete")
REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
SECONDS = 20.0


@pytest.fixture(scope="module")
def kafka():
    with LocalKafka(secured=True) as cluster:
        asyncio.run(ensure_topics(cluster.access, [*TOPICS.values(), STRANGER]))
        yield cluster


@pytest.fixture(scope="module")
def passwords(kafka):
    made = {agency: secrets.token_urlsafe(32) for agency in SERVICES}
    ensure_principals(kafka.access, made)
    asyncio.run(have_a_coordinator(kafka.access))
    return made


async def have_a_coordinator(admin: Access) -> None:
    """Groups have none before the first of them is used."""
    consumer = AIOKafkaConsumer(**admin.aiokafka, group_id="first")
    await consumer.start()
    consumer.assign([TopicPartition(STRANGER.name, 0)])
    await consumer.commit({TopicPartition(STRANGER.name, 0): 0})
    await consumer.stop()


class Somebody:
    """One principal, who tries everything, as a client of another make than the services' own."""

    def __init__(self, access: Access) -> None:
        quiet = {"log_level": 0, "socket.timeout.ms": 15_000, "topic.metadata.propagation.max.ms": 0}
        self._access = access
        self._settings = {**access.librdkafka, **quiet}
        self._admin = AdminClient(self._settings)

    def tries(self, operation: str) -> set[str]:
        """The topics with which the operation succeeded. Nothing is changed, except that what may be written is written."""
        return getattr(self, f"_{operation}")()

    def _describe(self) -> set[str]:
        return _allowed({name: self._admin.describe_topics(TopicCollection([name]))[name] for name in NAMES})

    def _create(self) -> set[str]:
        names = [*NAMES, "tests.new.v1"]
        return _allowed(self._admin.create_topics([NewTopic(name, 3) for name in names], validate_only=True))

    def _alter(self) -> set[str]:
        entry = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
        resources = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry]) for name in NAMES]
        tried = self._admin.incremental_alter_configs(resources, validate_only=True)
        return _allowed({resource.name: future for resource, future in tried.items()})

    def _delete(self) -> set[str]:
        return _allowed(self._admin.delete_topics(NAMES))

    def _write(self) -> set[str]:
        written: set[str] = set()
        producer = Producer({**self._settings, "acks": "all", "message.timeout.ms": 15_000})
        for name in NAMES:
            producer.produce(name, b"x", on_delivery=lambda error, message: written.add(message.topic()) if _fine(error) else None)
        assert producer.flush(SECONDS) == 0
        return written

    def _read(self) -> set[str]:
        wanted = [(name, [(0, 0, 1_000)]) for name in NAMES]
        answer = asyncio.run(self._asks(FetchRequest(100, 0, 100_000, 0, wanted)))
        return _granted({name: {partition[1] for partition in partitions} for name, partitions in answer.topics})

    def groups(self, topic: str, groups: Iterable[str]) -> list[str]:
        """The groups in which it may commit offsets of a topic that it may read."""
        found = []
        for group in groups:
            answer = asyncio.run(self._asks(OffsetCommitRequest(group, -1, "", -1, [(topic, [(0, 0, "")])])))
            if _granted({name: {code for _, code in partitions} for name, partitions in answer.topics}):
                found.append(group)
        return found

    async def _asks(self, request: Request) -> Any:
        """The broker's answer to one request, without what a well-behaved client asks for beforehand."""
        client = AIOKafkaClient(**self._access.aiokafka)
        await client.bootstrap()
        try:
            return await client.send(client.get_random_node(), request)
        finally:
            await client.close()


def _granted(codes: Mapping[str, set[int]]) -> set[str]:
    assert set().union(*codes.values()) <= {0, *REFUSED}
    return {name for name, found in codes.items() if found == {0}}


def _fine(error: KafkaError | None) -> bool:
    """False when refused. Any other outcome of a try (it exists already) means that it was allowed to try."""
    if error is not None and error.code() not in {*REFUSED, KafkaError.TOPIC_ALREADY_EXISTS}:
        raise KafkaException(error)
    return error is None or error.code() not in REFUSED


def _allowed(tried: Mapping[str, object]) -> set[str]:
    return {name for name, future in tried.items() if _fine(future.exception(SECONDS) and future.exception().args[0])}


def expected(principal: str, operation: str) -> set[str]:
    """Said once more in other words than the grants are made in: from the catalogue's rows."""
    writes = {topic.name for topic in TOPICS.values() if topic.owner == principal}
    reads = writes | {topic.name for topic in TOPICS.values() if principal in topic.readers}
    return {"write": writes, "read": reads, "describe": reads}.get(operation, set())


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("principal", SERVICES)
def test_a_principal_may_do_what_the_catalogue_says_and_nothing_else(kafka, passwords, principal, operation):
    somebody = Somebody(kafka.access.principal(principal, passwords[principal]))
    assert somebody.tries(operation) == expected(principal, operation)


@pytest.mark.parametrize("principal", SERVICES)
def test_a_principal_reads_in_its_own_group_alone(kafka, passwords, principal):
    somebody = Somebody(kafka.access.principal(principal, passwords[principal]))
    readable = min(expected(principal, "read"))
    assert somebody.groups(readable, [*SERVICES, f"{principal}-2", "*"]) == [principal]


def test_every_topic_has_one_writer():
    writers = {topic: [grant.principal for grant in grants() if (grant.name, grant.operation) == (topic, "write")] for topic in TOPICS}
    assert writers == {name: [topic.owner] for name, topic in TOPICS.items()}


@pytest.mark.parametrize(
    "somebody",
    [
        lambda access: Access(access.bootstrap),
        lambda access: Access(access.bootstrap, access.protocol, "dialog", "wrong"),
        lambda access: Access(access.bootstrap, access.protocol, "nobody", "x"),
        lambda access: Access(access.bootstrap, access.protocol, "admin", "admin"),
    ],
    ids=["anonymous", "wrong password", "unknown name", "administrator with a guessed password"],
)
def test_nobody_else_gets_in(kafka, passwords, somebody):
    """INVARIANT: the brokers tell and take nothing before somebody logged in."""
    client = AdminClient({**somebody(kafka.access).librdkafka, "log_level": 0, "socket.timeout.ms": 2000})
    with pytest.raises(KafkaException):
        client.list_topics(timeout=3)


DESCRIBE_ALL_GRANTS = struct.pack(">hhih1sbhbhhbb", 29, 1, 1, 1, b"x", 1, -1, 1, -1, -1, 1, 1)
"""DescribeAcls, version 1, for everything, as it goes over the wire."""


async def tells_its_grants(port: int) -> bool:
    """Whether somebody who never logged in is told the grants on this port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(len(DESCRIBE_ALL_GRANTS).to_bytes(4, "big") + DESCRIBE_ALL_GRANTS)
    try:
        return bool(await asyncio.wait_for(reader.read(4), 10))
    except (ConnectionError, TimeoutError):
        return False
    finally:
        writer.close()


async def test_the_controllers_answer_nobody_who_is_not_one_of_them(kafka):
    """INVARIANT: the way around the brokers' grants is closed too. (On an open cluster the same question is answered.)"""
    for port in kafka.nodes[1]:
        assert not await tells_its_grants(port)
    with LocalKafka() as open_to_all:
        assert await tells_its_grants(open_to_all.nodes[1][1])


def test_what_the_catalogue_no_longer_grants_is_taken_away(kafka, passwords):
    """INVARIANT: a reader that is removed from the catalogue can't read any more; the same again changes nothing."""
    gone = Grant("info", "topic", "dialog.publications.v1", "read")
    assert ensure_principals(kafka.access, passwords) == (0, 0)
    assert ensure_principals(kafka.access, passwords, grants() - {gone}) == (0, 1)
    try:
        info = Somebody(kafka.access.principal("info", passwords["info"]))
        assert gone.name not in info.tries("read")
    finally:
        assert ensure_principals(kafka.access, passwords) == (1, 0)


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_service_proves_its_password_as_its_cluster_keeps_it(kafka, passwords, mechanism):
    """Strimzi makes users of SCRAM-SHA-512 alone; a wrong password is refused in both ways."""
    admin = AdminClient(kafka.access.librdkafka)
    stronger = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    made = UserScramCredentialUpsertion("info", stronger, passwords["info"].encode())
    await asyncio.to_thread(admin.alter_user_scram_credentials([made])["info"].result, SECONDS)
    access = kafka.access.principal("info", passwords["info"])
    settings = {name.lower(): value for name, value in access.environment.items()}
    service = ServiceSettings(database_url="postgresql://nobody@127.0.0.1/x", kafka_sasl_mechanism=mechanism, **settings)
    async with asyncio.timeout(SECONDS), KafkaBroker(access.bootstrap, security=broker_security(service)) as broker:
        assert await broker.ping(5)
    async with AIOKafkaProducer(**client_options(service)) as producer:
        await producer.send_and_wait(min(topic.name for topic in TOPICS.values() if topic.owner == "info"), b"x")
    wrong = service.model_copy(update={"kafka_password": SecretStr("wrong")})
    with pytest.raises(KafkaConnectionError):
        await AIOKafkaProducer(**client_options(wrong)).start()


def test_secrets_are_in_files_of_their_owner_alone(kafka):
    """INVARIANT: no password is on a command line or in a file that others can read."""
    holding = [file for file in kafka.datadir.rglob("*") if file.is_file() and kafka.access.password.encode() in file.read_bytes()]
    assert {file.name for file in holding} == {"admin.password", "server.properties"}
    assert {file.stat().st_mode & 0o777 for file in holding} == {0o600}

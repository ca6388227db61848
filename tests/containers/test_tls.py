"""Kafka with the certificate that docker-compose.yml's has, and who trusts it."""

import pytest
from servicekit.preconditions import of_broker
from servicekit.settings import ServiceSettings

from deploy.containers.authority import Authority
from deploy.containers.parts import ContainerKafka
from deploy.kafka.topics import ensure_topics


@pytest.fixture(scope="module")
def broker(engine):
    running = ContainerKafka(tls=True).start()
    yield running
    running.stop()


def settings(access, **changed):
    environment = {name.lower(): value for name, value in access.environment.items()}
    return ServiceSettings(database_url="postgresql://x@127.0.0.1:1/x", **environment | changed)


async def test_who_trusts_its_authority_is_let_in(broker):
    assert await of_broker(settings(broker.access)) is None
    await ensure_topics(broker.access)


async def test_who_trusts_another_authority_says_so_and_stays_away(broker, tmp_path):
    """The name is the same, the key isn't."""
    other = Authority(tmp_path / "key", tmp_path / "authority.pem").file
    found = await of_broker(settings(broker.access, kafka_ca_file=other))
    assert found is not None
    assert found.setting == "KAFKA_CA_FILE"
    assert "isn't trusted" in found.reason

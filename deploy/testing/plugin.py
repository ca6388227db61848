"""pytest fixtures on real parts; loaded with every test of this tree, and light until a test asks for a part."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from deploy.testing import infra
from deploy.testing.databases import Templates

if TYPE_CHECKING:
    from deploy.containers.parts import ContainerPostgres
    from deploy.local.postgres import LocalPostgres


def pytest_report_header() -> str:
    """Say what the tests run on."""
    return infra.describe()


@pytest.fixture(scope="session")
def postgres() -> Iterator["LocalPostgres | ContainerPostgres"]:
    """A running cluster, one for the session. `.dsn` is its superuser's address."""
    cluster = infra.start_postgres()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def templates(postgres: "LocalPostgres | ContainerPostgres") -> Templates:
    """Migrated databases of which each test gets a copy."""
    return Templates(postgres.dsn)


@pytest.fixture(scope="session")
def kafka() -> Iterator[infra.Kafka]:
    """One broker with the catalogue's topics, which the session's tests share. `.access(service)` is a service's way in."""
    running = infra.start_kafka()
    yield running
    running.cluster.stop()

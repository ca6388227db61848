"""What crosses services is tested on the whole platform: started once for the session, in a folder of its own, on free ports."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from contracts.catalogue import SERVICES

from deploy.local.journey.cast import cast
from deploy.local.journey.stories import Crew
from deploy.local.platform import SMALL_CLUSTER, Platform
from deploy.local.unprivileged import remove_folder
from deploy.testing import infra
from tests.operations.collector import Collector

TRACES = "traces"
"""Folder of the platform with a file of spans per service."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "platform: needs the whole platform; deselect with -m 'not platform'")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "platform" in getattr(item, "fixturenames", ()):
            item.add_marker("platform")


def pytest_report_header() -> str:
    return f"platform: five services, gateway and test login as child processes; databases and Kafka {infra.WAYS[infra.chosen()]}"


@contextmanager
def parts_of_the_platform() -> Iterator[dict[str, str]]:
    """Where the databases and Kafka are that aren't the platform's own: with TEST_INFRA=docker in containers."""
    if infra.chosen() == infra.LOCAL:
        yield {}
        return
    from deploy.containers.parts import for_a_platform

    with for_a_platform(SMALL_CLUSTER) as found:
        yield found


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """What the services of the platform export comes here."""
    running = Collector().start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Platform]:
    """Everything, running; spans in files and exported, logs as talkative as an operator could set them. Kept when a test failed."""
    folder = tmp_path_factory.mktemp("platform")
    exported = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "LOG_LEVEL": "DEBUG"}
    told = {name: {"TRACES_FILE": str(folder / TRACES / f"{name}.jsonl"), **exported} for name in SERVICES}
    with parts_of_the_platform() as outside, Platform(folder, overrides=told, outside=outside) as running:
        yield running
    if not request.session.testsfailed:
        for cluster in (folder / "data" / "postgres").glob("*/cluster"):
            remove_folder(cluster)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def crew(platform: Platform) -> AsyncIterator[Crew]:
    """Those at work, and the addresses."""
    people = Crew(platform.urls, cast())
    yield people
    await people.leave()

"""Real parts for identity's tests: PostgreSQL, the certified test provider, servers on ports of this machine."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.oidc.launcher import LocalOidc

sys.path.append(str(Path(__file__).parent))  # for identity_world
from identity_world import Ports, Running, World, free, provider, running

from deploy.local.journey.browser import Browser
from deploy.testing import service_database
from deploy.testing.agencies import make_agency
from deploy.testing.databases import Templates, opened

database = service_database("identity")


@pytest.fixture(scope="session")
def ports() -> Ports:
    return free()


@pytest.fixture(scope="session")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys of all three, and what they publish."""
    folder = tmp_path_factory.mktemp("agencies")
    for name in ("identity", "helpjourney", "dialog"):
        make_agency(name, folder)
    return folder


@pytest.fixture(scope="session")
def oidc(agencies: Path, ports: Ports) -> Iterator[LocalOidc]:
    started = provider(agencies, ports).start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def services(templates: Templates, agencies: Path, ports: Ports, oidc: LocalOidc) -> Iterator[Running]:
    with running(templates, agencies, ports, oidc) as started:
        yield started


@pytest_asyncio.fixture
async def world(services: Running) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(opened(name, dsn)) for name, dsn in services.dsns.items()]
        made = World(services, *databases)
        await made.clear()
        yield made


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with Browser() as mine:
        yield mine

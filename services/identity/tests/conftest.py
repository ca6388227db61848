"""Real parts for identity's tests: PostgreSQL, the certified test provider, servers on ports of this machine."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.oidc.launcher import LocalOidc

sys.path.append(str(Path(__file__).parent))  # for identity_world
from identity.main import create_service
from identity_world import Ports, World, client_service, free, provider, serving, settings_of
from servicekit.service import create_app
from servicekit.testing import Database, service_database
from servicekit.testing.agencies import make_agency
from servicekit.testing.databases import Templates
from servicekit.testing.plumbing import prepare_plumbing

from deploy.local.journey.browser import Browser

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


@pytest_asyncio.fixture
async def world(database: Database, templates: Templates, agencies: Path, ports: Ports, oidc: LocalOidc) -> AsyncIterator[World]:
    identity = create_app(create_service(settings_of("identity", agencies, database.dsn, ports, oidc)))  # type: ignore[arg-type]
    async with templates.copy("plumbing", prepare_plumbing) as first, templates.copy("plumbing", prepare_plumbing) as second:
        small = [
            client_service(name, settings_of(name, agencies, dsn, ports, oidc), agencies)
            for name, dsn in (("helpjourney", first), ("dialog", second))
        ]
        async with (
            serving(identity, ports.identity),
            serving(small[0], ports.helpjourney),
            serving(small[1], ports.dialog),
        ):
            yield World(ports, oidc, database, agencies, identity, *small)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with Browser() as mine:
        yield mine

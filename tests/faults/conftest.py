"""The platform with three brokers, and a plant per test, whose processes die by an exception."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from servicekit import crash
from servicekit.delivery import outbox
from servicekit.delivery import relay as relaying
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.platform import Platform
from deploy.local.unprivileged import remove_folder
from tests.faults.plant import Plant, die, prepare
from tests.faults.rig import ROOMY

Build = Callable[[], Awaitable[Plant]]


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything, on three brokers: with fewer an acknowledgement proves little. Its data is kept when a test failed."""
    folder = tmp_path_factory.mktemp("platform")
    with Platform(folder, brokers=3, overrides=ROOMY, outside={}) as running:
        yield running
    if not request.session.testsfailed:
        for cluster in (folder / "data" / "postgres").glob("*/cluster"):
            remove_folder(cluster)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Deaths are exceptions, and a producer of the bus needs no farewell."""

    async def nothing(*_: object) -> None: ...

    @asynccontextmanager
    async def careless(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        async with engine.connect() as connection:
            yield connection
            with suppress(DBAPIError):
                await connection.commit()

    monkeypatch.setattr(crash, "_die", die)
    monkeypatch.setattr(relaying, "abandon", nothing)
    monkeypatch.setattr(relaying, "_CURSOR", [0], raising=False)  # three of the mutants need a name in the module
    monkeypatch.setattr(outbox, "_nothing", nothing, raising=False)
    monkeypatch.setattr(outbox, "_careless", careless, raising=False)
    return monkeypatch


@pytest.fixture
async def build(templates, mortal) -> AsyncIterator[Build]:
    """Makes a plant; what is changed in the plumbing must be changed before."""
    async with AsyncExitStack() as stack:

        async def made() -> Plant:
            dsns = [await stack.enter_async_context(templates.copy("plant", prepare)) for _ in range(2)]
            plant = Plant(*dsns, stack)
            mortal.setattr(relaying, "create_producer", plant.bus.producer)
            return plant

        yield made
        crash.arm(None)

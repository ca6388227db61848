"""What the tests of helpjourney stand on: a migrated database of its own per test, the application on it, browsers without a screen."""

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI
from servicekit.service import create_app

from deploy.testing import Database, service_database
from deploy.testing.agencies import make_agency
from deploy.testing.browser import Browser

sys.path.append(str(Path(__file__).parent))  # for helpjourney_givens
from helpjourney.main import create_service
from helpjourney.settings import Settings
from helpjourney_givens import OPENER, OWN_KEY
from helpjourney_scene import Scene

database = service_database("helpjourney")


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """A process of its own, with keys of its own."""
    keys, trust = make_agency("helpjourney", tmp_path)
    (keys / "enc.jwk").write_text(json.dumps(OWN_KEY.as_dict(private=True)))
    (keys / "vault.key").write_bytes(OPENER.vault.wrapping_key)
    return Settings(database_url=database.dsn, keys_dir=keys, trust_dir=trust, data_dir=tmp_path / "data")


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The public web application."""
    app = create_app(create_service(settings))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def browsers(app: FastAPI) -> AsyncIterator[Callable[[], Browser]]:
    """Makes browsers that share nothing."""
    async with AsyncExitStack() as stack:
        made: list[Browser] = []

        def another() -> Browser:
            made.append(Browser(app))
            return made[-1]

        yield another
        for browser in made:
            await stack.enter_async_context(browser)


@pytest.fixture
def browser(browsers: Callable[[], Browser]) -> Browser:
    return browsers()


@pytest.fixture
async def scene(database: Database) -> Scene:
    """Entered directly; nothing wished yet."""
    return await Scene(database).enter()

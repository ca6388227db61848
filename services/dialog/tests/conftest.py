"""Real parts for dialog's tests: a migrated database, the whole application on it, and browsers without a screen."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from asgi_lifespan import LifespanManager
from contracts.codes import LevelOfAssurance
from dialog.main import create_service
from dialog.settings import Settings
from fastapi import FastAPI
from servicekit.service import create_app
from servicekit.web.browser_session import BrowserSession, Login, log_in, new_record
from servicekit.web.cookie import COOKIE

from deploy.local.journey.browser import Browser
from deploy.local.keys import make_keys
from deploy.testing import Database, service_database

HOST = "snakk.localhost"
HOME = f"http://{HOST}:8080"

database = service_database("dialog")

MakeApp = Callable[..., Awaitable[FastAPI]]
Browse = Callable[..., Browser]
StaffBrowser = Callable[..., Awaitable[Browser]]


@dataclass
class AppBrowser(Browser):
    """A browser that talks to an application of this process."""

    app: FastAPI | None = None
    raises: bool = True
    """Whether what goes wrong in the application goes wrong in the test; else the page of the error is shown, as to people."""

    def __post_init__(self) -> None:
        assert self.app is not None
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app, raise_app_exceptions=self.raises), follow_redirects=False)


@pytest.fixture(scope="session")
def agency_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `keys/<agency>` and `trust`, as each agency would have its own."""
    folder = tmp_path_factory.mktemp("agencies")
    make_keys(folder, ["dialog", "helpjourney"])
    return folder


@pytest.fixture
async def make_app(database: Database, agency_keys: Path) -> AsyncIterator[MakeApp]:
    """Makes the application with other settings than the usual: `await make_app(question_capacity=1)`."""
    running: list[LifespanManager] = []

    async def make(**settings: object) -> FastAPI:
        folders = {"keys_dir": agency_keys / "keys" / "dialog", "trust_dir": agency_keys / "trust"}
        app = create_app(create_service(Settings.model_validate({"database_url": database.dsn, "dialog_url": HOME, **folders, **settings})))
        manager = LifespanManager(app)
        await manager.__aenter__()
        running.append(manager)
        return app

    yield make
    for manager in running:
        await manager.__aexit__()


@pytest.fixture
async def app(make_app: MakeApp) -> FastAPI:
    return await make_app()


@pytest.fixture
def browse(app: FastAPI) -> Browse:
    """A new browser: `browse(language="nn")`; `on=` another application; `raises=False` shows error pages."""

    def new(language: str = "nb", on: FastAPI | None = None, *, raises: bool = True) -> Browser:
        return AppBrowser(language, app=on or app, raises=raises)

    return new


@pytest.fixture
def staff_browser(database: Database, browse: Browse) -> StaffBrowser:
    """A browser of someone at work, already logged in."""

    async def log_in_as(
        roles: Iterable[str] = ("panel",),
        organisation: str = "999999901",
        subject: UUID | None = None,
        on: FastAPI | None = None,
        language: str = "nb",
        unit: UUID | None = None,
    ) -> Browser:
        browser = browse(language, on)
        session = BrowserSession(new_record())
        login = Login(
            subject or uuid4(),
            uuid4(),
            LevelOfAssurance.HIGH,
            datetime.now(UTC),
            organisation=organisation,
            organisation_name=f"Prøveetaten {organisation[-2:]}",
            roles=frozenset(roles),
            unit=unit,
        )
        async with database.begin() as uow:
            await log_in(uow, session, login, {"issued_at": time.time(), "refresh": "none"})
        browser.cookies[HOST, COOKIE, "/"] = session.token
        return browser

    return log_in_as

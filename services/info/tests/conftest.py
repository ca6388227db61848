"""What info's tests share: a migrated database each, filled with the seeds where a test asks, and the application on it."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from asgi_lifespan import LifespanManager
from contracts.codes import LevelOfAssurance
from contracts.dialog import AnswerApproved
from fastapi import FastAPI
from info import seeds
from info.main import create_service
from info.settings import Settings
from servicekit.migrations import upgrade
from servicekit.service import create_app
from servicekit.web.browser_session import BrowserSession, Login, log_in, new_record
from servicekit.web.cookie import COOKIE

from deploy.local.keys import make_keys
from deploy.testing import Database, Templates, service_database
from deploy.testing.databases import opened

SEEDS = Path(__file__).parents[1] / "seeds"
HOME = "http://localhost:8080"
database = service_database("info")

StaffBrowser = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture(scope="session")
def seed_files() -> seeds.Seeds:
    """The seeds as they stand in the files."""
    return seeds.read(SEEDS)


@pytest.fixture
async def seeded(templates: Templates, seed_files: seeds.Seeds) -> AsyncIterator[Database]:
    """A database that holds the seeds; they are loaded once, into a template of their own."""

    async def prepare(dsn: str) -> None:
        await asyncio.to_thread(upgrade, "info", dsn)
        async with opened("info", dsn) as fresh:
            await seeds.load(fresh.begin, seed_files)

    async with templates.copy("info_seeded", prepare) as dsn, opened("info", dsn) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def agency_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agencies")
    make_keys(folder, ["info"])
    return folder


@pytest.fixture
async def app(seeded: Database, agency_keys: Path) -> AsyncIterator[FastAPI]:
    """The whole web application on the seeds."""
    folders = {"keys_dir": agency_keys / "keys" / "info", "trust_dir": agency_keys / "trust"}
    calm = {"shared_page_seconds": 0, "usage_flush_seconds": 3600}
    made = create_app(create_service(Settings.model_validate({"database_url": seeded.dsn, **calm, **folders})))
    async with LifespanManager(made):
        yield made


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that nobody has used, set to Bokmål."""
    async with client(app, "text/html") as made:
        yield made


@pytest.fixture
async def program(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Another site's program."""
    async with client(app, "application/json") as made:
        yield made


def client(app: FastAPI, accept: str) -> httpx.AsyncClient:
    headers = {"accept": accept, "accept-language": "nb"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=HOME, headers=headers)


@pytest.fixture
async def staff_browser(app: FastAPI, seeded: Database) -> AsyncIterator[StaffBrowser]:
    """Logs somebody at work in: `await staff_browser("info_editor")`."""
    opened: list[httpx.AsyncClient] = []

    async def log_in_as(*roles: str) -> httpx.AsyncClient:
        session = BrowserSession(new_record())
        login = Login(
            uuid4(),
            uuid4(),
            LevelOfAssurance.HIGH,
            datetime.now(UTC),
            organisation="300000085",
            organisation_name="Stegvis fagpanel (oppdiktet)",
            roles=frozenset(roles),
        )
        async with seeded.begin() as uow:
            await log_in(uow, session, login, {"issued_at": time.time(), "refresh": "none"})
        made = client(app, "text/html")
        made.headers["cookie"] = f"{COOKIE}={session.token}"
        opened.append(made)
        return made

    yield log_in_as
    for made in opened:
        await made.aclose()


@dataclass(frozen=True)
class Form:
    """A form found on a page."""

    action: str
    fields: dict[str, str]

    async def send(self, browser: httpx.AsyncClient, **headers: str) -> httpx.Response:
        sent = {"sec-fetch-site": "same-origin", "origin": HOME} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await browser.post(self.action, data=self.fields, headers=sent)


@pytest.fixture
def forms() -> Callable[[httpx.Response, str], list[Form]]:
    """The forms of a page whose address holds a text: `forms(page, "/trekk")`."""
    hidden = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')

    def find(page: httpx.Response, action: str) -> list[Form]:
        found = re.findall(r'<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>', page.text, re.DOTALL)
        return [Form(to, dict(hidden.findall(body))) for to, body in found if action in to]

    return find


@pytest.fixture
def approved() -> AnswerApproved:
    """An answer that dialog lets everybody read, with markup and odd spacing in it."""
    return AnswerApproved(
        publication_id=uuid4(),
        title="Kan en linjal være bøyd?",
        question="Jeg fant en\n\n<b>bøyd</b> linjal.",
        answer="Ja, den heter **kurvelinjal**.",
        topic_code="school",
        language="nb",
        age_band="13_15",
        answered_on=date(2026, 11, 20),
        answered_by="Lærer, Stegvis fagpanel",
    )

"""A small service with a page, a form and an API, on a real database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic import SecretStr
from servicekit.delivery.tables import browser_sessions
from servicekit.idempotency import once
from servicekit.service import Service, create_app
from servicekit.settings import ServiceSettings
from servicekit.web import relying_party
from servicekit.web.form import new_form
from servicekit.web.sessions import SessionNow, StaffSession, YouthSession, end, save, youth_session_at
from servicekit.web.submission import PresentedByOtherSite, Submitted
from servicekit.web.transaction import Transaction
from sqlalchemy import delete

from deploy.testing.agencies import make_agency
from deploy.testing.browser import Browser
from deploy.testing.databases import Templates
from deploy.testing.plumbing import prepare_plumbing

NAME = "helpjourney"
router = APIRouter()


class PlainPages:
    """The least that a service needs of its look."""

    def install(self, app: FastAPI) -> None:
        app.state.pages = self

    def share(self, app: FastAPI) -> None:
        """Nothing is shared here."""

    def render(self, request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        headers = context.pop("headers", None)
        return HTMLResponse(f"{template} {context}", status, headers)

    def error(self, request: Request, status: int, code: str) -> Response:
        return HTMLResponse(f"error {code}", status)

    def language(self, request: Request) -> str:
        return "nb"


@router.get("/")
async def front() -> PlainTextResponse:
    return PlainTextResponse("no form here")


@router.get("/note")
async def note_page(session: SessionNow) -> HTMLResponse:
    form = new_form(session)
    hidden = f'<input type="hidden" name="csrf" value="{form.csrf}"><input type="hidden" name="key" value="{form.key}">'
    return HTMLResponse(f'<form method="post" action="/note">{hidden}</form><p>{session.state.get("note", "")}</p>')


@router.post("/note")
async def write_note(submitted: Submitted, begin: Transaction) -> PlainTextResponse:
    submitted.session.state["note"] = submitted.text("note", most=20)
    async with begin() as uow:
        await save(uow, submitted.session)
    return PlainTextResponse(submitted.fingerprint().hex())


@router.post("/letter")
async def send_letter(submitted: Submitted, begin: Transaction) -> PlainTextResponse:
    async def act() -> dict[str, str]:
        return {}

    async with begin() as uow:
        await once(uow, submitted.key, submitted.fingerprint(), act)
    return PlainTextResponse("sent")


@router.post("/me/letter")
async def send_letter_as_oneself(_: YouthSession, submitted: Submitted, begin: Transaction) -> PlainTextResponse:
    return await send_letter(submitted, begin)


@router.post("/end")
async def end_session(submitted: Submitted, begin: Transaction) -> PlainTextResponse:
    async with begin() as uow:
        await end(uow, submitted.session)
    return PlainTextResponse("ended")


@router.post("/present")
async def present(presented: PresentedByOtherSite) -> PlainTextResponse:
    return PlainTextResponse(presented.text("secret", most=100))


@router.get("/me")
async def me(session: YouthSession) -> PlainTextResponse:
    return PlainTextResponse(str(session.subject))


@router.get("/me/high")
async def me_at_high(request: Request, session: YouthSession) -> PlainTextResponse:
    await youth_session_at("idporten-loa-high")(request, session)
    return PlainTextResponse("high")


@router.get("/ansatt")
async def staff(session: StaffSession) -> PlainTextResponse:
    return PlainTextResponse(session.organisation)


@pytest.fixture(scope="session")
def agencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agencies")
    for name in (NAME, "identity"):
        make_agency(name, folder)
    return folder


@pytest.fixture(scope="session")
def dsn(templates: Templates) -> Iterator[str]:
    """One database for all tests here; each finds it empty."""
    loop = asyncio.new_event_loop()
    copy = templates.copy("plumbing", prepare_plumbing)
    yield loop.run_until_complete(copy.__aenter__())
    loop.run_until_complete(copy.__aexit__(None, None, None))
    loop.close()


@pytest.fixture
def settings(agencies: Path, dsn: str) -> ServiceSettings:
    return ServiceSettings(
        database_url=SecretStr(dsn),
        keys_dir=agencies / "keys" / NAME,
        trust_dir=agencies / "trust",
        identity_internal_url="http://127.0.0.1:9",
    )


@pytest_asyncio.fixture
async def app(settings: ServiceSettings) -> AsyncIterator[FastAPI]:
    made = create_app(Service(name=NAME, settings=settings, routers=[router, relying_party.router], pages=PlainPages()))
    async with made.state.begin() as uow:
        await uow.connection.execute(delete(browser_sessions))
    yield made
    await made.state.engine.dispose()


@pytest_asyncio.fixture
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    async with Browser(app) as visitor:
        yield visitor

"""Errors for people and for programs."""

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from servicekit import problems
from servicekit.idempotency import KeyReusedError
from servicekit.problems import TITLES, Problem

CANARY = "05897499887"


class PlainPages:
    def error(self, request: Request, status: int, code: str) -> Response:
        return HTMLResponse(f"<p>{code} 113</p>", status)

    def language(self, request: Request) -> str:
        return request.headers.get("accept-language", "nb")


class Body(BaseModel):
    number: int


@pytest.fixture
async def client():
    app = FastAPI()
    problems.install(app, PlainPages())

    @app.post("/api/things/{thing_id}")
    async def change(thing_id: int, body: Body) -> int:
        return body.number

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError(CANARY)

    @app.get("/away")
    async def away() -> None:
        raise ConnectionRefusedError(CANARY)

    @app.get("/twice")
    async def twice() -> None:
        raise KeyReusedError

    @app.get("/busy")
    async def busy() -> None:
        raise Problem(429, headers={"Retry-After": "9"})

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://trial") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/things/1", {"number": CANARY + "x"}, 422),
        ("POST", f"/api/things/{CANARY}x", {"number": 1}, 404),
        ("GET", "/fails", None, 500),
        ("GET", "/away", None, 503),
        ("GET", f"/nowhere/{CANARY}", None, 404),
        ("DELETE", "/fails", None, 405),
        ("GET", "/busy", None, 429),
        ("GET", "/twice", None, 409),
    ],
)
async def test_no_error_echoes_what_was_sent_or_shows_a_stack(client, method, path, body, status):
    """INVARIANT: an error holds nothing that was sent."""
    for accept in ("application/json", "text/html"):
        answer = await client.request(method, path, json=body, headers={"Accept": accept})
        assert answer.status_code == status
        assert CANARY not in answer.text + str(answer.headers)
        assert "Traceback" not in answer.text


async def test_a_program_gets_a_problem_document_in_its_language_and_a_person_a_page(client):
    answer = await client.get("/busy", headers={"Accept": "application/json", "Accept-Language": "nn"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "urn:stegvis:problem:too_many", "title": TITLES["too_many"]["nn"], "status": 429}
    assert answer.headers["retry-after"] == "9"
    page = await client.get("/busy", headers={"Accept": "text/html,*/*"})
    assert "113" in page.text


async def test_a_field_that_is_wrong_is_named_without_its_value(client):
    answer = await client.post("/api/things/1", json={"number": CANARY + "x"})
    assert answer.json()["fields"] == {"number": "int_parsing"}


def test_every_problem_has_words_in_three_languages():
    assert all({"nb", "nn", "en"} <= set(titles) for titles in TITLES.values())

"""Requests are counted by route and status, failed ones too, and by nothing that was sent."""

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY, generate_latest
from servicekit import problems
from servicekit.http_metrics import RequestMetrics

CANARY = "05897499887"


@pytest.fixture
async def client():
    app = FastAPI()
    problems.install(app, None)
    app.add_middleware(RequestMetrics)

    @app.get("/counted/{thing}")
    async def counted(thing: str) -> str:
        return thing

    @app.get("/counted-failure")
    async def fails() -> None:
        raise ValueError(CANARY)

    @app.get("/counted-away")
    async def away() -> None:
        raise ConnectionRefusedError(CANARY)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://trial") as client:
        yield client


def counted(route: str, status: int) -> float:
    return REGISTRY.get_sample_value("stegvis_http_requests_total", {"method": "GET", "route": route, "status": str(status)}) or 0


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        (f"/counted/{CANARY}", "/counted/{thing}", 200),
        ("/counted-failure", "/counted-failure", 500),
        ("/counted-away", "/counted-away", 503),
        (f"/nowhere/{CANARY}", "none", 404),
    ],
)
async def test_an_answer_is_counted_once_by_route_and_status(client, path, route, status):
    """INVARIANT: no label holds what was sent; operations see what fails."""
    before = counted(route, status)
    assert (await client.get(path)).status_code == status
    assert counted(route, status) == before + 1
    assert CANARY not in generate_latest().decode()

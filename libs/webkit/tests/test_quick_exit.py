"""The way out."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SmallService = Callable[..., FastAPI]

EXIT = "https://www.yr.no/"


class Ended:
    """Counts the sessions that were ended."""

    def __init__(self, error: Exception | None = None) -> None:
        self.times, self.error = 0, error

    async def __call__(self, request: Request) -> None:
        self.times += 1
        if self.error:
            raise self.error


def left(response: httpx.Response) -> bool:
    return response.status_code == 303 and response.headers["location"] == EXIT and response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("headers", [{"sec_fetch_site": "same-origin"}, {"origin": "https://snakk.example"}])
async def test_it_ends_the_session_clears_the_browser_and_leads_away(
    small_service: SmallService, visit: Visit, headers: dict[str, str]
) -> None:
    """INVARIANT: after the quick exit this browser is no longer logged in, and keeps nothing of this host."""
    ended = Ended()
    async with visit(small_service(leave=ended), **headers) as client:
        response = await client.post("/forlat")
    assert left(response)
    assert response.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert ended.times == 1


@pytest.mark.parametrize(
    "headers", [{"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"origin": "https://x.example"}, {}]
)
async def test_another_sites_form_ends_nothing(small_service: SmallService, visit: Visit, headers: dict[str, str]) -> None:
    """INVARIANT: only a page of this host can log her out."""
    ended = Ended()
    async with visit(small_service(leave=ended), **headers) as client:
        response = await client.post("/forlat")
    assert left(response)
    assert "clear-site-data" not in response.headers
    assert ended.times == 0


async def test_it_leads_away_also_when_the_session_cannot_be_ended(small_service: SmallService, visit: Visit) -> None:
    async with visit(small_service(leave=Ended(ConnectionError("database away"))), sec_fetch_site="same-origin") as client:
        response = await client.post("/forlat")
    assert left(response)
    assert "cookies" in response.headers["clear-site-data"]


async def test_it_uses_what_the_service_keeps_on_its_state(small_service: SmallService, visit: Visit) -> None:
    ended = Ended()
    app: FastAPI = small_service()
    app.state.leave = ended
    async with visit(app, sec_fetch_site="same-origin") as client:
        await client.post("/forlat")
    assert ended.times == 1


async def test_looking_at_it_changes_nothing(small_service: SmallService, visit: Visit) -> None:
    ended = Ended()
    async with visit(small_service(leave=ended), sec_fetch_site="same-origin") as client:
        response = await client.get("/forlat")
    assert response.status_code == 405
    assert ended.times == 0


async def test_every_page_says_what_it_cannot_do(visit: Visit) -> None:
    async with visit() as client:
        html = (await client.get("/")).text
    assert "«Forlat siden» sletter ikke historikken." in html
    assert "Besøket kan likevel stå i historikken" in html
    assert 'aria-describedby="exit-limits"' in html

"""Who can't be taken on now gets a page that leads back to where she was, wherever that is."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response
from webkit.refusal import HERE

from deploy.testing.html import links

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def crowded(small_service: Callable[..., FastAPI]) -> FastAPI:
    app = small_service("info", "open")

    async def answer(request: Request) -> Response:
        return app.state.pages.crowded(request)

    for path in ("/sok", "/hjelp/{name}", "/ansatt/desk"):
        app.add_api_route(path, answer, methods=["GET", "POST"])
    return app


async def test_it_leads_back_to_the_same_address_and_to_a_human(crowded: FastAPI, visit: Visit) -> None:
    async with visit(crowded, accept="text/html") as client:
        answers = [await client.get(path) for path in ("/sok?q=angst", "/hjelp/a")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].content == answers[1].content, "made once"
    text = answers[0].text
    assert HERE not in text
    assert "" in links(text), "an empty link is the same address, query and all"
    assert "?spraak=nn" in links(text)
    assert "tel:116111" in links(text)
    assert answers[0].headers["cache-control"] == "no-store"


async def test_each_language_coding_and_level_has_its_own(crowded: FastAPI, visit: Visit) -> None:
    async with visit(crowded, accept="text/html") as client:
        nb, nn = [await client.get("/sok", headers={"accept-language": each}) for each in ("nb", "nn")]
        chosen = await client.get("/sok", headers={"cookie": "__Host-spraak=nn"})
        plain = await client.get("/sok", headers={"accept-language": "nb", "accept-encoding": "identity"})
        staff = await client.get("/ansatt/desk")
    assert "Vi rekker ikke alle akkurat nå" in nb.text
    assert "Vi rekk ikkje alle akkurat no" in nn.text
    assert chosen.text == nn.text
    assert nb.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.text == nb.text
    assert staff.headers["x-robots-tag"] == "noindex, nofollow"


async def test_a_form_that_was_refused_gets_the_page_too(crowded: FastAPI, visit: Visit) -> None:
    async with visit(crowded, accept="text/html") as client:
        answer = await client.post("/sok")
    assert answer.status_code == 503
    assert "sender det på nytt" in answer.text

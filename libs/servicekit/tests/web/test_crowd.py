"""Too many at once: those that are taken on are answered, the others are told at once, and afterwards all is as before."""

import asyncio

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from servicekit.web.crowd import Crowd

from deploy.testing import settled

MOST = 4


class Site:
    """Answers when the gate opens."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun = 0
        app = FastAPI()
        for path in ("/", "/static/site.css", "/forlat"):
            app.add_api_route(path, self.answer, methods=["GET", "POST"])
        app.add_api_route("/stream", self.stream)
        app.add_api_route("/fails", self.fails)
        self.app = Crowd(app, refuse=lambda _request: PlainTextResponse("full", 503, {"Retry-After": "5"}), most=MOST)
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="https://snakk.example")

    async def answer(self, request: Request) -> Response:
        self.begun += 1
        await self.gate.wait()
        return PlainTextResponse(request.method)

    async def fails(self) -> None:
        raise RuntimeError("on purpose")

    async def stream(self) -> StreamingResponse:
        async def words():  # type: ignore[no-untyped-def]
            yield "a"
            await self.gate.wait()

        return StreamingResponse(words())

    async def start(self, count: int, method: str = "GET", path: str = "/") -> list[asyncio.Task[httpx.Response]]:
        tasks = [asyncio.create_task(self.client.request(method, path)) for _ in range(count)]
        await settled()
        return tasks


async def test_who_is_taken_on_is_answered_and_the_others_know_at_once_when_to_come_again() -> None:
    site = Site()
    tasks = await site.start(MOST + 2, path="/?q=angst")
    refused = [task.result() for task in tasks if task.done()]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in refused] == [(503, "5")] * 2
    assert site.begun == MOST
    site.gate.set()
    assert sorted(answer.status_code for answer in await asyncio.gather(*tasks)) == [200] * MOST + [503] * 2
    assert (await site.client.get("/")).status_code == 200


async def test_a_page_gets_in_where_a_search_does_not_and_a_form_where_a_page_does_not() -> None:
    """A page is for many, and somebody has written the form."""
    site = Site()
    await site.start(MOST, path="/?q=angst")
    assert (await site.client.get("/?q=angst")).status_code == 503
    await site.start(MOST // 2)
    assert (await site.client.get("/")).status_code == 503
    forms = await site.start(MOST - MOST // 2, "POST")
    assert (await site.client.post("/")).status_code == 503
    site.gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*forms)] == [200] * len(forms)


async def test_the_way_out_and_the_style_sheet_are_never_refused() -> None:
    site = Site()
    await site.start(2 * MOST, "POST")
    others = await site.start(1, "POST", "/forlat") + await site.start(1, "GET", "/static/site.css")
    site.gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*others)] == [200, 200]


async def test_a_stream_that_flows_and_a_request_that_failed_take_no_place() -> None:
    site = Site()
    streams = [task for _ in range(2 * MOST) for task in await site.start(1, path="/stream")]
    assert [(await site.client.get("/fails")).status_code for _ in range(2 * MOST)] == [500] * 2 * MOST
    site.gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*streams)] == [200] * 2 * MOST
    assert (await site.client.get("/")).status_code == 200

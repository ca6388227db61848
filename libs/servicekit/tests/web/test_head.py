"""HEAD on the routes of a service, also over a real server."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
from servicekit.web.head import HeadAsGet

ended = asyncio.Event()


def build() -> FastAPI:
    app = FastAPI()
    app.add_middleware(HeadAsGet)

    @app.get("/page")
    async def page() -> PlainTextResponse:
        return PlainTextResponse("four", headers={"ETag": '"1"'})

    @app.post("/only-post")
    async def only_post() -> PlainTextResponse:
        return PlainTextResponse("done")

    @app.get("/fails")
    async def fails() -> PlainTextResponse:
        raise RuntimeError("on purpose")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def forever() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"data: x\n\n"
                    await asyncio.sleep(0.01)
            finally:
                ended.set()

        return StreamingResponse(forever(), media_type="text/event-stream")

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build(), log_level="critical", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=30) as asking:
            yield asking
        server.should_exit = True
        await serving


async def test_head_has_the_headers_of_get_and_no_body(client: httpx.AsyncClient) -> None:
    got, head = await client.get("/page"), await client.head("/page")
    assert (head.status_code, head.content) == (200, b"")
    assert {name: head.headers[name] for name in ("content-length", "content-type", "etag")} == {
        name: got.headers[name] for name in ("content-length", "content-type", "etag")
    }


async def test_head_where_only_a_form_may_be_sent_is_refused_like_get(client: httpx.AsyncClient) -> None:
    assert (await client.head("/only-post")).status_code == (await client.get("/only-post")).status_code == 405
    assert (await client.head("/nowhere")).status_code == 404


async def test_head_of_a_stream_ends_and_leaves_nothing_running(client: httpx.AsyncClient) -> None:
    ended.clear()
    assert (await client.head("/stream")).headers["content-type"].startswith("text/event-stream")
    async with asyncio.timeout(30):
        await ended.wait()
    assert (await client.get("/page")).text == "four"


async def test_a_failure_is_a_failure_under_head_too_and_has_no_body(client: httpx.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"HEAD /fails HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert body == b""

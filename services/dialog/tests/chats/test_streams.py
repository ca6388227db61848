"""Messages arrive as they are written, over a real server: in order, after a gap, and until the process stops."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from dialog.handlers.chats import EndChat, end_chat
from dialog.handlers.handoffs import GoAndLogIn, go_and_log_in
from servicekit.web.cookie import COOKIE
from sqlalchemy import text

from deploy.testing import until

HOST = "snakk.localhost:8080"
HOME = f"http://{HOST}"
SOON = 20
"""Seconds: a moment, on a machine that stands still now and then."""


class Stream:
    """What came over one connection, as (event, id, data)."""

    def __init__(self) -> None:
        self.status = 0
        self.events: list[tuple[str, str, str]] = []
        self.closed = False

    def numbers(self) -> list[int]:
        return [int(number) for kind, number, _ in self.events if kind == "message"]

    def saw(self, kind: str) -> bool:
        return any(event[0] == kind for event in self.events)

    async def read(self, lines: AsyncIterator[str]) -> None:
        fields: dict[str, list[str]] = {}
        async for line in lines:
            if line:
                name, _, value = line.partition(": ")
                fields.setdefault(name, []).append(value)
            elif "data" in fields or "event" in fields:
                kind, number = fields.get("event", ["message"])[0], fields.get("id", [""])[0]
                self.events.append((kind, number, "\n".join(fields.get("data", []))))
                fields = {}
            else:
                fields = {}
        self.closed = True


@pytest.fixture
async def port(app: Any) -> AsyncIterator[int]:
    """The application behind a real server; its own lifespan runs already."""
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listening]))
    yield listening.getsockname()[1]
    app.state.stopping.set()
    server.should_exit = True
    await task


@asynccontextmanager
async def opened(port: int, browser: Any, path: str, last: str = "") -> AsyncIterator[Stream]:
    token = browser.cookies["snakk.localhost", COOKIE, "/"]
    headers = {"host": HOST, "cookie": f"{COOKIE}={token}", "accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
    stream = Stream()
    async with httpx.AsyncClient(timeout=30) as client, client.stream("GET", f"http://127.0.0.1:{port}{path}", headers=headers) as response:
        stream.status = response.status_code
        reading = asyncio.create_task(stream.read(response.aiter_lines()))
        yield stream
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


@pytest.fixture
async def talk(app: Any, browse: Any, staff_browser: Any, centre: Any) -> tuple[Any, Any, Any, str]:
    """Youth, helper, the chat, and the address of the helper's page."""
    centre.vault = app.state.chats.vault
    helper, youth = await staff_browser(roles=("helper",)), browse()
    await helper.submit((await helper.get(f"{HOME}/ansatt/samtaler")).form("/ansatt/vakt"))
    await youth.submit((await youth.get(f"{HOME}/chat")).form("/chat"), {"service": str(centre.service_id)})
    desk = await helper.submit((await helper.get(f"{HOME}/ansatt/samtaler")).form("/ta"))
    path = desk.url.removeprefix(HOME)
    return youth, helper, await centre.read(UUID(path.rpartition("/")[2])), path


async def test_what_the_helper_writes_reaches_the_youth_in_order(centre: Any, port: int, talk: Any) -> None:
    """INVARIANT: a stream shows each message once, in the order written."""
    youth, _, chat, _ = talk
    async with opened(port, youth, "/chat/strom") as stream:
        await until(lambda: _true(stream.saw("status")))
        for number in range(5):
            await centre.say(chat, f"hei {number}", chat.helper)
        await until(lambda: _true(len(stream.numbers()) == 5), seconds=SOON)
    assert stream.numbers() == [1, 2, 3, 4, 5]
    assert "hei 0" in next(data for kind, _, data in stream.events if kind == "message")


async def test_a_stream_goes_on_where_the_browser_lost_it(centre: Any, port: int, talk: Any) -> None:
    """INVARIANT: after a gap nothing is missing and nothing comes twice."""
    youth, _, chat, _ = talk
    for number in range(4):
        await centre.say(chat, f"hei {number}", chat.helper)
    for path, last, expected in (
        ("/chat/strom?etter=3", "", [4]),
        ("/chat/strom?etter=1", "2", [3, 4]),
        ("/chat/strom", "x", [1, 2, 3, 4]),
    ):
        async with opened(port, youth, path, last) as stream:
            await until(partial(_saw_status, stream))
            assert stream.numbers() == expected


async def test_text_is_text_in_a_stream(centre: Any, port: int, talk: Any) -> None:
    """INVARIANT: nothing that one writes becomes markup at the other."""
    _, helper, chat, path = talk
    await centre.say(chat, "<script>alert(1)</script>\n\nevent: over")
    async with opened(port, helper, f"{path}/strom") as stream:
        await until(lambda: _true(stream.numbers() == [1]))
    (data,) = [data for kind, _, data in stream.events if kind == "message"]
    assert "&lt;script&gt;" in data
    assert "<script>" not in data
    assert not stream.saw("over")


async def test_the_helper_sees_live_that_she_tries_to_log_in(centre: Any, database: Any, port: int, talk: Any) -> None:
    _, helper, chat, path = talk
    async with opened(port, helper, f"{path}/strom") as stream:
        await until(lambda: _true(stream.saw("status")))
        async with database.begin() as uow:
            await go_and_log_in(GoAndLogIn(chat.id), uow)
        await until(lambda: _true(any("prøver å logge inn" in data for _, _, data in stream.events)), seconds=SOON)


async def test_a_stream_ends_with_the_chat(centre: Any, database: Any, port: int, talk: Any) -> None:
    youth, helper, chat, path = talk
    async with opened(port, youth, "/chat/strom") as hers, opened(port, helper, f"{path}/strom") as his:
        await until(lambda: _true(hers.saw("status") and his.saw("status")))
        async with database.begin() as uow:
            await end_chat(EndChat(chat.id), uow)
        await until(lambda: _true(hers.closed and his.closed), seconds=SOON)
    assert hers.saw("over")
    assert his.saw("over")


async def test_a_stream_ends_when_the_process_stops(app: Any, port: int, talk: Any) -> None:
    """INVARIANT: open streams don't hold a graceful stop."""
    youth, *_ = talk
    async with opened(port, youth, "/chat/strom") as stream:
        await until(lambda: _true(stream.saw("status")))
        app.state.stopping.set()
        await until(lambda: _true(stream.closed), seconds=SOON)
    assert not stream.saw("over")


async def test_streams_hear_again_after_the_database_dropped_the_listener(centre: Any, database: Any, port: int, talk: Any) -> None:
    """INVARIANT: a lost connection to the database delays messages and loses none."""
    youth, _, chat, _ = talk
    async with opened(port, youth, "/chat/strom") as stream:
        await until(lambda: _true(stream.saw("status")))
        async with database.engine.begin() as connection:
            others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
            dropped = await connection.execute(text(others + " and wait_event = 'ClientRead' and query ilike '%listen%'"))
            assert len(dropped.all()) == 1
        await centre.say(chat, "etterpå", chat.helper)
        await until(lambda: _true(stream.numbers() == [1]), seconds=SOON)


async def test_a_stranger_gets_no_stream(browse: Any, port: int, talk: Any) -> None:
    """INVARIANT: a stream opens for its own session only."""
    stranger = browse()
    await stranger.get(f"{HOME}/chat")
    async with opened(port, stranger, "/chat/strom") as stream:
        assert stream.status == 404


async def _saw_status(stream: Stream) -> bool:
    return stream.saw("status")


async def _true(value: object) -> object:
    return value

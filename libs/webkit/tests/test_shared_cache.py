"""One open page for many readers: made once, for a moment, and never with anything of one of them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from webkit.shared_cache import MOST_RENEWALS, Kept, SharedCache, Shelf, each_time

from deploy.testing import settled

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SHARED = {"Cache-Control": "public, max-age=10", "ETag": '"a"'}


class Site:
    """A small application behind a cache of 5 s; counts what it makes."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.made: list[str] = []
        self.views = 0
        self.now = 0.0
        self.headers = dict(SHARED)
        self.status = 200
        self.gate = asyncio.Event()
        self.gate.set()
        app = FastAPI()
        app.add_api_route("/", self.page, response_class=HTMLResponse)
        app.add_api_route("/stream", self.stream)
        self.app = SharedCache(app, seconds=5, clock=lambda: self.now, shelf=shelf)

    async def page(self, request: Request) -> Response:
        self.made.append(request.headers.get("cookie", ""))
        await self.gate.wait()
        each_time(request, self._view)
        return HTMLResponse(f"<p>{len(self.made)} {request.headers.get('cookie', '')}", self.status, self.headers)

    async def stream(self) -> Response:
        async def words():  # type: ignore[no-untyped-def]
            yield "<p>"
            await self.gate.wait()
            yield "end"

        return StreamingResponse(words(), headers=self.headers, media_type="text/html")

    def _view(self) -> None:
        self.views += 1


@pytest.fixture
def reading(visit: Visit) -> Callable[[Site], AbstractAsyncContextManager[httpx.AsyncClient]]:
    return lambda site: visit(site.app, accept="text/html")


Reading = Callable[[Site], AbstractAsyncContextManager[httpx.AsyncClient]]


async def test_a_page_is_made_once_for_its_seconds_and_counted_each_time(reading: Reading) -> None:
    site = Site()
    async with reading(site) as client:
        texts = [(await client.get("/")).text for _ in range(3)]
        site.now = 4.9
        texts.append((await client.get("/")).text)
        assert len(set(texts)) == 1
        site.now = 10.0
        assert (await client.get("/")).text not in texts
    assert (len(site.made), site.views) == (2, 5)


async def test_an_older_page_is_given_out_while_it_is_made_anew_beside_the_readers(reading: Reading) -> None:
    """INVARIANT: nobody waits for a page that somebody had a moment ago, and views are counted as often as it was read."""
    site = Site()
    async with reading(site) as client:
        old = (await client.get("/")).text
        site.now, site.gate = 5.0, asyncio.Event()
        assert [(await client.get("/")).text for _ in range(3)] == [old] * 3
        await settled()
        assert (len(site.made), site.views) == (2, 4)
        site.gate.set()
        await settled()
        assert (await client.get("/")).text != old
    assert (len(site.made), site.views) == (2, 5)


async def test_what_was_taken_away_is_not_given_out_again(reading: Reading) -> None:
    site = Site()
    async with reading(site) as client:
        await client.get("/")
        site.now, site.status = 5.0, 410
        await client.get("/")
        await settled()
        assert (await client.get("/")).status_code == 410


async def test_a_renewal_that_fails_leaves_the_old_page_until_it_is_over(reading: Reading) -> None:
    site = Site()
    async with reading(site) as client:
        await client.get("/")
        site.now, site.headers = 5.0, {"broken": 1}  # type: ignore[dict-item]
        for _ in range(2):
            assert (await client.get("/")).status_code == 200
            await settled()
        site.now = 10.0
        with pytest.raises(AttributeError):
            await client.get("/")


async def test_a_renewal_that_was_refused_leaves_the_old_page_too(reading: Reading) -> None:
    site = Site()
    async with reading(site) as client:
        await client.get("/")
        site.now, site.status = 5.0, 503
        for _ in range(3):
            assert (await client.get("/")).status_code == 200
            await settled()
        site.now = 10.0
        assert (await client.get("/")).status_code == 503


async def test_renewals_are_few_at_a_time(visit: Visit) -> None:
    site = Site()
    hosts = [f"{number}.example" for number in range(2 * MOST_RENEWALS)]
    async with visit(site.app, accept="text/html") as client:
        for host in hosts:
            await client.get("/", headers={"host": host})
        site.now, site.gate = 5.0, asyncio.Event()
        for host in hosts:
            await client.get("/", headers={"host": host})
        await settled()
        assert len(site.made) == len(hosts) + MOST_RENEWALS
        site.gate.set()
        await settled()


async def test_it_never_outlives_what_the_page_declares(reading: Reading) -> None:
    site = Site()
    site.headers["Cache-Control"] = "public, max-age=2"
    async with reading(site) as client:
        await client.get("/")
        site.now = 2.0
        await client.get("/")
    assert len(site.made) == 2


async def test_what_somebody_searched_for_is_made_for_her_alone(reading: Reading) -> None:
    """INVARIANT: no answer is quick because somebody has just asked for the same words, and none waits for another's."""
    site = Site()
    site.gate.clear()
    async with reading(site) as client:
        side_by_side = [asyncio.create_task(client.get("/?q=angst")) for _ in range(2)]
        await settled()
        assert len(site.made) == 2
        site.gate.set()
        await asyncio.gather(*side_by_side)
        await client.get("/?q=angst")
    assert len(site.made) == 3


async def test_who_has_a_cookie_neither_fills_nor_reads_it(reading: Reading) -> None:
    """INVARIANT: nobody sees what was made for another reader."""
    site = Site()
    async with reading(site) as client:
        hers = await client.get("/", headers={"cookie": "__Host-stegvis=hers"})
        others = await client.get("/")
        again = await client.get("/", headers={"cookie": "__Host-stegvis=hers"})
        with_login = await client.get("/", headers={"authorization": "Bearer x"})
    assert "hers" in hers.text
    assert "hers" in again.text
    assert "hers" not in others.text + with_login.text
    assert len(site.made) == 4


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "no-store"},
        {"Cache-Control": "private, max-age=10"},
        {"Cache-Control": "public, max-age=0"},
        {"Set-Cookie": "__Host-stegvis=new"},
        {"Refresh": "10"},
        {"Content-Type": "application/json"},
    ],
)
async def test_what_isnt_an_open_page_for_everybody_is_made_anew(reading: Reading, headers: dict[str, str]) -> None:
    """INVARIANT: a page that is private, or brings a cookie, is never kept."""
    site = Site()
    site.headers |= headers
    async with reading(site) as client:
        await client.get("/")
        await client.get("/")
    assert len(site.made) == 2


async def test_only_pages_that_went_well_are_kept(reading: Reading) -> None:
    site = Site()
    site.status = 404
    async with reading(site) as client:
        assert [(await client.get("/")).status_code for _ in range(2)] == [404, 404]
    assert len(site.made) == 2


async def test_address_language_and_coding_tell_pages_apart(reading: Reading) -> None:
    site = Site()
    async with reading(site) as client:
        for _ in range(2):
            await client.get("/")
            await client.get("/", headers={"accept-language": "nn"})
            await client.get("/", headers={"accept-encoding": "identity"})
            await client.get("/", headers={"host": "other.example"})
    assert len(site.made) == 4


async def test_a_reader_who_has_it_gets_304_whether_it_was_kept_or_not(reading: Reading) -> None:
    site = Site()
    async with reading(site) as client:
        first = await client.get("/", headers={"if-none-match": '"a"'})
        whole = await client.get("/")
        again = await client.get("/", headers={"if-none-match": 'W/"a"'})
    assert [(answer.status_code, answer.content) for answer in (first, again)] == [(304, b"")] * 2
    assert (whole.status_code, whole.text) == (200, "<p>1 ")
    assert len(site.made) == 1


async def test_a_burst_makes_one_page(reading: Reading) -> None:
    site = Site()
    site.gate.clear()
    async with reading(site) as client:
        burst = [asyncio.create_task(client.get("/")) for _ in range(20)]
        await settled()
        assert len(site.made) == 1
        site.gate.set()
        texts = {answer.text for answer in await asyncio.gather(*burst)}
    assert (len(site.made), len(texts), site.views) == (1, 1, 20)


async def test_a_burst_for_a_slow_page_makes_it_once_too(reading: Reading) -> None:
    """Else overload feeds itself: what takes longer than it is kept would be made by everybody who waited."""
    site = Site()
    site.gate.clear()
    async with reading(site) as client:
        burst = [asyncio.create_task(client.get("/")) for _ in range(20)]
        await settled()
        site.now = 60
        site.gate.set()
        await asyncio.gather(*burst)
        await client.get("/")
    assert len(site.made) == 1


async def test_a_burst_for_what_cant_be_kept_doesnt_wait_in_line(reading: Reading) -> None:
    site = Site()
    site.headers["Cache-Control"] = "no-store"
    site.gate.clear()
    async with reading(site) as client:
        burst = [asyncio.create_task(client.get("/")) for _ in range(5)]
        await settled()
        site.gate.set()
        await asyncio.gather(*burst)
    assert len(site.made) == 5


async def test_a_page_in_pieces_is_passed_on_as_it_comes_and_holds_up_nobody() -> None:
    site = Site()
    site.gate.clear()
    sent: list[dict[str, object]] = []
    both = asyncio.Event()
    scope = {"type": "http", "method": "GET", "path": "/stream", "query_string": b"", "headers": [(b"accept", b"text/html")]}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)
        if len([each for each in sent if "body" in each]) == 2:
            both.set()

    async def receive() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    readers = [asyncio.create_task(site.app(dict(scope), receive, send)) for _ in range(2)]
    await asyncio.wait_for(both.wait(), 30)
    assert [message.get("body") for message in sent if "body" in message] == [b"<p>"] * 2
    site.gate.set()
    await asyncio.gather(*readers)


async def test_those_who_wait_share_a_failure_and_the_next_one_tries_again() -> None:
    """Else all who waited would try at once what has just failed."""
    tried, gate = [], asyncio.Event()

    async def broken(scope: object, receive: object, send: object) -> None:
        tried.append(scope)
        await gate.wait()
        raise ZeroDivisionError

    app = SharedCache(broken, seconds=5)  # type: ignore[arg-type]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [(b"accept", b"text/html")]}
    burst = [asyncio.create_task(app(dict(scope), None, None)) for _ in range(5)]  # type: ignore[arg-type]
    await settled()
    gate.set()
    assert [type(each) for each in await asyncio.gather(*burst, return_exceptions=True)] == [ZeroDivisionError] * 5
    assert len(tried) == 1
    with pytest.raises(ZeroDivisionError):
        await app(dict(scope), None, None)  # type: ignore[arg-type]
    assert len(tried) == 2


def test_the_shelf_is_bounded_in_pages_and_bytes_and_forgets_what_is_old() -> None:
    shelf = Shelf(most_pages=3, most_bytes=100)

    def put(name: str, now: float, size: int = 10) -> None:
        shelf.put((name,), Kept(now, 5, (), b"x" * size, None, ()), now)

    for number in range(5):
        put(str(number), 0)
    assert (len(shelf), shelf.bytes) == (3, 30)
    assert shelf.get(("1",), 0) is None
    assert shelf.get(("4",), 0)
    put("large", 0, 90)
    assert (len(shelf), shelf.bytes) == (2, 100)
    put("later", 11)
    assert (len(shelf), shelf.bytes) == (1, 10)


async def test_a_small_service_shares_its_open_pages_alone(small_service: Callable[..., FastAPI], visit: Visit) -> None:
    for level, expected in (("open", True), ("anonymous", False), ("known", False)):
        app = small_service("info", level)
        app.state.settings = SimpleNamespace(shared_page_seconds=2)
        app.state.pages.share(app)
        assert any(each.cls is SharedCache for each in app.user_middleware) is expected
        async with visit(app, accept="text/html") as client:
            first, second = await client.get("/"), await client.get("/")
        assert first.text == second.text

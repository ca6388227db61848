"""Gives the same open page to many readers for a moment: rendered once, while the page itself says that it may be shared.

A cache in front of the application, in its process. A request with a cookie or an authorisation neither fills nor reads it. Nor does one
with a query: what somebody searched for or chose is made for her alone, so that nobody can learn from an answer's speed that it was just
asked for.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webkit.caching import is_known
from webkit.language import accepted

MOST_PAGES = 1000
MOST_BYTES = 16 * 2**20
LARGEST = 512 * 2**10
"""Bytes of a page that is worth keeping."""
MOST_RENEWALS = 4
"""Pages made anew side by side while the old ones are given out: readers who need theirs made go first."""
_EACH_TIME = "stegvis.each_time"
_FOR_NOBODY = "stegvis.for_nobody"
_MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b")
_FAILED = 500
"""From this status on nothing is said about the page."""
_ASKED = ("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers", "server", "app")
"""What a renewal takes over of the request that led to it: nothing that others have hung on it, such as a trace."""
_PERSONAL = ("cookie", "authorization")

Key = tuple[str, ...]


def each_time(request: Request, act: Callable[[], None]) -> None:
    """Does `act` now, and again whenever what is being answered is given to another reader (e.g. counts a page view).

    `act` must know nothing of this reader. While a page is made anew for nobody yet, it waits for the first who gets it.
    """
    if not request.scope.get(_FOR_NOBODY):
        act()
    request.scope.get(_EACH_TIME, []).append(act)


@dataclass(frozen=True, slots=True)
class Kept:
    """One page as it goes over the wire."""

    made_at: float
    """Seconds of the cache's clock."""
    seconds: float
    """How long it may be given out; as long again while it is made anew."""
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    route: Any
    """What the application's table of routes had for it: for those who count requests by route."""
    acts: Sequence[Callable[[], None]]

    def is_fresh(self, now: float) -> bool:
        return now - self.made_at < self.seconds

    def is_over(self, now: float) -> bool:
        """Whether it is too old for anybody."""
        return now - self.made_at >= 2 * self.seconds


@dataclass
class Shelf:
    """The kept pages: bounded in number and bytes, the oldest goes first. What is too old goes with the next page that comes."""

    most_pages: int = MOST_PAGES
    most_bytes: int = MOST_BYTES
    bytes: int = 0
    _pages: OrderedDict[Key, Kept] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, key: Key, now: float) -> Kept | None:
        """The page, unless it is too old."""
        page = self._pages.get(key)
        return None if page is None or page.is_over(now) else page

    def put(self, key: Key, page: Kept, now: float) -> None:
        """Keeps the page, and forgets the oldest where it is too old or there are too many."""
        self.forget(key)
        self._pages[key] = page
        self.bytes += len(page.body)
        while self._pages and (self._is_too_much() or next(iter(self._pages.values())).is_over(now)):
            self.forget(next(iter(self._pages)))

    def _is_too_much(self) -> bool:
        return len(self._pages) > self.most_pages or self.bytes > self.most_bytes

    def forget(self, key: Key) -> None:
        """Leaves the page out, if it is there."""
        if page := self._pages.pop(key, None):
            self.bytes -= len(page.body)


class SharedCache:
    """ASGI middleware. It must stand outside of whatever sets cookies, so that a page with a reader's own cookie is seen as such."""

    def __init__(self, app: ASGIApp, *, seconds: float, clock: Callable[[], float] = time.monotonic, shelf: Shelf | None = None) -> None:
        """`seconds`: the longest that a page is given out; less where its own max-age is less."""
        self._app, self._seconds, self._clock = app, seconds, clock
        self._shelf = shelf or Shelf()
        self._at_work: dict[Key, asyncio.Future[Kept | None]] = {}
        self._renewals: dict[Key, asyncio.Task[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = key_of(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        page = self._shelf.get(key, self._clock())
        if page is None and (work := self._at_work.get(key)):
            page = await asyncio.shield(work)  # whatever its age: else a slow page is made by all who wait, and becomes slower still
        if page is None:
            await self._make(key, scope, receive, send)
            return
        if not page.is_fresh(self._clock()):
            self._renew(key, scope)
        for act in page.acts:
            act()
        scope["route"] = page.route
        await _give(page, scope, send)

    def _renew(self, key: Key, scope: Scope) -> None:
        """Has the page made anew beside the readers, who get the old one meanwhile: nobody waits, whatever it takes."""
        if key in self._renewals or len(self._renewals) >= MOST_RENEWALS:
            return
        anew = {name: scope[name] for name in _ASKED if name in scope} | {_FOR_NOBODY: True}
        task = asyncio.create_task(self._make(key, anew, _nothing_comes, _to_nobody), context=Context())
        self._renewals[key] = task
        task.add_done_callback(partial(self._renewed, key))

    def _renewed(self, key: Key, task: asyncio.Task[None]) -> None:
        del self._renewals[key]
        if not task.cancelled():
            task.exception()  # who asks when the old page is over, meets it and has it logged

    async def _make(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the application answer; those who ask for the same meanwhile wait until it's known whether that can be kept."""
        headers, acts = scope["headers"], list[Callable[[], None]]()
        work = self._at_work.setdefault(key, asyncio.get_running_loop().create_future())
        recording = _Recording(send, work)
        scope["headers"] = [pair for pair in headers if pair[0] != b"if-none-match"]  # the whole page, whoever asks first
        scope[_EACH_TIME] = acts
        page = None
        try:
            await self._app(scope, receive, recording)
            page = recording.page(self._clock(), self._seconds, scope.get("route"), acts)
            if page:
                self._shelf.put(key, page, self._clock())
            elif recording.status < _FAILED:
                self._shelf.forget(key)
        except Exception as error:
            if not work.done():
                work.set_exception(error)  # for all who wait: else they would all try what has just failed, as when no database answers
                work.exception()
            raise
        finally:
            scope["headers"] = headers
            if self._at_work.get(key) is work:
                del self._at_work[key]
            if not work.done():
                work.set_result(page)
        if page:
            await _give(page, scope, send)


async def _nothing_comes() -> Message:
    never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    return await never


async def _to_nobody(_message: Message) -> None:
    pass


async def _give(page: Kept, scope: Scope, send: Send) -> None:
    headers = MutableHeaders(raw=list(page.headers))
    known = is_known(Headers(scope=scope).get("if-none-match", ""), headers.get("etag", ""))
    if known:
        headers["content-length"] = "0"
        del headers["content-encoding"]
    await send({"type": "http.response.start", "status": 304 if known else 200, "headers": headers.raw})
    await send({"type": "http.response.body", "body": b"" if known else page.body})


class _Recording:
    """Holds back a page that may be kept; passes everything else on as it comes, and says so at once to those who wait."""

    def __init__(self, send: Send, work: asyncio.Future[Kept | None]) -> None:
        self._send, self._work = send, work
        self._start: Message | None = None
        self._body: bytes | None = None
        self.status = 0

    async def __call__(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        if message["type"] == "http.response.start" and _may_keep(message):
            self._start = message
            return
        if self._start is not None and self._body is None:
            if message["type"] == "http.response.body" and not message.get("more_body") and len(message.get("body", b"")) <= LARGEST:
                self._body = message.get("body", b"")
                return
            await self._send(self._start)  # it comes in pieces, or is too large
            self._start = None
        if not self._work.done():
            self._work.set_result(None)
        await self._send(message)

    def page(self, now: float, most: float, route: Any, acts: Sequence[Callable[[], None]]) -> Kept | None:
        """What was held back; None where everything was passed on."""
        if self._start is None or self._body is None:
            return None
        seconds = min(most, _max_age(self._start) / 2)
        return Kept(now, seconds, tuple(self._start["headers"]), self._body, route, tuple(acts))


def key_of(scope: Scope) -> Key | None:
    """What decides how an open page looks to somebody without cookies; None where the application must be asked."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["query_string"]:
        return None
    headers = Headers(scope=scope)
    if any(name in headers for name in _PERSONAL) or "text/html" not in headers.get("accept", ""):
        return None
    coding = "gzip" if "gzip" in headers.get("accept-encoding", "") else ""
    return scope["method"], headers.get("host", ""), scope["path"], accepted(headers.get("accept-language", "")), coding


def _may_keep(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    is_page = headers.get("content-type", "").startswith("text/html")
    return bool(start["status"] == 200 and is_page and _max_age(start) and "set-cookie" not in headers and "refresh" not in headers)


def _max_age(start: Message) -> int:
    """Seconds for which the answer calls itself public; 0 where it doesn't."""
    control = Headers(raw=start["headers"]).get("cache-control", "")
    found = _MAX_AGE.search(control)
    return int(found[1]) if found and control.startswith("public") else 0

"""A process takes on as many requests at a time as it can answer soon, and refuses the others at once: overload doesn't feed itself.

Without a limit every request waits for all before it, readers give up and ask again, and in the end nobody gets an answer in time.
"""

from collections.abc import Callable

from fastapi import Request
from fastapi.responses import Response
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_AT_WORK = 100
"""Requests whose answer hasn't begun. At about 5 ms of processor time each the last one waits half a second; a form may be one of twice
as many, since somebody has written it. An event stream counts until it begins."""
ALWAYS = ("/static/", "/forlat")
"""Beginnings of paths that cost next to nothing: without the first a page is ugly, the second is the quick exit."""

REFUSED = Counter("stegvis_http_refused_total", "Requests refused because too many were at work")


class Crowd:
    """ASGI middleware. It stands inside of what answers from memory, so that only work is counted."""

    def __init__(self, app: ASGIApp, *, refuse: Callable[[Request], Response], most: int = MOST_AT_WORK) -> None:
        """`refuse`: the answer to who can't be taken on; it must cost little."""
        self._app, self._refuse, self._most = app, refuse, most
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS):
            await self._app(scope, receive, send)
            return
        if self._at_work >= (self._most if scope["method"] in ("GET", "HEAD") else 2 * self._most):
            REFUSED.inc()
            await self._refuse(Request(scope, receive))(scope, receive, send)
            return
        counted = 1
        self._at_work += 1

        async def send_and_leave(message: Message) -> None:
            nonlocal counted
            self._at_work -= counted
            counted = 0
            await send(message)

        try:
            await self._app(scope, receive, send_and_leave)
        finally:
            self._at_work -= counted

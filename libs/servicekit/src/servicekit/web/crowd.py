"""A process takes on as many requests at a time as it can answer soon, and refuses the others at once: overload doesn't feed itself.

Without a limit every request waits for all before it, readers give up and ask again, and in the end nobody gets an answer in time.
"""

from collections.abc import Callable

from fastapi import Request
from fastapi.responses import Response
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_AT_WORK = 50
"""Requests whose answer hasn't begun, an event stream until it begins; at about 5 ms of processor time each the last one waits a quarter
of a second. So many for addresses with a query, which are made for one reader; half as many again for pages, twice as many for forms."""
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
        if self._at_work >= self._limit(scope):
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

    def _limit(self, scope: Scope) -> int:
        """A page is for many, and what is in a form somebody has written."""
        if scope["method"] not in ("GET", "HEAD"):
            return 2 * self._most
        return self._most if scope["query_string"] else self._most * 3 // 2

"""The way out of every page: ends the session, clears what the browser keeps of this host, and leads somewhere harmless."""

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

log = logging.getLogger("webkit.quick_exit")

PATH = "/forlat"
Leave = Callable[[Request], Awaitable[None]]
"""Ends the reader's session; given by the service. It must not fail when there is none."""


def asked_for_here(request: Request) -> bool:
    """Whether a page of this host sent the form: Sec-Fetch-Site, else an Origin that equals the own host."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin", "").partition("://")[2] == request.headers.get("host", "")


def quick_exit_route(url: Callable[[], str], leave: Callable[[Request], Leave | None]) -> Route:
    """POST /forlat. Carries no token, since it must work after the session is gone; another site's form ends nothing."""

    async def answer(request: Request) -> Response:
        headers = {"Location": url(), "Cache-Control": "no-store"}
        if asked_for_here(request):
            headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
            end = leave(request)
            if end is not None:
                await _end(end, request)
        return Response(status_code=303, headers=headers)

    return Route(PATH, answer, methods=["POST"], name="quick_exit")


async def _end(leave: Leave, request: Request) -> None:
    """She gets away even when the session's end fails: its cookie is cleared, and it ends by itself."""
    try:
        await leave(request)
    except Exception as error:
        log.error("the session could not be ended: %s", type(error).__name__)

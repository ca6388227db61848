"""The page for readers who can't be taken on now: the same at every address, so that giving it out costs next to nothing."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from webkit.caching import packed

HERE = "/her-og-na"
"""Stands for the address while the page is made; relative links take its place (RFC 3986, 5.2.2: an empty one is the same address)."""

Made = tuple[dict[str, str], bytes]
"""Headers and body, ready to be sent."""


def page(error: Callable[[Request, int, str], Any], scope: Scope, language: str, staff: bool, gzip: bool) -> Made:
    """Make it once. `error` draws an error page for a request."""
    path = f"/ansatt{HERE}" if staff else HERE
    neutral = {**scope, "method": "GET", "path": path, "query_string": b"", "headers": [(b"accept-language", language.encode())]}
    drawn = error(Request(neutral), 503, "crowded")
    body = bytes(drawn.body).replace(f'"{path}?'.encode(), b'"?').replace(f'"{path}"'.encode(), b'""')
    headers = {name: value for name, value in drawn.headers.items() if name not in ("content-length", "cache-control")}
    headers["cache-control"] = "no-store"
    if gzip:
        headers["content-encoding"] = "gzip"
        body = packed(body)
    return headers, body


def answer(made: Made) -> Response:
    """To be sent, with headers of its own."""
    headers, body = made
    return HTMLResponse(body, 503, headers)

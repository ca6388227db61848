"""The session's cookie: `__Host-`, so that it belongs to this host alone and can't be set by another."""

import re

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit.web.browser_session import Record

COOKIE = "__Host-stegvis"
_SCOPE_KEY = "stegvis.session"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Holder:
    """Where a request leaves its session for the answer."""

    __slots__ = ("record",)

    def __init__(self) -> None:
        self.record: Record | None = None


def token_of(request: Request) -> str | None:
    """What the browser sent, if it has the form of a token of ours."""
    sent = request.cookies.get(COOKIE, "")
    return sent if _TOKEN.fullmatch(sent) else None


def remember(request: Request, record: Record) -> None:
    """Have the answer to `request` set or delete the cookie as `record` then needs it."""
    holder: Holder = request.scope[_SCOPE_KEY]
    holder.record = record


def host_cookie(name: str, value: str, max_age: int | None = None) -> str:
    """A Set-Cookie value: this host, all paths, only over TLS (or a local host), unseen by scripts, not sent by others' forms."""
    response = Response()
    response.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax")
    return response.headers["set-cookie"]


class SessionCookie:
    """Sets the cookie on the first answer with a form, after a login, and deletes it at the end. Pure ASGI: streams pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        holder = scope[_SCOPE_KEY] = Holder()

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and holder.record is not None:
                _complete(MutableHeaders(scope=message), holder.record)
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _complete(headers: MutableHeaders, record: Record) -> None:
    if not record.in_browser and (record.shown or record.saved):
        headers.append("Set-Cookie", host_cookie(COOKIE, record.token))
    elif record.ended:
        headers.append("Set-Cookie", host_cookie(COOKIE, "", max_age=0))
    if record.shown or record.saved or record.ended:
        headers["Cache-Control"] = "no-store"

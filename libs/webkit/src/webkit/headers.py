"""The security headers of every response, and the content security policy of every page."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webkit.levels import level_of_path
from webkit.static_files import PREFIX

FIXED: Mapping[str, str] = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
}


def origin(url: str) -> str:
    """`https://www.yr.no/a` -> `https://www.yr.no`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def content_security_policy(form_action: Iterable[str] = (), frame_ancestors: str = "'none'") -> str:
    """Only the own origin, nothing inline. `form_action`: origins that a form may post or be redirected to, besides the own."""
    targets = " ".join(("'self'", *dict.fromkeys(form_action)))
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        f"frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action {targets}; frame-ancestors {frame_ancestors}"
    )


class SecurityHeaders:
    """Adds what a response doesn't already say. Pure ASGI: bodies are passed on as they come, so that event streams flow."""

    def __init__(self, app: ASGIApp, *, level: str, policy: str) -> None:
        self.app = app
        self._level, self._policy = level, policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(MutableHeaders(scope=message), str(scope["path"]))
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _complete(self, headers: MutableHeaders, path: str) -> None:
        for name, value in FIXED.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", self._policy)
        if path.startswith(f"{PREFIX}/"):
            return
        level = level_of_path(path, self._level)
        if level.private:
            headers["Cache-Control"] = "no-store"
            headers.setdefault("X-Robots-Tag", "noindex, nofollow")

"""Which language a reader gets: her own choice in a cookie, else what the browser asks for, else Bokmål."""

from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from webkit.i18n import LANGUAGES

PARAMETER = "spraak"
COOKIE = "__Host-spraak"
"""Holds a language code and nothing else; gone when the browser closes, and with the quick exit."""

_SAME = {"no": "nb", "nb": "nb", "nn": "nn", "se": "se", "en": "en"}


def language_of(connection: HTTPConnection) -> str:
    """One of LANGUAGES."""
    chosen = connection.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else accepted(connection.headers.get("accept-language", ""))


def accepted(header: str) -> str:
    """The best of LANGUAGES for an Accept-Language header (RFC 9110, 12.5.4); Bokmål when none fits."""
    best, weight = "nb", 0.0
    for part in header[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        language = _SAME.get(tag.strip().lower().partition("-")[0])
        try:
            asked = float(quality) if quality else 1.0
        except ValueError:
            continue
        if language and asked > weight:
            best, weight = language, asked
    return best


def switch_url(connection: HTTPConnection, language: str, path: str) -> str:
    """The link of the language switch: the same page, asked for in another language."""
    query = [(name, value) for name, value in parse_qsl(connection.url.query, keep_blank_values=True) if name != PARAMETER]
    return f"{local_path(path)}?{urlencode([*query, (PARAMETER, language)])}"


def local_path(path: str) -> str:
    """A path on the own host, whatever was asked for: `//other.example` would be another host."""
    return quote("/" + path.lstrip("/\\"), safe="/-._~!$&'()*+,;=:@%")


class LanguageChoice:
    """Answers a GET with `?spraak=nn` by a cookie and a redirect to the same page without it. Pure ASGI: streams pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or PARAMETER.encode() not in scope["query_string"]:
            await self.app(scope, receive, send)
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        chosen = dict(query).get(PARAMETER)
        if chosen is None:
            await self.app(scope, receive, send)
            return
        rest = urlencode([(name, value) for name, value in query if name != PARAMETER])
        response = RedirectResponse(local_path(scope["path"]) + (f"?{rest}" if rest else ""), 303, {"Cache-Control": "no-store"})
        if chosen in LANGUAGES and Headers(scope=scope).get("sec-fetch-dest", "document") == "document":
            response.set_cookie(COOKIE, chosen, secure=True, httponly=True, samesite="lax")
        await response(scope, receive, send)

"""What may be kept of a page and by whom: validators, short shared caching and compression of open pages; nothing of private ones."""

import gzip
from collections.abc import Mapping
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import HTMLResponse

SHARED = "public, max-age=10, stale-while-revalidate=30"
"""Open pages that no cookie varies. Short: what is open now, and an answer that was withdrawn, show within 40 s
and twice `shared_page_seconds` (webkit.shared_cache)."""
ASK_FIRST = "private, no-cache"
NEVER = "no-store"


def answer(
    request: Request, text: str, status: int, headers: Mapping[str, str], *, private: bool, cache_control: str | None = None
) -> HTMLResponse:
    """The page as it goes over the wire; 304 where the reader has it already.

    Private pages are not compressed: their length must not depend on how a secret in them resembles what was sent (BREACH).
    """
    sent = {**headers, "Vary": "Accept-Language, Cookie"}
    body = text.encode()
    if private:
        return HTMLResponse(body, status, {**sent, "Cache-Control": NEVER})
    sent["Vary"] += ", Accept-Encoding"
    sent["Cache-Control"] = cache_control or (ASK_FIRST if request.cookies or status != 200 else SHARED)
    if status == 200 and request.method in ("GET", "HEAD"):
        sent["ETag"] = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
        if is_known(request.headers.get("if-none-match", ""), sent["ETag"]):
            return HTMLResponse(b"", 304, sent)
    if takes_gzip(request):
        body = packed(body)
        sent["Content-Encoding"] = "gzip"
    return HTMLResponse(body, status, sent)


def takes_gzip(request: Request) -> bool:
    """Whether the reader's browser unpacks gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def packed(body: bytes) -> bytes:
    """The body in the content coding gzip."""
    return gzip.compress(body, 4, mtime=0)


def is_known(asked: str, etag: str) -> bool:
    """Whether If-None-Match names this validator: weak comparison (RFC 9110, 13.1.2)."""
    return asked.strip() == "*" or etag.removeprefix("W/") in {each.strip().removeprefix("W/") for each in asked.split(",")}

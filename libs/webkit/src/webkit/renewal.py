"""Pages and frames that ask for themselves again, without script: the header `Refresh`, and how a reader holds it still (WCAG 2.2.2)."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from webkit.language import local_path

STOP = "stopp"
"""The query parameter by which a reader has stopped it."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What `ui.renewal` shows."""

    seconds: int
    stopped: bool
    now: str
    """The same page, asked for now; stays stopped when it is."""
    stop: str
    start: str


def renewal_of(request: Request, seconds: int | None) -> Renewal | None:
    """How this page renews itself every `seconds`; None where it doesn't. The answer to a form never does: it holds what was written."""
    if seconds is None or request.method not in ("GET", "HEAD"):
        return None
    query = parse_qsl(request.url.query, keep_blank_values=True)
    rest = [(name, value) for name, value in query if name != STOP]
    stopped = len(rest) < len(query)
    start, stop = _address(request, rest), _address(request, [*rest, (STOP, "1")])
    return Renewal(seconds, stopped, stop if stopped else start, stop, start)


def _address(request: Request, query: list[tuple[str, str]]) -> str:
    path = local_path(request.url.path)
    return f"{path}?{urlencode(query)}" if query else path

"""What a browser's form sent: from this host, by this session, bounded, and once."""

import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from fastapi import Depends, Request

from servicekit import idempotency
from servicekit.crypto import canonical, unb64
from servicekit.problems import Problem
from servicekit.web.browser_session import BrowserSession
from servicekit.web.guards import guard
from servicekit.web.interrupted import InterruptedFormError
from servicekit.web.sessions import SessionNow

MOST_BYTES = 1_000_000
"""Of a body. Longer ones end with 413 before they are read."""
MOST_FIELDS = 500
HIDDEN = ("csrf", "key")
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_FORM = "application/x-www-form-urlencoded"
_READ = "stegvis.form"
"""Where a request keeps what was read of it: a body can be read once."""


class InvalidInputError(Problem):
    """A field isn't as it must be. A page that doesn't catch this ends with 422."""

    def __init__(self, field: str, code: str) -> None:
        """`code`: missing, too_short, too_long, unknown_choice, not_an_id, not_a_date, or one of the service's own."""
        super().__init__(422, code, fields={field: code})
        self.field = field


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a form, stripped, with line ends as \\n. Holds what a person wrote: never logged."""

    pairs: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def fields(self) -> Mapping[str, str]:
        """Name -> value, the first where a name came twice; without the hidden ones."""
        return dict(reversed([pair for pair in self.pairs if pair[0] not in HIDDEN]))

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a name, e.g. of checkboxes."""
        return tuple(value for sent, value in self.pairs if sent == name)

    def text(self, name: str, most: int, least: int = 1) -> str:
        """Between `least` and `most` characters; `least=0` makes it optional. Raises InvalidInputError."""
        value = self.fields.get(name, "")
        if len(value) > most:
            raise InvalidInputError(name, "too_long")
        if len(value) < least:
            raise InvalidInputError(name, "too_short" if value else "missing")
        return value

    def choice(self, name: str, options: Collection[str]) -> str:
        """One of `options`. Raises InvalidInputError."""
        value = self.fields.get(name, "")
        if value not in options:
            raise InvalidInputError(name, "unknown_choice" if value else "missing")
        return value

    def flag(self, name: str) -> bool:
        """Whether a checkbox was ticked."""
        return bool(self.fields.get(name))

    def uuid(self, name: str) -> UUID:
        """Raises InvalidInputError."""
        try:
            return UUID(self.text(name, most=36))
        except ValueError as error:
            raise InvalidInputError(name, "not_an_id") from error

    def day(self, name: str) -> date:
        """A date as a browser sends it (ISO 8601). Raises InvalidInputError."""
        try:
            return date.fromisoformat(self.text(name, most=10))
        except ValueError as error:
            raise InvalidInputError(name, "not_a_date") from error


@dataclass(frozen=True, slots=True)
class Submission(Fields):
    """A form that this host's own page sent, by the session that the page was made for."""

    session: BrowserSession
    key: bytes = field(repr=False)
    """32 random bytes of the form: the idempotency key."""
    path: str = field(repr=False)
    service_key: bytes = field(repr=False)

    def fingerprint(self) -> bytes:
        """Says whether two submissions ask the same, and nothing else."""
        return fingerprint_of(self.service_key, self.path, self.pairs)


@dataclass(frozen=True, slots=True)
class Presented(Fields):
    """A form that another site may have sent: read without cookies, so it can't act for anyone."""


@guard
async def submission(request: Request, session: SessionNow) -> Submission:
    """The dependency of every unsafe route for browsers. 403 unless the form is ours, 413 if too long, 422 without a key."""
    _refuse_other_sites(request)
    pairs = await _read(request)
    sent = dict(pairs)
    if not hmac.compare_digest(sent.get("csrf", "").encode(), session.csrf.encode()):
        raise InterruptedFormError(403, "form_not_ours")
    key = sent.get("key") or request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(key):
        raise Problem(422, "invalid", fields={"key": "missing"})
    return Submission(pairs, session, unb64(key), request.url.path, request.app.state.keys.service)


@guard
async def presented_by_other_site(request: Request) -> Presented:
    """The dependency of the one door that accepts a form from dialog's host. It reads no cookie and gives no authority.

    Our pages' `Referrer-Policy: same-origin` has browsers send `Origin: null` with a form to another host, so that one passes too.
    """
    settings = request.app.state.settings
    known = {_origin(settings.public_url("dialog")), _own_origin(request), "null"}
    if request.headers.get("origin", "null") not in known:
        raise Problem(403, "form_not_ours")
    return Presented(await _read(request))


async def written(request: Request) -> tuple[tuple[str, str], ...]:
    """What this host's own page sent, also where the request ended before anybody read it; empty for all else."""
    try:
        _refuse_other_sites(request)
        read: tuple[tuple[str, str], ...] | None = request.scope.get(_READ)
        return await _read(request) if read is None else read
    except Problem:
        return ()


def fingerprint_of(service_key: bytes, path: str, pairs: tuple[tuple[str, str], ...]) -> bytes:
    """What a form asks, without the fields that only say whose it is."""
    asked = canonical([pair for pair in pairs if pair[0] not in HIDDEN])
    return idempotency.fingerprint(service_key, {"path": path, "form": asked.decode()})


def key_of(sent: Mapping[str, str]) -> str | None:
    """The form's own key, if it has the shape of one."""
    key = sent.get("key", "")
    return key if _KEY.fullmatch(key) else None


Submitted = Annotated[Submission, Depends(submission)]
PresentedByOtherSite = Annotated[Presented, Depends(presented_by_other_site)]


def _refuse_other_sites(request: Request) -> None:
    """Fetch Metadata where the browser sends it, else Origin."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    same = site == "same-origin" if site is not None else origin is not None
    if not same or (origin is not None and origin != _own_origin(request)):
        raise Problem(403, "form_not_ours")


def _own_origin(request: Request) -> str:
    settings, service = request.app.state.settings, request.app.state.service
    return _origin(settings.public_url(service.name))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _read(request: Request) -> tuple[tuple[str, str], ...]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Problem(415, "bad_request")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Problem(413, headers={"Connection": "close"})
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise Problem(400) from error
    if any("\x00" in value for _, value in pairs):
        raise Problem(400)
    request.scope[_READ] = read = tuple((name, value.replace("\r\n", "\n").strip()) for name, value in pairs)
    return read

"""A browser without a screen: forms, redirects and cookies, as Chromium treats `http://*.localhost`.

Every `*.localhost` is dialled at 127.0.0.1; each host name has its own cookies and counts as secure; a `__Host-` cookie that breaks
its rules is refused loudly.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import time
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

from deploy.local.journey.forms import Form, forms_of, links_of, text_of, title_of
from deploy.local.loopback import client

MOST_REDIRECTS = 20


class NoSuchFormError(AssertionError):
    """The page has no form like the one that was looked for."""


class BrokenCookieError(AssertionError):
    """A `__Host-` cookie without Secure, with a Domain, or with another path than `/`."""


@dataclass(frozen=True, slots=True)
class Page:
    """What came back, after redirects."""

    status: int
    url: str
    html: str
    headers: httpx.Headers
    redirects: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return title_of(self.html)

    @property
    def text(self) -> str:
        """What a person reads, white space folded."""
        return text_of(self.html)

    @property
    def forms(self) -> list[Form]:
        return forms_of(self.html, self.url)

    def form(self, action: str = "", *, button: str = "", field: str = "") -> Form:
        """The first form whose action ends in `action`, that has a button with the text `button` and a field `field`."""
        for form in self.forms:
            if urlsplit(form.action).path.endswith(action) and form.has_button(button) and (not field or field in form.fields):
                return form
        raise NoSuchFormError(
            f"{self.status} {self.url}: no form {action!r} {button!r} {field!r}; actions: {[form.action for form in self.forms]}"
        )

    def has_form(self, action: str = "", *, button: str = "", field: str = "") -> bool:
        """Whether `form` would find one."""
        try:
            self.form(action, button=button, field=field)
        except NoSuchFormError:
            return False
        return True

    @property
    def links(self) -> list[str]:
        """The absolute addresses of all links, in the page's order."""
        return [urljoin(self.url, address) for address in links_of(self.html)]

    def link(self, part: str) -> str:
        """The absolute address of the first link whose address contains `part`."""
        for address in self.links:
            if part in address:
                return address
        raise NoSuchFormError(f"{self.status} {self.url}: no link with {part!r}")

    def has_link(self, part: str) -> bool:
        """Whether `link` would find one."""
        return any(part in address for address in self.links)


@dataclass
class Browser:
    """One person's browser, with cookies of its own."""

    language: str = "nb"
    cookies: dict[tuple[str, str, str], str] = field(default_factory=dict)
    page: Page | None = None

    def __post_init__(self) -> None:
        self._http = client(30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def get(self, url: str) -> Page:
        """Follow an ordinary link."""
        return await self._go("GET", url, None)

    async def submit(self, form: Form, values: Mapping[str, str] | None = None, *, button: str = "") -> Page:
        """Fill in a form as it stands, send it, and follow where it leads."""
        data = form.filled(values or {}, button)
        if form.method == "GET":
            return await self._go("GET", str(httpx.URL(form.action, params=data)), None)
        return await self._go("POST", form.action, data)

    async def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Page:
        """A POST that no form of the page describes: for repeated and forged requests."""
        return await self._go("POST", url, dict(data), dict(headers or {}))

    @asynccontextmanager
    async def stream(self, url: str) -> AsyncIterator[httpx.Response]:
        """An event stream of the page that is open, not yet read."""
        headers = {"accept": "text/event-stream", "sec-fetch-site": "same-origin", "cookie": self._cookies_for(url)}
        async with self._http.stream("GET", url, headers=headers) as response:
            yield response

    async def _go(self, method: str, url: str, data: dict[str, str] | None, extra: dict[str, str] | None = None) -> Page:
        passed: list[str] = []
        came_from = self.page.url if self.page else None
        for _ in range(MOST_REDIRECTS):
            response = await self._once(method, url, data, came_from, extra or {})
            self._store(url, response)
            if not response.is_redirect:
                self.page = Page(response.status_code, url, response.text, response.headers, tuple(passed))
                return self.page
            passed.append(url)
            if response.status_code not in {307, 308}:
                method, data = "GET", None
            url = urljoin(url, response.headers["location"])
        raise AssertionError(f"too many redirects: {passed[-3:]}")

    async def _once(
        self, method: str, url: str, data: dict[str, str] | None, came_from: str | None, extra: dict[str, str]
    ) -> httpx.Response:
        headers = {
            "accept": "text/html,application/xhtml+xml",
            "accept-language": self.language,
            "sec-fetch-site": _site(came_from, url),
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
        }
        if method == "POST" and came_from:
            headers["origin"] = _origin(came_from)
        if cookie := self._cookies_for(url):
            headers["cookie"] = cookie
        return await self._http.request(method, url, data=data, headers=headers | extra)

    def _cookies_for(self, url: str) -> str:
        parts = urlsplit(url)
        path = parts.path or "/"
        fitting = [(name, value) for (host, name, at), value in self.cookies.items() if host == parts.hostname and _covers(at, path)]
        return "; ".join(f"{name}={value}" for name, value in fitting)

    def _store(self, url: str, response: httpx.Response) -> None:
        host = urlsplit(url).hostname or ""
        if '"cookies"' in response.headers.get("clear-site-data", "") or '"*"' in response.headers.get("clear-site-data", ""):
            self.cookies = {key: value for key, value in self.cookies.items() if key[0] != host}
        for header in response.headers.get_list("set-cookie"):
            name, value, attributes = _read_cookie(header)
            if name.startswith("__Host-") and ("secure" not in attributes or "domain" in attributes or attributes.get("path") != "/"):
                raise BrokenCookieError(f"{url}: {name}")
            key = (host, name, attributes.get("path") or "/")
            if _is_over(attributes):
                self.cookies.pop(key, None)
            else:
                self.cookies[key] = value


def _read_cookie(header: str) -> tuple[str, str, dict[str, str]]:
    first, *rest = header.split(";")
    name, _, value = first.strip().partition("=")
    pairs = (attribute.strip().partition("=") for attribute in rest)
    return name, value, {key.lower(): content for key, _, content in pairs}


def _is_over(attributes: Mapping[str, str]) -> bool:
    if "max-age" in attributes:
        return int(attributes["max-age"]) <= 0
    return "expires" in attributes and parsedate_to_datetime(attributes["expires"]).timestamp() <= time()


def _covers(cookie_path: str, path: str) -> bool:
    return path == cookie_path or path.startswith(cookie_path.rstrip("/") + "/")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _site(came_from: str | None, url: str) -> str:
    if came_from is None:
        return "none"
    return "same-origin" if _origin(came_from) == _origin(url) else "cross-site"

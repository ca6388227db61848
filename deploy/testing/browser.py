"""A browser for tests of pages: a cookie jar, same-origin forms, and a login without identity."""

import re
from collections.abc import Mapping
from html import unescape
from http.cookies import SimpleCookie
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI
from servicekit.web.browser_session import BrowserSession, Login, log_in, new_record
from servicekit.web.cookie import COOKIE

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.S)
_INPUT = re.compile(r"<input\b([^>]*)>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


class Browser:
    """One visitor of one service, in process. Keeps what `Set-Cookie` says and sends forms as browsers do."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.origin = app.state.settings.public_url(app.state.service.name)
        self.cookies: dict[str, str] = {}
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=self.origin)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def request(self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
        """One request with this browser's cookies; redirects aren't followed."""
        sent = {"Accept": "text/html", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = await self._client.request(method, path, headers=sent, follow_redirects=False, **more)
        for line in response.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies.pop(name, None)
                if morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
        self._client.cookies.clear()
        return response

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """A page; redirects on the own host are followed."""
        response = await self.request("GET", path, headers)
        for _ in range(5):
            target = urlsplit(response.headers.get("location", ""))
            if not response.is_redirect or (target.netloc and target.netloc != urlsplit(self.origin).netloc):
                break
            response = await self.request("GET", target.path + (f"?{target.query}" if target.query else ""))
        return response

    async def submit(self, page: httpx.Response, action: str, fields: Mapping[str, Any] | None = None) -> httpx.Response:
        """Send the form on `page` that posts to `action`, with its hidden fields and `fields`. Not followed."""
        return await self.post(action, {**hidden_fields(page.text, action), **(fields or {})})

    async def post(self, path: str, fields: Mapping[str, Any], **headers: str) -> httpx.Response:
        """A form of this host, as it stands."""
        usual = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **headers}
        return await self.request("POST", path, usual, data=dict(fields))

    async def log_in(self, login: Login) -> None:
        """Be someone, as if identity had vouched for it just now."""
        session = BrowserSession(new_record())
        tokens = {"refresh": "test", "issued_at": _now(self.app)}
        async with self.app.state.begin() as uow:
            await log_in(uow, session, login, tokens)
        self.cookies[COOKIE] = session.token


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """The inputs with values that a form carries already. Raises LookupError where the page has no such form."""
    for attributes, inside in _FORM.findall(page):
        if dict(_ATTRIBUTE.findall(attributes)).get("action") == action:
            inputs = [dict(_ATTRIBUTE.findall(tag)) for tag in _INPUT.findall(inside)]
            return {tag["name"]: unescape(tag.get("value", "")) for tag in inputs if tag.get("type") == "hidden"}
    raise LookupError(f"no form posts to {action}")


def _now(app: FastAPI) -> float:
    import time

    return time.time() + float(app.state.settings.clock_offset_seconds)

"""A browser that remembers every request and answer, and that a curious network, a proxy or an extension has added headers to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from deploy.local.journey.browser import Browser
from deploy.local.platform import Platform


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; a redirect is an exchange of its own."""

    method: str
    url: str
    status: int
    headers: httpx.Headers
    html: str
    sent_cookies: str
    """The Cookie header, as it went."""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def is_page(self) -> bool:
        return str(self.headers.get("content-type")).startswith("text/html")


class _PastTheGateway(httpx.AsyncHTTPTransport):
    """Dials each service's own port: what the gateway takes off must do no harm when it gets there."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        super().__init__()
        self._ports = ports

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host in self._ports:
            request.url = request.url.copy_with(host="127.0.0.1", port=self._ports[request.url.host])  # the Host header stays
        return await super().handle_async_request(request)


@dataclass
class Witness(Browser):
    """Remembers what it saw. `noise` goes along with every request, over what a browser itself would send."""

    noise: Mapping[str, str] = field(default_factory=dict)
    seen: list[Exchange] = field(default_factory=list)
    ports: Mapping[str, int] = field(default_factory=dict)
    """Host name -> port, to go past the gateway; empty: through it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ports:
            self._http = httpx.AsyncClient(transport=_PastTheGateway(self.ports), timeout=30, follow_redirects=False)

    async def _once(
        self, method: str, url: str, data: dict[str, str] | None, came_from: str | None, extra: dict[str, str]
    ) -> httpx.Response:
        response = await super()._once(method, url, data, came_from, {**self.noise, **extra})
        sent = response.request.headers.get("cookie", "")
        self.seen.append(Exchange(method, url, response.status_code, response.headers, response.text, sent))
        return response

    async def raw(self, method: str, url: str, headers: Mapping[str, str] | None = None, **body: object) -> None:
        """One request as no form makes it, with this browser's cookies; not followed."""
        sent = {"cookie": self._cookies_for(url), **self.noise, **(headers or {})}
        response = await self._http.request(method, url, headers=sent, **body)  # type: ignore[arg-type]
        self.seen.append(Exchange(method, url, response.status_code, response.headers, response.text, sent["cookie"]))

    async def peek(self, url: str, headers: Mapping[str, str]) -> None:
        """Opens a stream, keeps how it began, and goes."""
        sent = {"cookie": self._cookies_for(url), **self.noise, **headers}
        async with self._http.stream("GET", url, headers=sent) as response:
            self.seen.append(Exchange("GET", url, response.status_code, response.headers, "", sent["cookie"]))


def ports_of(platform: Platform) -> dict[str, int]:
    """Where each host's service listens behind the gateway."""
    return {urlsplit(url).hostname or "": platform.addresses.ports[service] for service, url in platform.urls.items()}

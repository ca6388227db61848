"""Calls to this machine: every *.localhost is dialled at 127.0.0.1, as browsers do, by http or by https."""

import ssl
from functools import cache
from pathlib import Path

import httpx

LIMITS = httpx.Limits(max_connections=8, max_keepalive_connections=4)


@cache
def trusted() -> ssl.SSLContext:
    """Whom this process trusts: the system's authorities, and those added by `trust`."""
    return ssl.create_default_context()


def trust(authority: Path) -> None:
    """From now on also whom this authority (PEM) signs for: what a person does who adds it to her browser."""
    trusted().load_verify_locations(authority)


def dialled(request: httpx.Request) -> httpx.Request:
    """The same request, to 127.0.0.1; Host and the name that the certificate must hold stay as they were."""
    host = request.url.host
    if host == "localhost" or host.endswith(".localhost"):
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host="127.0.0.1")
    return request


class Loopback(httpx.AsyncHTTPTransport):
    """The transport of an httpx client."""

    def __init__(self) -> None:
        super().__init__(verify=trusted(), limits=LIMITS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(dialled(request))


def client(seconds: float) -> httpx.AsyncClient:
    """A client whose calls may take so long."""
    return httpx.AsyncClient(transport=Loopback(), timeout=seconds)


def status(url: str) -> int:
    """The status that a GET of a page gets, 0 when nobody answers."""
    request = dialled(httpx.Request("GET", url, headers={"accept": "text/html"}, extensions={"timeout": httpx.Timeout(5).as_dict()}))
    try:
        with httpx.HTTPTransport(verify=trusted()) as transport:
            return transport.handle_request(request).status_code
    except httpx.HTTPError:
        return 0

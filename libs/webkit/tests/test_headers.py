"""What every response says to the browser about safety."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send
from webkit.headers import SecurityHeaders, content_security_policy

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SmallService = Callable[..., FastAPI]


def directives(response: httpx.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in response.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("path", ["/", "/json", "/personvern", "/nowhere", "/error/500/failed", "/?spraak=nn"])
async def test_every_response_carries_the_security_headers(visit: Visit, path: str) -> None:
    """INVARIANT: nothing inline, nothing from elsewhere, no framing, no referrer to others, whatever the route."""
    async with visit() as client:
        response = await client.get(path)
    policy = directives(response)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in response.headers["permissions-policy"]


async def test_a_form_may_only_lead_to_the_own_host_the_quick_exit_and_what_the_service_names(
    small_service: SmallService, visit: Visit
) -> None:
    app = small_service(quick_exit_url="https://www.yr.no/vaer", form_action=("https://min.example/krav",))
    async with visit(app) as client:
        response = await client.get("/")
    assert directives(response)["form-action"] == "'self' https://www.yr.no https://min.example"


def test_the_same_origin_is_named_once() -> None:
    assert content_security_policy(("https://a.example", "https://a.example")).count("https://a.example") == 1


async def test_a_page_may_let_its_own_host_frame_it_and_renew_itself(visit: Visit) -> None:
    async with visit() as client:
        response = await client.get("/framed")
    assert directives(response)["frame-ancestors"] == "'self'"
    assert response.headers["refresh"] == "10"


@pytest.mark.parametrize("level", ["anonymous", "known", "staff"])
@pytest.mark.parametrize("path", ["/", "/json", "/nowhere", "/?spraak=nn", "/personvern"])
async def test_nothing_private_is_kept_in_any_cache(small_service: SmallService, visit: Visit, level: str, path: str) -> None:
    """INVARIANT: from level 2 on, no response may be stored."""
    async with visit(small_service(level=level)) as client:
        response = await client.get(path)
    assert response.headers["cache-control"] == "no-store"


async def test_staff_pages_of_an_open_service_are_private(small_service: SmallService, visit: Visit) -> None:
    async with visit(small_service("info", "open")) as client:
        opened, staff = await client.get("/"), await client.get("/ansatt/kø")
    assert opened.headers["cache-control"].startswith("public, ")
    assert staff.headers["cache-control"] == "no-store"
    assert "x-robots-tag" in staff.headers
    assert "x-robots-tag" not in opened.headers


async def test_a_page_that_differs_by_language_says_so_to_caches(small_service: SmallService, visit: Visit) -> None:
    async with visit(small_service("info", "open")) as client:
        assert (await client.get("/")).headers["vary"] == "Accept-Language, Cookie, Accept-Encoding"


async def test_a_stream_flows_through_the_headers_unbuffered() -> None:
    """Each piece of an event stream must leave before the next is made."""
    sent: list[Message] = []
    seen_while_running: list[int] = []

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for number in range(3):
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
            seen_while_running.append(sum(message["type"] == "http.response.body" for message in sent))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "http", "path": "/strøm", "method": "GET", "headers": []}
    await SecurityHeaders(stream, level="anonymous", policy="default-src 'none'")(scope, receive, send)
    assert seen_while_running == [1, 2, 3]
    assert (b"cache-control", b"no-store") in sent[0]["headers"]

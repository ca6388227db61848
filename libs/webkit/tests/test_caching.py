"""What may be kept of a page: open pages for a moment and with a validator, private ones never."""

import gzip
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from fastapi import FastAPI

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SmallService = Callable[..., FastAPI]
SHARED = "public, max-age=10, stale-while-revalidate=30"


async def test_an_open_page_is_kept_for_a_moment_and_then_asked_for_by_its_validator(small_service: SmallService, visit: Visit) -> None:
    async with visit(small_service("info", "open")) as client:
        first = await client.get("/")
        again = await client.get("/", headers={"if-none-match": f'"other", {first.headers["etag"]}'})
        changed = await client.get("/?name=a", headers={"if-none-match": first.headers["etag"]})
    assert first.headers["cache-control"] == SHARED
    assert (again.status_code, again.content) == (304, b"")
    assert {name: again.headers[name] for name in ("etag", "cache-control", "vary")} == {
        name: first.headers[name] for name in ("etag", "cache-control", "vary")
    }
    assert changed.status_code == 200


async def test_the_validator_differs_by_language_and_a_chosen_language_is_never_shared(small_service: SmallService, visit: Visit) -> None:
    async with visit(small_service("info", "open")) as client:
        nb, nn = await client.get("/"), await client.get("/", headers={"accept-language": "nn"})
        await client.get("/?spraak=nn")
        chosen = await client.get("/")
    assert nb.headers["etag"] != nn.headers["etag"] == chosen.headers["etag"]
    assert chosen.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("level", ["anonymous", "known", "staff"])
async def test_a_private_page_has_no_validator_and_is_not_compressed(small_service: SmallService, visit: Visit, level: str) -> None:
    """INVARIANT: nothing of a private page is kept, and its length tells nothing of a secret in it."""
    async with visit(small_service(level=level), accept_encoding="gzip, br", if_none_match="*") as client:
        page = await client.get("/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert not {"etag", "content-encoding"} & set(page.headers)


async def test_an_open_page_goes_compressed_over_the_wire(small_service: SmallService, visit: Visit) -> None:
    async with visit(small_service("info", "open"), accept_encoding="gzip") as client:
        page = await client.get("/parts")
        plain = await client.get("/parts", headers={"accept-encoding": "identity"})
    assert page.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert page.text == plain.text
    assert int(page.headers["content-length"]) == len(gzip.compress(plain.content, 4, mtime=0)) < len(plain.content) / 2


async def test_neither_errors_nor_answers_to_forms_are_shared(small_service: SmallService, visit: Visit) -> None:
    async with visit(small_service("info", "open")) as client:
        for page in (await client.get("/error/404/not_found"), await client.post("/only-post")):
            assert page.headers["cache-control"] == "private, no-cache"
            assert "etag" not in page.headers


async def test_style_sheets_come_in_the_best_coding_that_the_browser_knows(visit: Visit) -> None:
    async with visit() as client:
        html = (await client.get("/")).text
        sheet = next(part.split('"')[0] for part in html.split('href="') if part.startswith("/static/designsystemet."))
        seen = {}
        for accepted in ("gzip, deflate, br, zstd", "gzip", "identity"):
            async with client.stream("GET", sheet, headers={"accept-encoding": accepted}) as response:
                seen[response.headers.get("content-encoding")] = len(b"".join([part async for part in response.aiter_raw()]))
    assert seen["br"] < seen["gzip"] < seen[None] / 5

"""Forms: only from this host's own page, by the session that the page was made for, bounded and keyed."""

import pytest
from servicekit.crypto import b64

from deploy.testing.browser import Browser, hidden_fields

OWN = "http://min.localhost:8080"


@pytest.mark.parametrize(
    ("site", "origin", "status"),
    [
        ("same-origin", OWN, 200),
        ("same-origin", None, 200),
        (None, OWN, 200),
        (None, None, 403),
        (None, "null", 403),
        (None, "http://snakk.localhost:8080", 403),
        (None, "http://min.localhost:8080.evil.example", 403),
        ("same-site", OWN, 403),
        ("cross-site", OWN, 403),
        ("cross-site", "http://evil.example", 403),
        ("none", None, 403),
        ("same-origin", "http://evil.example", 403),
    ],
)
async def test_a_form_is_taken_from_this_host_only(browser: Browser, site: str | None, origin: str | None, status: int) -> None:
    """INVARIANT: no other site can act for a youth, also in browsers without Fetch Metadata."""
    page = await browser.get("/note")
    headers = {name: value for name, value in (("Sec-Fetch-Site", site), ("Origin", origin)) if value}
    sent = await browser.request("POST", "/note", headers, data={**hidden_fields(page.text, "/note"), "note": "hei"})
    assert sent.status_code == status


async def test_a_form_of_another_session_is_refused(browser: Browser, app: object) -> None:
    """INVARIANT: a token that an attacker fetched for herself doesn't work in the victim's browser."""
    async with Browser(browser.app) as attacker:
        stolen = hidden_fields((await attacker.get("/note")).text, "/note")
    await browser.get("/note")
    assert (await browser.post("/note", {**stolen, "note": "hei"})).status_code == 403


async def test_a_form_without_cookie_or_token_is_refused(browser: Browser) -> None:
    """INVARIANT: no session, no form."""
    page = await browser.get("/note")
    hidden = hidden_fields(page.text, "/note")
    assert (await browser.post("/note", {"key": hidden["key"], "note": "hei"})).status_code == 403
    browser.cookies.clear()
    assert (await browser.post("/note", {**hidden, "note": "hei"})).status_code == 403


async def test_every_form_needs_a_key_of_256_bits(browser: Browser) -> None:
    page = await browser.get("/note")
    hidden = hidden_fields(page.text, "/note")
    for key in ("", "short", hidden["key"] + "A"):
        assert (await browser.post("/note", {**hidden, "key": key, "note": "hei"})).status_code == 422
    by_header = {"csrf": hidden["csrf"], "note": "hei"}
    assert (await browser.post("/note", by_header, **{"Idempotency-Key": b64(bytes(32))})).status_code == 200


async def test_the_fingerprint_tells_commands_apart_but_not_repeats(browser: Browser) -> None:
    page = await browser.get("/note")
    first = (await browser.submit(page, "/note", {"note": "hei"})).text
    again = (await browser.submit(await browser.get("/note"), "/note", {"note": "hei"})).text
    other = (await browser.submit(page, "/note", {"note": "hallo"})).text
    assert first == again != other


@pytest.mark.parametrize(("note", "status"), [("", 422), ("   ", 422), ("x" * 20, 200), ("x" * 21, 422), ("x" * 100_000, 422)])
async def test_texts_are_bounded_and_never_echoed(browser: Browser, note: str, status: int) -> None:
    page = await browser.get("/note")
    sent = await browser.submit(page, "/note", {"note": note})
    assert sent.status_code == status
    assert "xxx" not in sent.text


async def test_a_body_over_the_bound_ends_with_413(browser: Browser) -> None:
    page = await browser.get("/note")
    assert (await browser.submit(page, "/note", {"note": "x" * 1_000_001})).status_code == 413


@pytest.mark.parametrize("body", [b"note=%FF%FE", "note=å".encode(), b"note=%00", b"&".join([b"a=1"] * 600)])
async def test_a_body_that_is_no_form_ends_with_400(browser: Browser, body: bytes) -> None:
    await browser.get("/note")
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": OWN}
    assert (await browser.request("POST", "/note", form, content=body)).status_code == 400


async def test_other_content_types_are_refused(browser: Browser) -> None:
    """INVARIANT: text/plain and multipart can be sent across sites without asking; nothing but our own forms is read."""
    await browser.get("/note")
    for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x"):
        assert (await browser.request("POST", "/note", {"Content-Type": kind, "Origin": OWN}, content=b"{}")).status_code == 415


async def test_the_presenting_door_reads_no_cookie(browser: Browser) -> None:
    """INVARIANT: what dialog's page posts gives no authority: the session in the browser is neither read nor changed."""
    page = await browser.get("/note")
    await browser.submit(page, "/note", {"note": "mine"})
    before = dict(browser.cookies)
    door = {"Origin": "http://snakk.localhost:8080", "Sec-Fetch-Site": "cross-site"}
    presented = await browser.request("POST", "/present", door, data={"secret": "abc"})
    assert (presented.status_code, presented.text, browser.cookies) == (200, "abc", before)
    assert "set-cookie" not in presented.headers
    for origin in ("http://evil.example", "http://localhost:8080"):
        assert (await browser.request("POST", "/present", {"Origin": origin}, data={"secret": "abc"})).status_code == 403

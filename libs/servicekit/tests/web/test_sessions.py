"""Browser sessions: one cookie of this host, rows that end, a new name at each login."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from contracts.identity import SessionEnded
from fastapi import FastAPI
from servicekit.delivery.outbox import beginner
from servicekit.web.browser_session import (
    ANONYMOUS_IDLE,
    KNOWN_ABSOLUTE,
    KNOWN_IDLE,
    BrowserSession,
    Login,
    SessionGoneError,
    load,
    log_in,
    on_session_ended,
    save,
)
from servicekit.web.cookie import COOKIE, Holder
from servicekit.web.sessions import reaches
from sqlalchemy import text
from starlette.requests import Request

from deploy.testing.browser import Browser, hidden_fields

HIGH, SUBSTANTIAL = "idporten-loa-high", "idporten-loa-substantial"


def a_youth(level: str = SUBSTANTIAL) -> Login:
    return Login(uuid4(), uuid4(), level, datetime.now(UTC))


def a_clinician() -> Login:
    return Login(uuid4(), uuid4(), HIGH, datetime.now(UTC), organisation="300000107", roles=frozenset({"clinician"}))


async def rows(app: FastAPI) -> int:
    async with app.state.begin() as uow:
        return int(await uow.connection.scalar(text("select count(*) from browser_sessions")))


async def test_the_cookie_belongs_to_this_host_alone(browser: Browser) -> None:
    """INVARIANT: no other service and no script gets the cookie."""
    page = await browser.get("/note")
    line = page.headers["set-cookie"]
    attributes = {part.strip().lower() for part in line.split(";")[1:]}
    assert line.startswith("__Host-stegvis=")
    assert attributes == {"path=/", "secure", "httponly", "samesite=lax"}
    assert page.headers["cache-control"] == "no-store"


async def test_reading_leaves_no_trace(browser: Browser, app: FastAPI) -> None:
    """INVARIANT: a cookie comes with the first form, a row with the first change; not before."""
    assert "set-cookie" not in (await browser.get("/")).headers
    await browser.get("/note")
    assert await rows(app) == 0


async def test_state_is_kept_and_the_token_stored_hashed_only(browser: Browser, app: FastAPI) -> None:
    """INVARIANT: who reads the database can't be anyone."""
    await browser.submit(await browser.get("/note"), "/note", {"note": "mine"})
    assert "<p>mine</p>" in (await browser.get("/note")).text
    async with app.state.begin() as uow:
        kept = (await uow.connection.execute(text("select id_hash, browser_sessions::text from browser_sessions"))).one()
    token = browser.cookies[COOKIE]
    assert kept[0] == sha256(token.encode()).digest()
    assert token not in kept[1]


async def test_a_login_gives_the_session_a_new_name_and_keeps_its_state(browser: Browser, app: FastAPI) -> None:
    """INVARIANT: a cookie known before the login opens nothing after it (session fixation)."""
    await browser.submit(await browser.get("/note"), "/note", {"note": "mine"})
    before = browser.cookies[COOKIE]
    async with app.state.begin() as uow:
        session = BrowserSession(await load(uow, before))
        await log_in(uow, session, a_youth(), {"refresh": "r", "issued_at": 0})
    assert session.token != before
    async with app.state.begin() as uow:
        old, new = await load(uow, before), await load(uow, session.token)
    assert old.login is None
    assert old.state == {}
    assert new.login is not None
    assert new.state == {"note": "mine"}


async def test_a_higher_level_gives_a_new_name_too(app: FastAPI, browser: Browser) -> None:
    """INVARIANT: the cookie of the lower level doesn't get the higher one."""
    await browser.log_in(a_youth())
    before = browser.cookies[COOKIE]
    async with app.state.begin() as uow:
        session = BrowserSession(await load(uow, before))
        await log_in(uow, session, a_youth(HIGH))
        assert (await load(uow, before)).login is None
        assert (await load(uow, session.token)).login is not None


@pytest.mark.parametrize(
    ("known", "later", "lives"),
    [
        (True, KNOWN_IDLE - timedelta(minutes=1), True),
        (True, KNOWN_IDLE + timedelta(seconds=1), False),
        (False, KNOWN_IDLE + timedelta(seconds=1), True),
        (False, ANONYMOUS_IDLE + timedelta(seconds=1), False),
    ],
)
async def test_a_resting_session_ends(app: FastAPI, browser: Browser, known: bool, later: timedelta, lives: bool) -> None:
    """INVARIANT: a login that is left alone ends after 15 minutes; an anonymous session has its own time."""
    if known:
        await browser.log_in(a_youth())
    else:
        await browser.submit(await browser.get("/note"), "/note", {"note": "mine"})
    async with beginner(app.state.engine, "helpjourney", later)() as uow:
        assert (await load(uow, browser.cookies[COOKIE])).saved is lives


async def test_a_busy_login_ends_all_the_same(app: FastAPI, browser: Browser) -> None:
    """INVARIANT: no login lasts longer than 120 minutes."""
    await browser.log_in(a_youth())
    for minutes in range(10, 130, 10):
        later = timedelta(minutes=minutes)
        async with beginner(app.state.engine, "helpjourney", later)() as uow:
            assert (await load(uow, browser.cookies[COOKIE])).saved is (later < KNOWN_ABSOLUTE), minutes


async def test_an_ended_session_can_not_be_saved_back_to_life(app: FastAPI, browser: Browser) -> None:
    """INVARIANT: a request that was under way when the login ended doesn't bring it back."""
    login = a_youth()
    await browser.log_in(login)
    async with app.state.begin() as uow:
        session = BrowserSession(await load(uow, browser.cookies[COOKIE]))
        await on_session_ended(SessionEnded(session_id=login.sid), uow)
        with pytest.raises(SessionGoneError):
            await save(uow, session)


async def test_the_end_of_a_login_elsewhere_ends_it_here(app: FastAPI, browser: Browser) -> None:
    login = a_youth()
    await browser.log_in(login)
    assert (await browser.get("/me")).text == str(login.subject)
    async with app.state.begin() as uow:
        await on_session_ended(SessionEnded(session_id=uuid4()), uow)
    assert (await browser.get("/me")).status_code == 200
    async with app.state.begin() as uow:
        await on_session_ended(SessionEnded(session_id=login.sid), uow)
    assert (await browser.request("GET", "/me")).headers["location"] == "/logg-inn?neste=/me"


async def test_doors_tell_youths_from_staff(browser: Browser) -> None:
    """INVARIANT: a login for work opens no youth's page, and the other way round."""
    assert (await browser.request("GET", "/me")).headers["location"] == "/logg-inn?neste=/me"
    assert (await browser.request("GET", "/ansatt")).headers["location"] == "/ansatt/logg-inn?neste=/ansatt"
    assert (await browser.request("GET", "/me", {"Accept": "application/json"})).status_code == 401
    await browser.log_in(a_youth())
    assert (await browser.request("GET", "/ansatt")).status_code == 303
    assert (await browser.request("GET", "/me/high")).headers["location"] == f"/logg-inn?neste=/me/high&niva={HIGH}"
    await browser.log_in(a_clinician())
    assert (await browser.request("GET", "/me")).status_code == 303
    assert (await browser.get("/ansatt")).text == "300000107"


async def test_the_quick_exit_ends_the_session(app: FastAPI, browser: Browser) -> None:
    await browser.log_in(a_youth())
    cookie = f"{COOKIE}={browser.cookies[COOKIE]}".encode()
    await app.state.leave(Request({"type": "http", "app": app, "headers": [(b"cookie", cookie)], "stegvis.session": Holder()}))
    assert await rows(app) == 0


async def test_the_end_gives_the_browser_a_new_start(browser: Browser) -> None:
    page = await browser.get("/note")
    await browser.submit(page, "/note", {"note": "mine"})
    ended = await browser.post("/end", hidden_fields(page.text, "/note"))
    assert "max-age=0" in ended.headers["set-cookie"].lower()
    assert COOKIE not in browser.cookies
    assert "mine" not in (await browser.get("/note")).text


@pytest.mark.parametrize(
    ("have", "wanted", "holds"),
    [
        (HIGH, SUBSTANTIAL, True),
        (SUBSTANTIAL, SUBSTANTIAL, True),
        (SUBSTANTIAL, HIGH, False),
        (None, SUBSTANTIAL, False),
        ("4", "4", False),
    ],
)
def test_levels_are_compared_by_rank(have: str | None, wanted: str, holds: bool) -> None:
    assert reaches(have, wanted) is holds


WORDS = "de krangler hele tida"


async def test_a_form_whose_session_is_gone_comes_back_with_what_was_written(browser: Browser) -> None:
    """INVARIANT: nothing written is lost because a cookie was."""
    sent = {**hidden_fields((await browser.get("/note")).text, "/note"), "note": WORDS}
    browser.cookies.clear()
    answer = await browser.post("/note", sent)
    assert answer.status_code == 403
    assert WORDS in answer.text


async def test_a_form_of_a_session_that_was_left_on_purpose_shows_nothing_when_it_is_sent_again(browser: Browser) -> None:
    """INVARIANT: what the back button sends again after the quick exit or a logout is shown to nobody, nor once a new page is open."""
    page = await browser.get("/note")
    sent = {**hidden_fields(page.text, "/note"), "note": WORDS}
    await browser.post("/note", sent)
    await browser.post("/end", sent)
    assert COOKIE not in browser.cookies
    for _ in range(2):
        answer = await browser.post("/note", sent)
        assert answer.status_code == 403
        assert WORDS not in answer.text
        await browser.get("/note")


async def test_a_form_that_was_received_shows_nothing_when_it_is_sent_again_after_the_login_ended_elsewhere(
    app: FastAPI, browser: Browser
) -> None:
    """INVARIANT: a login that its owner ended from another machine leaves nothing to read behind the back button of this one."""
    login = a_youth()
    await browser.log_in(login)
    sent = {**hidden_fields((await browser.get("/note")).text, "/note"), "note": WORDS}
    assert (await browser.post("/me/letter", sent)).text == "sent"
    async with app.state.begin() as uow:
        await on_session_ended(SessionEnded(session_id=login.sid), uow)
    again = await browser.post("/me/letter", sent)
    assert (again.status_code, again.headers["location"].startswith("/logg-inn")) == (303, True)
    await browser.log_in(a_youth())
    assert WORDS not in (await browser.post("/me/letter", sent)).text
    browser.cookies.clear()
    assert WORDS not in (await browser.post("/me/letter", sent)).text


async def test_a_form_that_was_received_is_said_to_be_when_its_session_is_gone(browser: Browser) -> None:
    """What she wrote afterwards on the same page wasn't received, and comes back."""
    sent = {**hidden_fields((await browser.get("/note")).text, "/note"), "note": WORDS}
    await browser.post("/letter", sent)
    browser.cookies.clear()
    again = await browser.post("/letter", sent)
    assert (again.status_code, again.text) == (409, "error conflict")
    more = await browser.post("/letter", {**sent, "note": WORDS + " om meg"})
    assert more.status_code == 403
    assert WORDS + " om meg" in more.text

"""The border as browsers walk it: presenting, logging in, the yes and the no."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from helpjourney_givens import SUMMARY, Given, a_typed_offer, an_offer, count, offered, youth_login
from markupsafe import escape
from servicekit.claim_secret import write_secret
from servicekit.web.guards import assert_unsafe_routes_are_guarded

from deploy.testing import Database
from deploy.testing.browser import Browser

Browsers = Callable[[], Browser]
FROM_DIALOG = {"Origin": "null", "Sec-Fetch-Site": "cross-site"}


async def present(browser: Browser, given: Given) -> Any:
    """What dialog's form does: a POST from another site."""
    return await browser.request("POST", "/inn", FROM_DIALOG, data={"secret": write_secret(given.secret)})


async def say_yes(browser: Browser) -> Any:
    page = await browser.get("/er-det-deg")
    return await browser.submit(page, "/er-det-deg")


def test_every_unsafe_route_is_guarded(app: FastAPI) -> None:
    """INVARIANT: no other site's form acts for anyone."""
    assert_unsafe_routes_are_guarded(app)


async def test_she_presents_logs_in_says_yes_and_reads_what_she_brought(database: Database, browser: Browser) -> None:
    given = an_offer()
    await offered(database, given)
    presented = await present(browser, given)
    assert (presented.status_code, presented.headers["location"]) == (303, "/inn")
    page = await browser.get("/inn")
    assert "Det du hadde med deg, er her" in page.text
    assert "/logg-inn/start?neste=/er-det-deg" in page.text
    await browser.log_in(youth_login(15))
    assert "Er det deg?" in (await browser.get("/")).text
    answer = await say_yes(browser)
    assert answer.status_code == 303
    page = await browser.get(answer.headers["location"])
    assert SUMMARY in page.text
    assert "Tanker og følelser" in page.text
    assert "__Host-inn" not in browser.cookies


async def test_the_presenting_door_reads_no_cookie_and_gives_no_authority(database: Database, browser: Browser) -> None:
    """INVARIANT: a form of another site can't act in a login, only give a browser something to hold."""
    await browser.log_in(youth_login(15))
    await say_yes(browser)
    given = an_offer()
    await offered(database, given)
    before = await count(database, "journeys")
    await present(browser, given)
    assert await count(database, "journeys") == before
    assert "Siden din" not in (await browser.get("/")).text


async def test_a_parents_live_session_opens_nothing(database: Database, browser: Browser) -> None:
    """INVARIANT: only a login after the presenting binds."""
    given = an_offer()
    await offered(database, given)
    await present(browser, given)
    await browser.log_in(youth_login(16, auth_time=datetime.now(UTC) - timedelta(minutes=5)))
    answer = await say_yes(browser)
    assert answer.headers["location"] == "/inn"
    page = await browser.get("/inn")
    assert SUMMARY not in page.text
    assert "Du må logge inn nå" in page.text
    assert await count(database, "journeys") == 0
    assert await count(database, "offers") == 1


async def test_the_no_logs_out_and_leaves_the_offer_for_her(database: Database, browser: Browser) -> None:
    given = an_offer()
    await offered(database, given)
    await present(browser, given)
    await browser.log_in(youth_login(45))
    page = await browser.get("/er-det-deg")
    answer = await browser.submit(page, "/logg-ut")
    assert answer.headers["location"] == "/logg-ut"
    assert await count(database, "offers") == 1
    await browser.log_in(youth_login(15))
    answer = await say_yes(browser)
    assert SUMMARY in (await browser.get(answer.headers["location"])).text


async def test_this_is_not_mine_lets_go_and_leaves_the_offer_unread(database: Database, browser: Browser) -> None:
    given = an_offer()
    await offered(database, given)
    await present(browser, given)
    await browser.log_in(youth_login(15))
    page = await browser.get("/er-det-deg")
    await browser.submit(page, "/inn/ikke-mitt")
    assert "__Host-inn" not in browser.cookies
    assert await count(database, "offers") == 1
    assert await count(database, "holders") == 0


async def test_nothing_is_bound_before_the_yes(database: Database, browser: Browser) -> None:
    """INVARIANT: a login alone opens nothing."""
    given = an_offer()
    await offered(database, given)
    await present(browser, given)
    await browser.log_in(youth_login(15))
    for path in ("/", "/inn", "/er-det-deg"):
        assert SUMMARY not in (await browser.get(path)).text
    assert await count(database, "journeys") == 0


async def test_what_comes_after_the_login_is_fetched_from_the_overview(database: Database, browser: Browser) -> None:
    """INVARIANT: a claim presented before its offer has arrived succeeds."""
    given = an_offer()
    await present(browser, given)
    page = await browser.get("/inn")
    assert "Vi henter det" in page.text
    assert page.headers["refresh"]
    assert "Stopp oppdatering" in page.text
    assert "refresh" not in (await browser.get("/inn?stopp=1")).headers
    await browser.log_in(youth_login(15))
    assert (await say_yes(browser)).headers["location"] == "/"
    assert "Vi venter på det du hadde med deg" in (await browser.get("/")).text
    await offered(database, given)
    page = await browser.get("/")
    assert "er kommet" in page.text
    answer = await browser.submit(page, "/inn/hent")
    assert SUMMARY in (await browser.get(answer.headers["location"])).text


async def test_the_loser_of_a_race_gets_a_kind_page(database: Database, browsers: Browsers) -> None:
    given, first, second = an_offer(), browsers(), browsers()
    await offered(database, given)
    for browser in (first, second):
        await present(browser, given)
        await browser.log_in(youth_login(15))
    assert (await say_yes(first)).status_code == 303
    lost = await say_yes(second)
    assert lost.status_code == 409
    assert "Dette er allerede hentet" in lost.text
    assert "Ring helsestasjonen" in lost.text


async def test_the_same_yes_twice_binds_once_and_shows_the_same(database: Database, browser: Browser) -> None:
    given = an_offer()
    await offered(database, given)
    await present(browser, given)
    await browser.log_in(youth_login(15))
    page = await browser.get("/er-det-deg")
    cookies = dict(browser.cookies)
    first = await browser.submit(page, "/er-det-deg")
    browser.cookies = cookies
    second = await browser.submit(page, "/er-det-deg")
    assert first.headers["location"] == second.headers["location"]
    assert await count(database, "journeys") == 1


async def test_a_code_is_typed_on_another_device(database: Database, browser: Browser) -> None:
    given = a_typed_offer()
    await offered(database, given)
    page = await browser.get("/inn")
    typed = await browser.submit(page, "/inn/kode", {"code": str(given.code).lower().replace("-", " ")})
    assert typed.headers["location"] == "/inn"
    assert "Det du hadde med deg, er her" in (await browser.get("/inn")).text


@pytest.mark.parametrize("code", ["", "x", "0" * 16, "æøå", "A" * 100_000, "<script>alert(1)</script>", "‮abc‬"])
async def test_a_code_that_cannot_be_one_is_explained_and_stays_in_the_field(browser: Browser, code: str) -> None:
    """INVARIANT: who is told to look over each character finds them."""
    page = await browser.get("/inn")
    answer = await browser.submit(page, "/inn/kode", {"code": code})
    if code == "0" * 16:  # a code of zeros has a right check character: it looks like one that is on its way
        assert answer.status_code == 303
        return
    assert answer.status_code == 422
    assert "113" in answer.text
    assert f'value="{escape(code[:60])}"' in answer.text
    assert code[:61] == code[:60] or code[:61] not in answer.text


async def test_a_secret_that_cannot_be_one_is_on_no_page(browser: Browser) -> None:
    """INVARIANT: what came from the other site by itself is never shown, also mistyped."""
    answer = await browser.request("POST", "/inn", FROM_DIALOG, data={"secret": "Kanarifugl-7731", "code": ""})
    assert answer.status_code == 422
    assert "Kanarifugl" not in answer.text


async def test_the_fifth_wrong_code_closes_for_a_while(database: Database, browser: Browser) -> None:
    given = a_typed_offer()
    assert given.code
    await offered(database, given)
    for number in range(6):
        browser.cookies.pop("__Host-inn", None)
        page = await browser.get("/inn")
        wrong = a_typed_offer().code
        assert wrong
        answer = await browser.submit(page, "/inn/kode", {"code": str(type(wrong)(given.code.locator, wrong.secret))})
        assert answer.status_code == (303 if number < 5 else 429)
    assert "Vent et kvarter" in answer.text


async def test_direct_entry_begins_an_empty_journey(database: Database, browser: Browser) -> None:
    await browser.log_in(youth_login(15))
    assert (await say_yes(browser)).headers["location"] == "/"
    page = await browser.get("/")
    assert "Ønsk deg en time" in page.text
    assert await count(database, "journeys") == 1
    await say_yes(browser)
    assert await count(database, "journeys") == 1


@pytest.mark.parametrize(("age", "words"), [(12, "helsesykepleieren på skolen"), (21, "Fastlegen din")])
async def test_other_ages_are_led_on_kindly(database: Database, browser: Browser, age: int, words: str) -> None:
    given = an_offer()
    await offered(database, given)
    await present(browser, given)
    await browser.log_in(youth_login(age))
    await say_yes(browser)
    page = await browser.get("/")
    assert words in page.text
    assert "er det ikke åpnet" in page.text
    assert await count(database, "journeys") == 0
    assert await count(database, "offers") == 1


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
@pytest.mark.parametrize("path", ["/", "/inn"])
async def test_the_door_speaks_the_readers_language_and_says_nothing_in_its_title(browser: Browser, path: str, language: str) -> None:
    page = await browser.get(path, **{"Accept-Language": language})
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "<title>" in page.text
    assert f'lang="{language}"' in page.text


async def test_forms_of_other_sites_are_refused(browser: Browser) -> None:
    await browser.log_in(youth_login(15))
    for origin in ("https://other.example", "null"):
        for path in ("/er-det-deg", "/inn/hent", "/begynn", "/inn/kode", "/inn/ikke-mitt"):
            answer = await browser.request("POST", path, {"Origin": origin, "Sec-Fetch-Site": "cross-site"}, data={"key": "x" * 43})
            assert answer.status_code == 403
    stranger = await browser.request("POST", "/inn", {"Origin": "https://other.example"}, data={"secret": "x" * 43})
    assert stranger.status_code == 403

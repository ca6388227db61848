"""What one sees when something isn't there, isn't hers, is full or is broken."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from webkit.crisis import crisis
from webkit.errors import ERRORS, error_page, way
from webkit.i18n import translate

from deploy.testing.html import tags

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

URLS = {"info": "/i/", "dialog": "/d/"}
STATES = ["not_found", "gone", "refused", "expired", "too_many", "closed", "full", "unavailable", "wrong_method", "bad_request", "invalid"]


@pytest.mark.parametrize("language", ["nb", "nn", "se", "en"])
@pytest.mark.parametrize("code", ERRORS)
async def test_every_error_page_names_the_crisis_numbers_and_a_next_human_option(visit: Visit, code: str, language: str) -> None:
    """INVARIANT: no error is a dead end."""
    async with visit(accept_language=language) as client:
        response = await client.get(f"/error/418/{code}")
    links = [tag.attributes["href"] for tag in tags(response.text, "a")]
    assert response.status_code == 418
    for line in crisis().lines:
        assert line.href in links
        assert line.number in response.text
    assert crisis().silent.url in links
    assert translate(language)("Dette kan du gjøre nå") in response.text
    assert translate(language).gettext(ERRORS[code].title) in response.text.replace("&#39;", "'")


def test_all_designed_states_have_a_page() -> None:
    assert set(STATES) <= set(ERRORS)


def test_an_unknown_code_gets_the_page_of_its_status() -> None:
    assert error_page(404, "chat_is_gone") is ERRORS["not_found"]
    assert error_page(500) is ERRORS["failed"]
    assert error_page(418) is ERRORS["bad_request"]


@pytest.mark.parametrize("language", ["nb", "nn", "se", "en"])
async def test_who_works_here_is_not_spoken_to_as_a_youth(visit: Visit, language: str) -> None:
    """Staff pages answer in words of their own, and lead back to work."""
    async with visit(accept_language=language) as client:
        response = await client.get("/ansatt/error/403/forbidden")
    say = translate(language)
    links = [tag.attributes["href"] for tag in tags(response.text, "a")]
    assert say("Du har ikke tilgang hit") in response.text.replace("&#39;", "'")
    assert say(ERRORS["forbidden"].title) not in response.text
    assert say("Spør eller chat anonymt") not in response.text
    assert "/ansatt/logg-inn?fersk=1" in links
    assert {line.href for line in crisis().lines} <= set(links), "the numbers stand in the footer"


@pytest.mark.parametrize("code", ["form_not_ours", "wrong_method", "conflict"])
async def test_who_works_here_is_led_back_to_work_and_not_to_the_pages_of_youths(visit: Visit, code: str) -> None:
    """INVARIANT: neither the mark nor a form that failed leads a helper to the front page of those she helps."""
    async with visit() as client:
        page = (await client.post("/ansatt/only-post")) if code == "form_not_ours" else (await client.get(f"/ansatt/error/418/{code}"))
    links = [tag.attributes for tag in tags(page.text, "a")]
    assert [each["href"] for each in links if each.get("class") == "mark"] == ["/ansatt"]
    assert not [each for each in links if each["href"] == "/"]
    assert "forsiden" not in page.text
    assert [each["href"] for each in links if each.get("class") == "ds-button"].count("/ansatt") == 1


@pytest.mark.parametrize(
    ("path", "ways"),
    [
        ("/ansatt/error/403/forbidden", ["/ansatt/logg-inn?fersk=1", "/ansatt", "/ansatt/error/403/forbidden"]),
        ("/ansatt", ["/ansatt/logg-inn?fersk=1", "/ansatt"]),
    ],
)
async def test_who_opens_a_page_of_another_role_finds_the_way_to_her_own_work(visit: Visit, path: str, ways: list[str]) -> None:
    """On the work page itself that way is the way to try again, and stands once."""
    async with visit() as client:
        page = await client.get(path)
    assert page.status_code == 403
    assert [tag.attributes["href"] for tag in tags(page.text, "a") if tag.attributes.get("class") == "ds-button"] == ways


async def test_who_has_no_role_here_is_told_what_she_lacks_and_led_to_no_page_that_refuses_her_too(visit: Visit) -> None:
    """INVARIANT: no way of the page leads back to it."""
    async with visit() as client:
        page = await client.get("/ansatt/error/403/no_role")
    assert [tag.attributes["href"] for tag in tags(page.text, "a") if tag.attributes.get("class") == "ds-button"] == [
        "/ansatt/logg-inn?fersk=1"
    ]
    assert "HPR-nummer" in page.text
    assert error_page(403, "no_role") is ERRORS["forbidden"], "to youths it is a page for somebody else"


async def test_a_youth_is_led_to_her_own_front_page(visit: Visit) -> None:
    async with visit() as client:
        page = await client.get("/error/404/not_found")
    assert [tag.attributes["href"] for tag in tags(page.text, "a") if tag.attributes.get("class") == "mark"] == ["/"]


def test_who_sends_a_form_twice_is_not_told_of_somebody_else() -> None:
    """To a youth who is afraid of being watched, somebody else is bad news; to who works here it's a colleague."""
    assert "Noen" not in ERRORS["conflict"].title
    assert error_page(409, staff=True).title == "Noen rakk det før deg"


def test_every_state_of_staff_pages_has_a_way_on_and_words_in_every_language() -> None:
    pages = {code: error_page(418, code, staff=True) for code in (*ERRORS, "no_role")}
    assert all(page.ways for page in pages.values())
    assert not [code for code, page in pages.items() if {"dialog", "info/hjelp", "dialog/spor"} & set(page.ways.values())]
    for language in ("nn", "se", "en"):
        lacking = {
            text for page in pages.values() for text in (page.title, page.text, *page.ways) if translate(language).spoken(text) != language
        }
        assert lacking == set(), language


async def test_an_error_page_echoes_nothing(visit: Visit) -> None:
    """INVARIANT: what was sent never comes back in an error."""
    async with visit() as client:
        response = await client.get("/error/404/not_found", params={"name": "Kari Canary"})
    assert "Kari" not in response.text.replace("Kari+Canary", "").replace("Kari%20Canary", "")


def test_errors_have_words_in_every_language_of_the_switch() -> None:
    for language in ("nn", "se", "en"):
        lacking = {
            text for page in ERRORS.values() for text in (page.title, page.text, *page.ways) if translate(language).spoken(text) != language
        }
        assert lacking == set(), language


def test_each_state_has_words_of_its_own_and_leads_on() -> None:
    assert len({(page.title, page.text) for page in ERRORS.values()}) == len(ERRORS)
    for page in ERRORS.values():
        assert {way("dialog" if to == "here" else to, "/", URLS) for to in page.ways.values()} <= {
            *URLS.values(),
            "/",
            "/d/spor",
            "/i/hjelp",
        }

"""Which language a reader gets, and how she chooses another."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest
from webkit import Pages
from webkit.language import accepted, local_path

from deploy.testing.html import tags

HERE = Path(__file__).parent
Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "nb"),
        ("no", "nb"),
        ("nb-NO,nb;q=0.9", "nb"),
        ("nn-NO", "nn"),
        ("en-US,en;q=0.9,nn;q=0.95", "en"),
        ("en;q=0.5, nn;q=0.8", "nn"),
        ("de, se;q=0.1", "se"),
        ("de", "nb"),
        ("nn;q=0", "nb"),
        ("nn;q=abc,;;;,en", "en"),
    ],
)
def test_the_browsers_wish_is_followed_as_far_as_possible(header: str, language: str) -> None:
    assert accepted(header) == language


async def test_a_choice_is_remembered_and_leaves_no_trace_in_the_address(visit: Visit) -> None:
    async with visit(accept_language="en") as client:
        chosen = await client.get("/?name=x&spraak=nn")
        assert chosen.status_code == 303
        assert chosen.headers["location"] == "/?name=x"
        cookie = chosen.headers["set-cookie"]
        page = await client.get("/")
    assert cookie == "__Host-spraak=nn; HttpOnly; Path=/; SameSite=lax; Secure"
    assert tags(page.text, "html")[0].attributes["lang"] == "nn"
    assert "Hei du" in page.text
    assert "Treng du hjelp" in page.text


async def test_an_unknown_language_changes_nothing(visit: Visit) -> None:
    async with visit() as client:
        response = await client.get("/?spraak=<x>")
    assert response.status_code == 303
    assert response.headers["location"] == "/"
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "\\\\evil.example", "///evil.example"])
def test_the_switch_never_leads_to_another_host(path: str) -> None:
    """INVARIANT: no open redirect."""
    assert local_path(path).startswith("/evil.example")


async def test_a_double_slash_stays_on_this_host(visit: Visit) -> None:
    """INVARIANT: no open redirect, over the wire."""
    async with visit() as client:
        response = await client.get("https://snakk.example//evil.example/?spraak=nn")
    assert response.headers["location"] == "/evil.example/"


async def test_a_post_is_never_redirected_by_the_switch(visit: Visit) -> None:
    async with visit() as client:
        response = await client.post("/only-post?spraak=nn")
    assert response.status_code == 422
    assert "set-cookie" not in response.headers


async def test_after_a_form_there_is_no_switch_that_would_lose_what_is_shown_once(visit: Visit) -> None:
    async with visit() as client:
        after_post = await client.post("/only-post")
    assert [tag for tag in tags(after_post.text, "a") if "hreflang" in tag.attributes] == []


async def test_the_switch_shows_four_languages_by_their_own_names(visit: Visit) -> None:
    async with visit() as client:
        page = await client.get("/?name=a%26b")
    links = [tag.attributes for tag in tags(page.text, "a") if "hreflang" in tag.attributes]
    assert [link["lang"] for link in links] == ["nb", "nn", "se", "en"]
    assert links[1]["href"] == "/?name=a%26b&spraak=nn"
    assert [link["lang"] for link in links if "aria-current" in link] == ["nb"]


async def test_text_that_lacks_the_chosen_language_says_that_it_is_bokmal(visit: Visit) -> None:
    async with visit(accept_language="se") as client:
        page = await client.get("/")
    assert tags(page.text, "html")[0].attributes["lang"] == "se"
    assert tags(page.text, "main")[0].attributes["lang"] == "nb"
    crisis = next(tag for tag in tags(page.text, "section") if tag.attributes.get("class") == "crisis")
    assert crisis.attributes["lang"] == "se"
    assert page.headers["content-language"] == "se"


@pytest.mark.parametrize("language", ["nb", "nn", "se", "en"])
def test_a_time_in_a_sentence_is_in_the_language_of_the_sentence(tmp_path: Path, language: str) -> None:
    """The service of this test has Bokmål and Nynorsk alone: nobody reads "innen 1 diibmu" or "innen 1 hour"."""
    (tmp_path / "answer.html").write_text("{{ 3600|duration }}")
    pages = Pages(service="dialog", level="anonymous", templates_dir=tmp_path, locale_dir=HERE / "locale")
    assert pages.fragment(language, "answer.html") == "1 time"

"""The numbers: right, dated, on every page, and alone when all else is down."""

import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256

import httpx
import pytest
from pydantic import ValidationError
from webkit.crisis import crisis, static_page, static_policy
from webkit.testing import loaded, tags
from webkit.texts import Text

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]

NUMBERS = {"113": "tel:113", "112": "tel:112", "116 117": "tel:116117", "116 111": "tel:116111", "116 123": "tel:116123"}


def test_the_five_numbers_are_there_with_owner_and_dates() -> None:
    data = crisis()
    assert {line.number: line.href for line in data.lines} == NUMBERS
    assert data.owner
    assert data.assured_on < data.assure_again_by


@pytest.mark.parametrize("language", ["nb", "nn", "se", "en"])
async def test_the_full_block_shows_every_number_as_a_link_and_a_silent_way_with_its_hours(visit: Visit, language: str) -> None:
    """INVARIANT: the numbers stand before every form, without script."""
    async with visit(accept_language=language) as client:
        html = (await client.get("/")).text
    links = [tag.attributes["href"] for tag in tags(html, "a")]
    assert all(links.count(href) == 2 for href in NUMBERS.values()), "once in the block, once in the footer's line"
    assert html.index("tel:113") < html.index('action="/only-post"')
    assert "16.15–22.45" in html


async def test_everyday_pages_have_the_line_in_the_footer(visit: Visit) -> None:
    async with visit() as client:
        html = (await client.get("/personvern")).text
    assert set(NUMBERS.values()) <= {tag.attributes["href"] for tag in tags(html, "a")}
    assert 'class="crisis"' not in html


def test_the_static_page_stands_alone() -> None:
    """INVARIANT: with every service down the numbers are still shown."""
    html = static_page("https://www.yr.no/")
    assert loaded(html) == []
    assert not tags(html, "script")
    assert not tags(html, "form")
    assert set(NUMBERS.values()) <= {tag.attributes["href"] for tag in tags(html, "a")}
    assert crisis().silent.url in html
    assert {tag.attributes["lang"] for tag in tags(html, "p") if "lang" in tag.attributes} == {"nn", "se", "en"}


def test_the_policy_of_the_static_page_allows_its_own_style_alone() -> None:
    style = re.search(r"<style>(.*?)</style>", static_page(), re.DOTALL)
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in static_policy()


def test_a_text_in_a_data_file_needs_both_norwegian_forms() -> None:
    with pytest.raises(ValidationError):
        Text.model_validate({"nb": "Hei"})
    assert Text.model_validate({"nb": "Hei", "nn": "Hei"}).of("se") == "Hei"

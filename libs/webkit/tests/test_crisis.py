"""The numbers: right, dated, on every page, and alone when all else is down."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from pydantic import ValidationError
from webkit.crisis import crisis
from webkit.standalone import GATEWAY_PAGES, gateway_page
from webkit.texts import Text

from deploy.testing.html import loaded, tags

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


@pytest.mark.parametrize("name", GATEWAY_PAGES)
def test_the_gateways_own_pages_stand_alone(name: str) -> None:
    """INVARIANT: with every service down the numbers and the way out are still shown, without script."""
    html = gateway_page(name, "/own.css")
    assert [url for url in loaded(html) if url != "data:,"] == ["/own.css"]
    assert not tags(html, "script")
    assert not [tag for tag in tags(html) if "style" in tag.attributes]
    assert [tag.attributes["action"] for tag in tags(html, "form")] == ["/forlat"]
    assert set(NUMBERS.values()) <= {tag.attributes["href"] for tag in tags(html, "a")}
    assert crisis().silent.url in html
    assert {tag.attributes["lang"] for tag in tags(html, "p") if "lang" in tag.attributes} >= {"nn", "en"}


def test_a_text_in_a_data_file_needs_both_norwegian_forms() -> None:
    with pytest.raises(ValidationError):
        Text.model_validate({"nb": "Hei"})
    assert Text.model_validate({"nb": "Hei", "nn": "Hei"}).of("se") == "Hei"

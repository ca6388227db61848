"""The parts that forms are made of: labels, hints and errors belong to their field."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from webkit.testing import Tag, tags

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def page(visit: Visit) -> list[Tag]:
    async with visit() as client:
        return tags((await client.get("/parts")).text)


def by_id(page: list[Tag]) -> dict[str, Tag]:
    return {tag.attributes["id"]: tag for tag in page if "id" in tag.attributes}


async def test_every_field_has_a_label(page: list[Tag]) -> None:
    labelled = {tag.attributes["for"] for tag in page if tag.name == "label"}
    fields = [tag for tag in page if tag.name in ("input", "select", "textarea") and tag.attributes.get("type") != "hidden"]
    assert fields
    assert {tag.attributes["id"] for tag in fields} == labelled


async def test_every_description_exists(page: list[Tag]) -> None:
    ids = by_id(page)
    for tag in page:
        for described in tag.attributes.get("aria-describedby", "").split():
            assert described in ids
        assert tag.attributes.get("aria-labelledby", "innhold") in ids


async def test_a_wrong_field_says_so_and_the_summary_leads_to_it(page: list[Tag]) -> None:
    ids = by_id(page)
    for name in ("text", "age"):
        assert ids[f"f-{name}"].attributes["aria-invalid"] == "true"
        assert f"f-{name}-error" in ids
        assert any(tag.attributes.get("href") == f"#f-{name}" for tag in page)
    assert "f-text-error" in ids["f-text"].attributes["aria-describedby"]
    summary = next(tag for tag in page if tag.attributes.get("class") == "ds-error-summary")
    assert summary.attributes["role"] == "alert"
    assert "aria-invalid" not in ids["f-code"].attributes


async def test_a_form_carries_the_token_and_the_key_and_never_fills_itself_in(page: list[Tag]) -> None:
    """INVARIANT: nothing that was written here comes up on a shared phone."""
    hidden = {tag.attributes["name"]: tag.attributes["value"] for tag in page if tag.attributes.get("type") == "hidden"}
    assert hidden == {"csrf": "c" * 43, "key": "k" * 43}
    form = next(tag for tag in page if tag.attributes.get("class") == "form")
    assert form.attributes["autocomplete"] == "off"
    assert form.attributes["method"] == "post"


async def test_what_was_chosen_stays_chosen(page: list[Tag]) -> None:
    checked = [tag.attributes["value"] for tag in page if tag.name == "input" and "checked" in tag.attributes]
    assert checked == ["13_15", "a"]


async def test_groups_have_a_legend_and_tables_have_headings(page: list[Tag]) -> None:
    names = [tag.name for tag in page]
    assert names.count("fieldset") == names.count("legend") == 2
    assert names.count("table") == names.count("caption")
    assert all(tag.attributes["scope"] in ("col", "row") for tag in page if tag.name == "th")

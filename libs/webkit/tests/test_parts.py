"""The parts that forms are made of: labels, hints and errors belong to their field."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from deploy.testing.html import Tag, tags

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


@pytest.fixture
async def catalogue(visit: Visit) -> list[Tag]:
    async with visit() as client:
        return tags((await client.get("/_komponenter?vis=mine")).text)


async def test_every_reference_of_the_catalogue_exists(catalogue: list[Tag]) -> None:
    ids = by_id(catalogue)
    for tag in catalogue:
        for name in ("aria-describedby", "aria-labelledby", "for", "popovertarget", "data-counts"):
            for target in tag.attributes.get(name, "").split():
                assert target in ids, (tag, name)


async def test_a_long_text_is_counted_and_never_cut_off(catalogue: list[Tag]) -> None:
    """INVARIANT: what is pasted stays whole; the page says how much there is room for, also without script."""
    ids = by_id(catalogue)
    assert not [tag for tag in catalogue if tag.name == "textarea" and "maxlength" in tag.attributes]
    assert ids["f-text"].attributes["aria-describedby"] == "f-text-hint f-text-count"
    assert ids["f-long"].attributes["aria-describedby"] == "f-long-error f-long-count"
    assert ids["f-text-count"].attributes["data-most"] == "5000"


async def test_a_dialog_opens_and_closes_without_script(catalogue: list[Tag]) -> None:
    presses = [tag.attributes for tag in catalogue if "popovertarget" in tag.attributes]
    assert "popover" in by_id(catalogue)["prove"].attributes
    assert {press["popovertarget"] for press in presses} == {"prove"}
    assert [press.get("popovertargetaction", "toggle") for press in presses] == ["toggle", "hide"]
    assert all(press["type"] == "button" for press in presses)


async def test_a_tab_is_an_address_and_says_where_one_is(catalogue: list[Tag]) -> None:
    links = [tag.attributes for tag in catalogue if tag.attributes.get("href", "").startswith("?vis=")]
    assert [link["href"] for link in links] == ["?vis=venter", "?vis=mine", "?vis=ferdige"]
    assert [link["href"] for link in links if link.get("aria-current") == "page"] == ["?vis=mine"]


async def test_drawings_say_nothing_to_those_who_hear_the_page(catalogue: list[Tag]) -> None:
    drawings = [tag.attributes for tag in catalogue if tag.name == "svg"]
    assert len(drawings) > 20
    assert all(drawing["aria-hidden"] == "true" and drawing["focusable"] == "false" for drawing in drawings)

"""What every page has, whatever the service."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from fastapi import FastAPI

from deploy.testing.html import loaded, tags

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SmallService = Callable[..., FastAPI]

PATHS = ["/", "/parts", "/personvern", "/tilgjengelighet", "/informasjonskapsler", "/error/404/not_found"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_loads_nothing_from_others_and_has_nothing_inline(visit: Visit, path: str) -> None:
    """INVARIANT: no third party learns that someone reads here."""
    async with visit() as client:
        html = (await client.get(path)).text
    assert loaded(html)
    assert all(url.startswith("/static/") for url in loaded(html)), loaded(html)
    for tag in tags(html):
        assert "style" not in tag.attributes
        assert not [name for name in tag.attributes if name.startswith("on")]
        assert tag.name != "style"
        assert tag.name != "script" or tag.attributes["src"]
    actions = [tag.attributes["action"] for tag in tags(html, "form")]
    assert all(action.startswith("/") for action in actions)


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_has_skip_link_landmarks_one_heading_and_a_way_out(visit: Visit, path: str) -> None:
    async with visit() as client:
        html = (await client.get(path)).text
    found = tags(html)
    first_link = next(tag for tag in found if tag.name == "a")
    assert first_link.attributes["href"] == "#innhold"
    assert [tag.attributes["id"] for tag in found if tag.name == "main"] == ["innhold"]
    assert [tag.name for tag in found if tag.name in ("header", "footer")] == ["header", "footer"]
    assert len(tags(html, "h1")) == 1
    exits = [tag for tag in tags(html, "form") if tag.attributes["action"] == "/forlat"]
    assert [tag.attributes["method"] for tag in exits] == ["post"]
    ids = [tag.attributes["id"] for tag in found if "id" in tag.attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("service", "language", "theirs", "ours"),
    [
        ("helpjourney", "nb", "Min side", "Saker"),
        ("helpjourney", "nn", "Mi side", "Saker"),
        ("helpjourney", "en", "My page", "Cases"),
        ("dialog", "nb", "Spør og snakk", "Svar og chat"),
        ("dialog", "nn", "Spør og snakk", "Svar og chat"),
        ("info", "nb", "Les og finn hjelp", "Les og finn hjelp"),
        ("reporting", "nn", "Tal og drift", "Tal og drift"),
    ],
)
async def test_those_who_work_here_see_the_name_of_their_work_above_it(
    small_service: SmallService, visit: Visit, service: str, language: str, theirs: str, ours: str
) -> None:
    """What the pages of youths are called is said to youths: "my page" isn't a clinician's list of cases."""
    async with visit(small_service(service=service, level="known"), accept_language=language) as client:
        pages = [await client.get(path) for path in ("/", "/ansatt/kø")]
    names = [re.search(r'class="place">(?:<span[^>]*>)?([^<]+)', page.text)[1] for page in pages]  # type: ignore[index]
    assert names == [theirs, ours]


@pytest.mark.parametrize(
    ("level", "title"), [("open", "Om kroppen – Stegvis"), ("anonymous", "Side"), ("known", "Side"), ("staff", "Side")]
)
async def test_titles_and_icons_say_nothing_from_level_two_on(small_service: SmallService, visit: Visit, level: str, title: str) -> None:
    """INVARIANT: who looks over her shoulder or at her history sees no topic."""
    async with visit(small_service(level=level)) as client:
        html = (await client.get("/")).text
    assert f"<title>{title}</title>" in html
    icon = next(tag.attributes["href"] for tag in tags(html, "link") if tag.attributes["rel"] == "icon")
    assert ("/blank." in icon) is (level != "open")


async def test_one_feels_where_one_is(small_service: SmallService, visit: Visit) -> None:
    colours = set()
    for level in ("open", "anonymous", "known", "staff"):
        async with visit(small_service(level=level)) as client:
            root = tags((await client.get("/")).text, "html")[0].attributes
        assert root["data-level"] == level
        colours.add(root["data-color"])
    assert len(colours) == 4


async def test_what_a_reader_writes_stays_text(visit: Visit) -> None:
    """INVARIANT: autoescape is on, also where a text is filled in."""
    async with visit() as client:
        html = (await client.get("/", params={"name": "<script>alert(1)</script>"})).text
        parts = (await client.get("/parts")).text
    assert "<script>alert" not in html
    assert "Hei &lt;script&gt;" in html
    assert "&lt;b&gt;&amp;&#34;&#39;" in parts


async def weight(client: httpx.AsyncClient, url: str) -> int:
    """Bytes of the body as they go over the wire."""
    async with client.stream("GET", url) as response:
        return len(b"".join([part async for part in response.aiter_raw()]))


@pytest.mark.parametrize(
    ("level", "path", "most"),
    [("open", "/_komponenter", 31_000), ("anonymous", "/_komponenter", 58_500), ("open", "/", 24_500), ("known", "/", 28_000)],
)
async def test_the_first_view_is_light(small_service: SmallService, visit: Visit, level: str, path: str, most: int) -> None:
    """60 kB is the most that any page may weigh; the catalogue, which shows everything, is the heaviest of all."""
    async with visit(small_service(level=level), accept_encoding="gzip") as client:
        fetched = set(loaded((await client.get(path)).text))
        weighs = await weight(client, path) + sum([await weight(client, url) for url in fetched])
    assert most / 2 < weighs <= most <= 60_000, weighs


async def test_the_own_script_is_small(visit: Visit) -> None:
    async with visit() as client:
        scripts = [url for url in loaded((await client.get("/")).text) if url.endswith(".js")]
        assert len(scripts) == 1
        assert len((await client.get(scripts[0])).content) <= 5_000


async def test_static_files_are_kept_for_ever_under_names_that_change(visit: Visit) -> None:
    async with visit(accept_encoding="gzip") as client:
        for url in set(loaded((await client.get("/")).text)):
            response = await client.get(url)
            assert response.status_code == 200
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert response.headers.get("content-encoding") == "gzip" or url.endswith(".svg")
        assert (await client.get("/static/site.css")).status_code == 404
        assert (await client.get("/static/../pages.py")).status_code == 404
        assert (await client.post(url)).status_code == 405


@pytest.mark.parametrize("service", ["info", "dialog", "identity", "helpjourney", "reporting"])
@pytest.mark.parametrize("path", ["/personvern", "/tilgjengelighet", "/informasjonskapsler"])
async def test_every_service_has_the_pages_that_the_law_asks_for(
    small_service: SmallService, visit: Visit, service: str, path: str
) -> None:
    async with visit(small_service(service), accept_language="nn") as client:
        front, page = await client.get("/"), await client.get(path)
    assert page.status_code == 200
    assert path in [tag.attributes["href"] for tag in tags(front.text, "a")]
    assert "ikkje" in page.text or path == "/informasjonskapsler"

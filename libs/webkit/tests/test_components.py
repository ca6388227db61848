"""The catalogue shows every part and every error page, and only where the demo runs."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import webkit
from fastapi import FastAPI
from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from webkit import Pages
from webkit.components import DRAWINGS
from webkit.errors import ERRORS
from webkit.renewal import renewal_of

from deploy.testing.html import links, tags

Visit = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
SmallService = Callable[..., FastAPI]

TEMPLATES = Path(webkit.__file__).parent / "templates" / "webkit"
PRIVATE_PARTS = {"in_language", "said", "table_cell"}
"""Pieces of other parts, which the catalogue shows with them."""


def known_parts() -> set[str]:
    environment = Environment(loader=PackageLoader("webkit"), extensions=["jinja2.ext.i18n"], autoescape=True)
    exported = environment.get_template("webkit/parts.html").make_module().__dict__
    families = {"actions", "choices", "content", "numbers", "fields", "folding", "progress", "states"}
    return {name for name in exported if not name.startswith("_")} - families


def test_the_catalogue_shows_every_part_and_the_readme_lists_it() -> None:
    shown = set(re.findall(r"ui\.(\w+)", (TEMPLATES / "components.html").read_text()))
    listed = set(re.findall(r"`(\w+)`", (Path(__file__).parents[1] / "README.md").read_text()))
    assert len(known_parts()) >= 38
    assert known_parts() - shown - PRIVATE_PARTS == set()
    assert known_parts() - listed - PRIVATE_PARTS == set()


def test_every_drawing_is_shown_and_has_no_colour_or_style_of_its_own() -> None:
    files = {path.stem: path.read_text() for path in (TEMPLATES / "drawings").glob("*.svg")}
    assert set(DRAWINGS) == set(files)
    assert {error.picture for error in ERRORS.values()} <= set(DRAWINGS)
    assert not [name for name, shape in files.items() if re.search(r"style=|fill=|stroke=|<script|href", shape)]
    assert max(map(len, files.values())) < 1000


@pytest.mark.parametrize("level", ["open", "anonymous", "known", "staff"])
async def test_the_catalogue_is_a_page_of_the_service(small_service: SmallService, visit: Visit, level: str) -> None:
    async with visit(small_service(level=level)) as client:
        page = await client.get("/_komponenter")
        states = [await client.get(f"/_komponenter/tilstand/{code}") for code in ERRORS]
    assert page.status_code == 200
    assert {state.status_code for state in states} == {200}
    assert len({state.text for state in states}) == len(ERRORS), "each state has words of its own"
    assert all("crisis" in state.text and "drawing" in state.text for state in states)
    ids = [tag.attributes["id"] for tag in tags(page.text) if "id" in tag.attributes]
    assert len(ids) == len(set(ids))


async def test_production_has_no_catalogue(visit: Visit) -> None:
    """INVARIANT: what only the demo has is not there in production."""
    app = FastAPI()
    urls = {f"{name}_url": f"https://{name}.example" for name in ("info", "dialog", "identity", "helpjourney", "reporting")}
    app.state.settings = SimpleNamespace(is_demo=False, quick_exit_url="https://www.yr.no/", **urls)
    Pages(service="dialog", level="anonymous", templates_dir=Path(__file__).parent / "templates").install(app)
    async with visit(app) as client:
        assert (await client.get("/personvern")).status_code == 200
        assert (await client.get("/_komponenter")).status_code == 404
        assert (await client.get("/_komponenter/tilstand/full")).status_code == 404


async def test_a_page_that_renews_itself_can_be_stopped_and_started(visit: Visit) -> None:
    """INVARIANT: WCAG 2.2.1 and 2.2.2, without script."""
    async with visit() as client:
        running = await client.get("/_komponenter?vis=a")
        stop = next(link for link in links(running.text) if "stopp=1" in link)
        stopped = await client.get(stop)
    assert running.headers["refresh"] == "60"
    assert "Oppdater nå" in running.text
    assert stop == "/_komponenter?vis=a&stopp=1"
    assert "refresh" not in stopped.headers
    assert "Start oppdatering" in stopped.text
    assert {"/_komponenter?vis=a", stop} <= set(links(stopped.text))


def test_the_answer_to_a_form_never_renews_itself() -> None:
    """INVARIANT: what she wrote isn't replaced while she reads what was wrong with it."""

    def asked(method: str) -> Request:
        return Request({"type": "http", "method": method, "path": "/ko", "query_string": b"", "headers": [], "server": ("x.example", 443)})

    assert renewal_of(asked("GET"), 5) is not None
    assert renewal_of(asked("POST"), 5) is None
    assert renewal_of(asked("GET"), None) is None

"""Pages that people read when they wonder, and the rules that hold for all of them."""

import asyncio

import pytest
from identity.handlers.endings import EndMine, end_mine
from identity_world import World
from servicekit.migrations import check
from servicekit.web.guards import assert_unsafe_routes_are_guarded
from sqlalchemy import text

from deploy.local.journey.browser import Browser

_PERSON = text("select id from people")
PAGES = ("/", "/hvorfor", "/minid-og-bankid", "/mine-innlogginger", "/logget-ut")


def test_no_unsafe_route_stands_open(world: World) -> None:
    """INVARIANT: every POST proves where it comes from."""
    for app in world.running.apps.values():
        assert_unsafe_routes_are_guarded(app)


async def test_the_tables_in_code_are_those_that_the_migrations_make(world: World) -> None:
    await asyncio.to_thread(check, "identity", world.identity.dsn)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_there_in_every_language_and_private(world: World, path: str) -> None:
    texts = {}
    for language in ("nb", "nn", "en"):
        async with Browser(language=language) as browser:
            page = await browser.get(world.ports.identity_url + path)
        assert (page.status, page.title) in {(200, "Side"), (200, "Page")}
        assert page.headers["cache-control"] == "no-store"
        texts[language] = page.text
    assert len(set(texts.values())) == 3


async def test_how_to_get_a_login_is_told_honestly(world: World, browser: Browser) -> None:
    page = await browser.get(world.ports.identity_url + "/minid-og-bankid")
    for truth in ("ti arbeidsdager", "De du bor med, kan se brevet", "under 16", "uten time"):
        assert truth in page.text


async def test_reading_sets_no_cookie(world: World, browser: Browser) -> None:
    """INVARIANT: who only reads leaves nothing behind."""
    for path in PAGES:
        await browser.get(world.ports.identity_url + path)
    assert browser.cookies == {}


async def test_nobody_ends_a_login_without_being_logged_in(world: World, browser: Browser) -> None:
    await world.log_in(browser)
    page = await browser.get(world.ports.identity_url + "/mine-innlogginger")
    form = page.form(button="Avslutt alle")
    async with world.identity.begin() as uow:
        person = await uow.connection.scalar(_PERSON)
        assert person is not None
        await end_mine(EndMine(person, None), uow)
    page = await browser.submit(form, button="Avslutt alle")
    assert page.status == 401


@pytest.mark.parametrize("login", ["", "x", "0" * 36, "x" * 100_000])
async def test_a_wrong_choice_is_a_clear_error(world: World, browser: Browser, login: str) -> None:
    await world.log_in(browser)
    page = await browser.get(world.ports.identity_url + "/mine-innlogginger")
    form = page.form(button="Avslutt alle")
    page = await browser.post(form.action, {**form.fields, "login": login})
    assert page.status == 422
    assert "x" * 50 not in page.html
    assert await world.told() == []


async def test_errors_are_pages_in_her_language(world: World) -> None:
    async with Browser(language="nn") as browser:
        for path, status in (("/finst-ikkje", 404), ("/token", 405), ("/tilbake/idporten", 400), ("/authorize", 400)):
            page = await browser.get(world.ports.identity_url + path)
            assert page.status == status
            assert '<html lang="nn"' in page.html
            assert "116 111" in page.text

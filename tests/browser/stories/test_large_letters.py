"""Letters twice as large, as a phone's own setting makes them (WCAG 1.4.4), on the narrowest phone that many still have."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page

from tests.browser.chromium import FLAGS, PROGRAM, Cookies, hand_over
from tests.browser.reach import known
from tests.browser.scene import Scene
from tests.browser.visits import Reach

TWICE = "--blink-settings=defaultFontSize=32"
WIDTH = 360
PAGES = ("info/", "info/hjelp", "dialog/", "dialog/spor", "dialog/svar", "identity/minid-og-bankid", "helpjourney/informasjonskapsler")
LOGGED_IN = {"overview": known.overview_with_more, "wish": known.wish_form(placed=True)}
SQUEEZED = """
  [...document.querySelectorAll("main :is(h1, h2, p, dd, td, .crisis-name)")]
    .filter((each) => each.checkVisibility() && each.innerText.length > 15 && each.getBoundingClientRect().width < 128)
    .map((each) => each.innerText.slice(0, 40))
"""
"""Texts that stand in a column of four letters or fewer."""


@asynccontextmanager
async def large(browser: Browser, cookies: Cookies | None = None) -> AsyncIterator[Page]:
    """A phone whose letters are set to twice their size."""
    started = await browser.browser_type.launch(executable_path=PROGRAM, args=[*FLAGS, TWICE])
    try:
        context = await started.new_context(viewport={"width": WIDTH, "height": 640}, locale="nb-NO", java_script_enabled=False)
        await hand_over(context, cookies or {})
        yield await context.new_page()
    finally:
        await started.close()


async def faults(page: Page) -> list[str]:
    """What stands beside the page, or in a column of letters."""
    assert await page.evaluate("matchMedia('(max-width: 17rem)').matches")
    width = await page.evaluate("document.documentElement.scrollWidth")
    squeezed: list[str] = await page.evaluate(SQUEEZED)
    return [f"{page.url}: {each}" for each in [*([f"{width} px wide"] if width > WIDTH else []), *squeezed]]


async def test_nothing_stands_beside_the_page_or_in_a_column_of_letters(browser: Browser, scene: Scene) -> None:
    found = []
    async with large(browser) as page:
        for address in PAGES:
            service, _, path = address.partition("/")
            await page.goto(f"{scene.urls[service]}/{path}")
            found += await faults(page)
    assert found == []


@pytest.mark.parametrize("reach", LOGGED_IN.values(), ids=LOGGED_IN)
async def test_nor_where_she_is_logged_in(browser: Browser, scene: Scene, reach: Reach) -> None:
    async with reach(scene) as visit, large(browser, visit.cookies) as page:
        await page.goto(visit.url)
        assert page.url == visit.url
        assert await faults(page) == []

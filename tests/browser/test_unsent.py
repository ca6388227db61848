"""What was written and not sent isn't lost by one press on a link; the way out asks nothing."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from deploy.local.platform import Platform
from tests.browser.chromium import window

WORDS = "Jeg vet ikke hvordan jeg skal si det, men"
FIELD = "main textarea"


@pytest_asyncio.fixture(loop_scope="session")
async def form(browser: Browser, platform: Platform) -> AsyncIterator[Page]:
    context = await window(browser)
    page = await context.new_page()
    await page.route("**://www.yr.no/**", lambda route: route.fulfill(body="weather"))
    await page.goto(platform.urls["dialog"] + "/spor")
    yield page
    await context.close()


async def test_the_first_press_keeps_what_she_wrote_and_says_so_and_the_second_goes(form: Page) -> None:
    """INVARIANT: no press on a link loses a text without a word."""
    await form.fill(FIELD, WORDS)
    await form.click(".languages summary")
    nynorsk = form.locator('.languages a[lang="nn"]')
    await nynorsk.click()
    await expect(form.locator(".notice")).to_contain_text("er ikke sendt")
    await expect(form.locator(FIELD)).to_have_value(WORDS)
    await nynorsk.click()
    await expect(form.locator("html")).to_have_attribute("lang", "nn")


async def test_where_nothing_was_written_a_press_goes_at_once(form: Page) -> None:
    await form.fill(FIELD, "  ")
    await form.click('.foot-links a[href="/personvern"]')
    await form.wait_for_url("**/personvern")


async def test_the_way_out_never_asks(form: Page) -> None:
    """INVARIANT: a text doesn't hold her back when she must leave."""
    await form.fill(FIELD, WORDS)
    await form.click("form[data-exit] button")
    await form.wait_for_url("**://www.yr.no/**")

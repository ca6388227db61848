"""A chat in a real browser after something went wrong: what is over isn't said any more, and a no is told."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import window
from tests.browser.reach import chats
from tests.browser.scene import Scene

FIELD = "form[data-send] textarea"
SEND = "form[data-send] button"
LOST = "[data-lost]"


@pytest_asyncio.fixture(loop_scope="session")
async def talk(browser: Browser, scene: Scene) -> AsyncIterator[Page]:
    async with chats.talking(scene, offers=True) as talking:
        context = await window(browser, cookies=talking.youth.browser.cookies)
        page = await context.new_page()
        await page.goto(scene.urls["dialog"] + "/chat/samtale")
        yield page
        await context.close()


async def test_a_net_that_is_back_and_a_field_that_is_filled_are_no_longer_complained_of(talk: Page) -> None:
    await talk.click(SEND)
    await expect(talk.locator(".ds-error-summary")).to_be_visible()
    await talk.route("**/chat/samtale", lambda route: route.abort())
    await talk.fill(FIELD, "Er du der?")
    await talk.click(SEND)
    await expect(talk.locator(LOST)).to_be_visible()
    await expect(talk.locator(FIELD)).to_have_value("Er du der?")
    await talk.unroute("**/chat/samtale")
    await talk.click(SEND)
    await expect(talk.locator(".said", has_text="Er du der?")).to_have_count(1)
    await expect(talk.locator(LOST)).to_be_hidden()
    await expect(talk.locator(".ds-error-summary, .ds-validation-message")).to_have_count(0)


async def test_a_no_to_going_on_is_told_where_she_comes_back_to(talk: Page) -> None:
    said = talk.locator("#ikke-sendt")
    await expect(said).to_be_hidden()
    await talk.fill(FIELD, "Jeg lurer på")
    await talk.click('a[href="/videre"]')
    await expect(talk.locator(".notice")).to_contain_text("er ikke sendt")
    await talk.click('a[href="/videre"]')
    await talk.click('button[value="no"]')
    await expect(said).to_be_visible()
    await expect(talk.locator(FIELD)).to_be_visible()

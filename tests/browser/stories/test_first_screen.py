"""What stands on the first screen of a small phone, before anybody scrolls."""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import hand_over
from tests.browser.halves import in_halves
from tests.browser.reach.chats import talking
from tests.browser.scene import Scene
from tests.browser.stories.phone import Script, phone
from tests.browser.windows import WATCH

pytestmark = pytest.mark.timeout(240)
SMALL = {"width": 390, "height": 664}
"""CSS pixels of a phone whose browser shows its own bars."""
SETTLES = 300
"""Milliseconds until a shift has been told."""
HEADER = 120
"""CSS pixels at most above what a page says itself."""
LOOKS = 3
"""A header that moves does so each time; one that the machine stood still within need not."""
STILL = [0, []]
BOTTOM = "document.querySelector({!r}).getBoundingClientRect().bottom"


@pytest.mark.parametrize("script", [Script.ON, Script.OFF], ids=str)
async def test_who_talks_sees_what_was_said_and_can_answer_without_scrolling(browser: Browser, scene: Scene, script: Script) -> None:
    """INVARIANT: the way out, the last message, the field and its button are all on the first screen."""
    async with talking(scene) as talk, phone(browser, scene.urls, script) as youth:
        await hand_over(youth.context, talk.youth.browser.cookies)
        await youth.page.set_viewport_size(SMALL)  # type: ignore[arg-type]
        await youth.opens("dialog", "/chat/samtale")
        await youth.finds("Så fint at du skriver")
        assert await youth.page.evaluate(BOTTOM.format(".where")) <= HEADER
        assert await youth.page.evaluate(BOTTOM.format("form[data-exit] button")) <= HEADER
        assert await youth.page.evaluate(BOTTOM.format("form[data-send] button")) <= SMALL["height"]


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_a_header_of_which_half_is_painted_does_not_move_when_the_rest_comes(browser: Browser, scene: Scene, language: str) -> None:
    """INVARIANT: what she is about to press stays where it is, also on a bad net."""
    for _ in range(LOOKS):
        if (seen := await _what_moves(browser, scene, language)) == STILL:
            break
    assert seen == STILL


async def _what_moves(browser: Browser, scene: Scene, language: str) -> object:
    """How far what was painted moved when the rest of the page came, and what."""
    rest = asyncio.Event()
    async with (
        in_halves(scene.urls["dialog"], '<form class="exit"', rest) as host,
        phone(browser, {"dialog": host}, language=language) as youth,
    ):
        await youth.page.add_init_script(WATCH)
        await youth.page.goto(host + "/logg-ut", wait_until="commit")
        await youth.page.wait_for_function("performance.getEntriesByType('paint').length")
        rest.set()
        await youth.page.wait_for_load_state()
        await expect(youth.page.locator(".languages summary")).to_be_visible()
        await youth.page.wait_for_timeout(SETTLES)
        return await youth.page.evaluate("[stegvisSeen.shift, stegvisSeen.moved]")

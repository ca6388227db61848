"""What stands on the first screen of a small phone, before anybody scrolls."""

import pytest
from playwright.async_api import Browser

from tests.browser.chromium import hand_over
from tests.browser.reach.chats import talking
from tests.browser.scene import Scene
from tests.browser.stories.phone import Script, phone

pytestmark = pytest.mark.timeout(240)
SMALL = {"width": 390, "height": 664}
"""CSS pixels of a phone whose browser shows its own bars."""
HEADER = 120
"""CSS pixels at most above what a page says itself."""
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

"""Helpers: two want the same chat, and one whose tab dies."""

from time import monotonic

import pytest
from playwright.async_api import Browser, expect

from deploy.local.journey.cast import CHAT_HELPER
from deploy.local.journey.people import Helper
from deploy.testing import Standstill
from tests.browser.chromium import hand_over
from tests.browser.reach.chats import on_duty, talking, waiting_youth
from tests.browser.scene import Scene
from tests.browser.stories.phone import PATIENCE, Script, phone

pytestmark = pytest.mark.timeout(240)
TOLD_WITHIN = 15
"""Seconds after which a youth knows that the one she talks with has gone."""
STAYS = 11_000
"""Milliseconds for which an open tab has to be a sign of life: longer than a single sign holds."""


async def test_two_helpers_want_the_same_chat_and_the_other_sees_so_without_reload(browser: Browser, scene: Scene) -> None:
    """INVARIANT: one winner; for the other it vanishes from the queue by itself."""
    other = Helper(scene.urls)
    await other.starts("dialog", "/ansatt/samtaler", CHAT_HELPER)
    async with on_duty(scene), waiting_youth(scene), phone(browser, scene.urls, width=1280) as second:
        await hand_over(second.context, other.browser.cookies)
        await second.opens("dialog", "/ansatt/samtaler")
        take = second.page.locator('form[action$="/ta"]')
        await expect(take).to_have_count(1)
        address = second.page.url
        await scene.helper.takes_next()
        await expect(take).to_have_count(0, timeout=15_000)
        assert second.page.url == address
    await other.leaves()


async def test_a_helper_without_script_who_comes_second_is_told_so(browser: Browser, scene: Scene) -> None:
    async with on_duty(scene), waiting_youth(scene), phone(browser, scene.urls, Script.OFF, width=1280) as second:
        await hand_over(second.context, scene.helper.browser.cookies)
        await second.opens("dialog", "/ansatt/samtaler")
        await expect(second.page.locator('form[action$="/ta"]')).to_have_count(1)
        await scene.helper.takes_next()
        await second.presses(second.form("/ta"))
        assert await second.page.locator('form[action$="/ta"]').count() == 0
        await second.sees("Noen andre tok samtalen")


async def test_a_youth_is_told_when_the_helpers_tab_dies(browser: Browser, scene: Scene) -> None:
    """INVARIANT: nobody talks to an empty chair for longer than 15 seconds."""
    async with talking(scene) as talk, phone(browser, scene.urls, width=1280) as desk, phone(browser, scene.urls) as youth:
        await hand_over(desk.context, scene.helper.browser.cookies)
        await desk.page.goto(talk.desk.url)
        await hand_over(youth.context, talk.youth.browser.cookies)
        await youth.opens("dialog", "/chat/samtale")
        gone = youth.page.get_by_text("Den du snakker med, har mistet forbindelsen")
        await expect(gone).to_be_hidden(timeout=PATIENCE)
        await youth.page.wait_for_timeout(STAYS)
        await expect(gone).to_be_hidden()
        await desk.context.close()
        with Standstill() as still:
            died = monotonic()
            await expect(gone).to_be_visible(timeout=2000 * TOLD_WITHIN)
            took = monotonic() - died
        assert took - still.seconds <= TOLD_WITHIN

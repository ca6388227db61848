"""What she presses counts, also on a page that is about to change by itself."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, Route

from tests.browser.chromium import hand_over
from tests.browser.reach.chats import talking
from tests.browser.scene import Scene
from tests.browser.stories.phone import phone

pytestmark = pytest.mark.timeout(240)
SLOW = 1
"""Seconds that a bad net takes."""


def slowly(meanwhile: Callable[[], Awaitable[object]]) -> Callable[[Route], Awaitable[None]]:
    """What is asked for is on its way so long, and this happens first."""

    async def later(route: Route) -> None:
        await meanwhile()
        await asyncio.sleep(SLOW)
        await route.continue_()

    return later


async def test_a_talk_that_ends_while_she_deletes_it_is_deleted(browser: Browser, scene: Scene) -> None:
    """INVARIANT: the page of the ended talk doesn't come in place of what she pressed."""
    async with talking(scene) as talk, phone(browser, scene.urls) as youth:
        await youth.context.route("**/chat/slett", slowly(talk.youth.ends_chat))
        await hand_over(youth.context, talk.youth.browser.cookies)
        await youth.opens("dialog", "/chat/samtale")
        await youth.page.locator("main summary", has_text="Vil du slette samtalen?").click()
        await youth.sends("/chat/slett")
        await youth.sees("Samtalen er slettet")
        await youth.opens("dialog", "/chat/samtale")
        assert await youth.page.locator('form[action$="/chat/slett"]').count() == 0


async def test_a_talk_that_ends_while_she_goes_on_does_not_keep_her(browser: Browser, scene: Scene) -> None:
    """INVARIANT: a link that she has pressed leads where it says."""
    async with talking(scene, offers=True) as talk, phone(browser, scene.urls) as youth:
        await youth.context.route("**/videre", slowly(talk.youth.ends_chat))
        await hand_over(youth.context, talk.youth.browser.cookies)
        await youth.opens("dialog", "/chat/samtale")
        await youth.follows("/videre")
        assert youth.page.url.endswith("/videre")

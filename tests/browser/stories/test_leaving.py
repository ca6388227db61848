"""Somebody comes into the room: what is left on the screen, behind the back button, and on a phone that others use too."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, Route, expect

from deploy.local.journey.cast import CHAT_HELPER
from deploy.local.journey.people import until
from tests.browser.chromium import hand_over
from tests.browser.reach.chats import talking
from tests.browser.scene import Scene
from tests.browser.stories.phone import Phone, Script, phone

pytestmark = pytest.mark.timeout(240)
SECRET = "De krangler hele tida"
"""What the youth wrote in the chat (`reach.chats.talking`)."""
WEATHER = "Været"
ELSEWHERE = f"<!doctype html><meta charset=utf-8><h1>{WEATHER}</h1>"
SLOW = 1
"""Seconds."""
AWAY = re.compile(r"^https://www\.yr\.no/")
BOTH = pytest.mark.parametrize("script", [Script.ON, Script.OFF], ids=str)


@pytest_asyncio.fixture(loop_scope="session", params=[Script.ON, Script.OFF], ids=str)
async def youth(request: pytest.FixtureRequest, browser: Browser, scene: Scene) -> AsyncIterator[Phone]:
    """A phone whose way out leads to a page on this machine, so that nothing is asked of the world."""
    async with phone(browser, scene.urls, request.param) as person:
        await keep_here(person)
        yield person


async def keep_here(person: Phone) -> None:
    """The way out leads to a page on this machine."""
    await person.context.route(AWAY, lambda route: route.fulfill(body=ELSEWHERE, content_type="text/html"))


async def leaves(page: Page) -> None:
    """Presses "Forlat siden" and stands somewhere else."""
    await page.locator("form[data-exit] button").first.click()
    await expect(page).to_have_url(AWAY)  # looks again and again: the script's leaving may break off the form's
    await expect(page.locator("h1")).to_have_text(WEATHER)
    await page.wait_for_load_state()


async def back(youth: Phone, times: int = 3) -> str:
    """Everything that the back button shows, as often as it is pressed."""
    seen = []
    for _ in range(times):
        await youth.page.go_back(wait_until="load")
        seen.append(await youth.reads() + await youth.source())
    return " ".join(seen)


async def sent_again(youth: Phone) -> str:
    """One page back, which answered a form and isn't stored; and yes to the question whether to send it again."""
    with suppress(Error):
        await youth.page.go_back(wait_until="load")
    answer = await youth.page.reload(wait_until="load")
    assert answer is not None
    assert answer.request.method == "POST"
    return await youth.source()


async def test_quick_exit_from_a_chat_leaves_nothing_behind_the_back_button(scene: Scene, youth: Phone) -> None:
    """INVARIANT: after leaving, neither the page nor its history shows a word of the chat, and the session is over."""
    async with talking(scene) as talk:
        await hand_over(youth.context, talk.youth.browser.cookies)
        await youth.opens("dialog")
        await youth.opens("dialog", "/chat/samtale")
        assert SECRET in await youth.reads()
        await leaves(youth.page)
        assert SECRET not in await back(youth, 2)
        await youth.opens("dialog", "/chat/samtale")
        assert SECRET not in await youth.source()
        mine = youth.urls["dialog"] + "/chat/samtale"
        await until(
            lambda: talk.youth.browser.get(mine), lambda page: page.status == 404, "the end of the session, also for who has its cookie"
        )


async def test_a_form_that_the_back_button_sends_again_after_the_quick_exit_shows_none_of_her_words(youth: Phone) -> None:
    """INVARIANT: also who says yes to "send the form again" reads nothing, nor after a fresh page was opened in between."""
    await youth.opens("dialog", "/spor")
    for _ in range(2):  # two pages that answer a form: script takes the place of the last one only
        await youth.sends("/spor", {"text": f"{SECRET}. " * 600})
        await expect(youth.page.locator(".ds-error-summary")).to_be_visible()
    await leaves(youth.page)
    assert SECRET not in await sent_again(youth)
    await youth.opens("dialog", "/svar")
    assert SECRET not in await sent_again(youth)


async def test_the_end_of_the_chat_does_not_lead_back_from_the_way_out(browser: Browser, scene: Scene) -> None:
    """INVARIANT: a talk that ends while she leaves leads nowhere: the way out wins, also on a bad net."""
    async with talking(scene) as talk, phone(browser, scene.urls) as youth:

        async def ends_meanwhile(route: Route) -> None:
            await talk.youth.ends_chat()
            await asyncio.sleep(SLOW)
            await route.continue_()

        await keep_here(youth)
        await youth.context.route("**/forlat", ends_meanwhile)
        await hand_over(youth.context, talk.youth.browser.cookies)
        await youth.opens("dialog", "/chat/samtale")
        went: list[str] = []
        youth.page.on("framenavigated", lambda frame: went.append(frame.url))
        await leaves(youth.page)
        assert not [url for url in went if url.startswith(youth.urls["dialog"])]


async def test_quick_exit_from_her_own_page_leaves_nothing_behind_the_back_button(scene: Scene, youth: Phone) -> None:
    """INVARIANT: after leaving level 3 nothing of hers can be read, and coming back asks for a login."""
    async with scene.known_youth() as known:
        await hand_over(youth.context, known.browser.cookies)
        await youth.opens("helpjourney", "/personvern")
        await youth.opens("helpjourney")
        mine = await youth.page.locator('main a[href*="/reise/"]').count()
        assert mine
        await leaves(youth.page)
        assert "/reise/" not in await back(youth, 2)
        await youth.opens("helpjourney")
        assert await youth.page.locator('main a[href*="/reise/"]').count() == 0


async def test_quick_exit_from_a_staff_page_leaves_nothing_behind_the_back_button(scene: Scene, youth: Phone) -> None:
    """INVARIANT: a helper who leaves her desk leaves nobody's words on the screen."""
    async with talking(scene) as talk:
        await hand_over(youth.context, scene.helper.browser.cookies)
        await youth.opens("dialog", "/ansatt/samtaler")
        await youth.page.goto(talk.desk.url)
        assert SECRET in await youth.source()
        await leaves(youth.page)
        assert SECRET not in await back(youth, 2)
        scene.helper.browser.cookies.clear()
        await scene.helper.starts("dialog", "/ansatt/samtaler", CHAT_HELPER)


async def test_on_open_pages_the_back_button_shows_at_most_the_public_page_and_the_page_says_so(youth: Phone) -> None:
    await youth.opens("info", "/artikkel/sovn")
    assert "historikken" in await youth.reads()
    await leaves(youth.page)
    await youth.page.go_back(wait_until="load")
    assert youth.page.url.startswith((youth.urls["info"], "https://www.yr.no/", "about:blank"))


async def test_escape_three_times_leaves(browser: Browser, scene: Scene) -> None:
    """INVARIANT: the keyboard's way out works too, and twice is not enough."""
    async with phone(browser, scene.urls) as youth:
        await keep_here(youth)
        await youth.opens("dialog")
        for _ in range(2):
            await youth.page.keyboard.press("Escape")
        await youth.page.wait_for_timeout(300)
        assert youth.page.url.startswith(scene.urls["dialog"])
        await youth.page.wait_for_timeout(1600)
        for _ in range(3):
            await youth.page.keyboard.press("Escape")
        await expect(youth.page).to_have_url(AWAY)


async def is_asked_who_she_is(shared: Phone) -> None:
    """The provider's own login may live on; it lets nobody in, and nothing is said of whose it is."""
    await shared.opens("helpjourney", "/logg-inn")
    await shared.follows("/start")
    await expect(shared.page.locator('input[name="level"]').first).to_be_visible()


@BOTH
async def test_the_next_youth_on_the_same_phone_sees_nothing_of_the_first(browser: Browser, scene: Scene, script: Script) -> None:
    """INVARIANT: a shared phone: a second person finds nothing of the first, before or after a login of her own."""
    async with phone(browser, scene.urls, script) as shared:
        await keep_here(shared)
        await shared.opens("helpjourney", "/logg-inn")
        await shared.logs_in(scene.new_number())
        await shared.sends("/er-det-deg")
        if await shared.page.locator('form[action$="/begynn"]').count():
            await shared.sends("/begynn")
        await shared.opens("helpjourney")
        first = await shared.page.locator('main a[href*="/reise/"]').first.get_attribute("href")
        assert first
        await leaves(shared.page)
        await is_asked_who_she_is(shared)
        await shared.logs_in(scene.new_number())
        await shared.sends("/er-det-deg")
        await shared.opens("helpjourney")
        assert first not in await shared.source()
        answer = await shared.page.goto(shared.urls["helpjourney"] + first)
        assert answer is not None
        assert answer.status in (403, 404)

"""What people do to forms: twice, too late, with the back button. Nothing is lost and nothing doubled."""

import pytest
from playwright.async_api import Browser

from deploy.local.journey.cast import PANEL
from tests.browser.scene import Scene
from tests.browser.stories.phone import Phone, Script, phone

pytestmark = pytest.mark.timeout(240)

QUESTION = {"topic": "school", "age": "13_15", "publish": "no"}


async def waiting_questions(scene: Scene) -> int:
    page = await scene.panel.starts("dialog", "/ansatt/sporsmal", PANEL)
    return len({link for link in page.links if "/ansatt/sporsmal/" in link})


@pytest.mark.parametrize("script", [Script.ON, Script.OFF], ids=str)
async def test_a_question_that_is_sent_again_with_the_back_button_is_asked_once(browser: Browser, scene: Scene, script: Script) -> None:
    """INVARIANT: back and "send" once more shows the same receipt and makes no second question."""
    async with phone(browser, scene.urls, script) as youth:
        before = await waiting_questions(scene)
        await youth.opens("dialog", "/spor")
        await youth.sends("/spor", {"text": "Sendt to ganger?", **QUESTION})
        first = await receipt(youth)
        await youth.page.go_back(wait_until="load")
        form = youth.form("/spor", "text")
        if await form.locator('[name="text"]').input_value() != "Sendt to ganger?":
            await youth.fills(form, {"text": "Sendt to ganger?", **QUESTION})
        await youth.presses(form)
        again = await receipt(youth)
        after = await waiting_questions(scene)
        assert (again == first) == (after == before + 1)
        assert after - before <= 2


async def test_a_double_click_asks_once(browser: Browser, scene: Scene) -> None:
    """INVARIANT: a nervous finger doubles nothing."""
    async with phone(browser, scene.urls) as youth:
        before = await waiting_questions(scene)
        await youth.opens("dialog", "/spor")
        form = youth.form("/spor", "text")
        await youth.fills(form, {"text": "Trykket jeg to ganger?", **QUESTION})
        await form.locator("button[type=submit], button:not([type])").first.dblclick()
        await youth.page.wait_for_load_state()
        assert await receipt(youth)
        assert await waiting_questions(scene) == before + 1


async def receipt(youth: Phone) -> str:
    """The code on the receipt."""
    return (await youth.page.locator("main [data-code], main .receipt-code code").first.inner_text()).strip()


@pytest.mark.parametrize("script", [Script.ON, Script.OFF], ids=str)
async def test_a_session_that_ends_while_she_writes_does_not_take_her_words(browser: Browser, scene: Scene, script: Script) -> None:
    """INVARIANT: the form comes back with what she wrote, in her language, and sending it again works."""
    async with phone(browser, scene.urls, script) as youth:
        await youth.opens("dialog", "/spor")
        form = youth.form("/spor", "text")
        await youth.fills(form, {"text": "Jeg skrev lenge på dette.", **QUESTION})
        await youth.context.clear_cookies()
        await youth.presses(form)
        assert await youth.page.locator('[name="text"]').input_value() == "Jeg skrev lenge på dette."
        await youth.presses(youth.form("/spor", "text"))
        assert await receipt(youth)

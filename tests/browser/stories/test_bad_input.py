"""What people do to forms: half filled, twice, too late, with the back button, with hostile text. Nothing is lost and nothing doubled."""

from functools import partial
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Dialog, expect

from deploy.local.journey.cast import PANEL
from tests.browser.chromium import hand_over
from tests.browser.reach import known
from tests.browser.reach.chats import talking
from tests.browser.scene import Scene
from tests.browser.stories.phone import Phone, Script, phone

pytestmark = pytest.mark.timeout(240)
BOTH = pytest.mark.parametrize("script", [Script.ON, Script.OFF], ids=str)
QUESTION = {"topic": "school", "age": "13_15", "publish": "no"}
HOSTILE = "‮evil‬ \u200b\u200d<script>alert(1)</script> <img src=x onerror=alert(2)> 🧑‍🚀 Z̸͇̆a̷̘͝l̵̰̓g̶̱̊o{{ 7*7 }} %s"


def _complains(person: Phone, dialog: Dialog) -> None:
    person.complaints.append(dialog.message)


async def waiting_questions(scene: Scene) -> int:
    page = await scene.panel.starts("dialog", "/ansatt/sporsmal", PANEL)
    return len({link for link in page.links if "/ansatt/sporsmal/" in link})


@BOTH
async def test_a_half_filled_form_keeps_what_was_written_and_leads_to_what_lacks(browser: Browser, scene: Scene, script: Script) -> None:
    """INVARIANT: who forgets a field finds every word and tick as it was, and a link to the field, in her language."""
    async with known.wish_form(placed=True)(scene) as form_page, phone(browser, scene.urls, script, "nn") as youth:
        await hand_over(youth.context, form_page.cookies)
        await youth.page.goto(form_page.url)
        await youth.sends("/time", {"note": HOSTILE, "suits": "after_school"}, having="note")
        await expect(youth.page.locator("html")).to_have_attribute("lang", "nn")
        await expect(youth.page.locator('[name="note"]')).to_have_value(HOSTILE)
        await expect(youth.page.locator('[name="suits"][value="after_school"]')).to_be_checked()
        await youth.page.locator(".ds-error-summary a").first.click()
        assert urlsplit(youth.page.url).fragment.startswith("f-unit")


@BOTH
async def test_a_receipt_that_is_loaded_again_asks_once_and_back_shows_an_empty_form(
    browser: Browser, scene: Scene, script: Script
) -> None:
    """INVARIANT: the same form sent again shows the same receipt and makes no second question; the back button shows nobody her words."""
    async with phone(browser, scene.urls, script) as youth:
        before = await waiting_questions(scene)
        await youth.opens("dialog", "/spor")
        await youth.sends("/spor", {"text": "Sendt to ganger?", **QUESTION})
        first = await receipt(youth)
        await youth.page.reload(wait_until="load")
        assert await receipt(youth) == first
        assert await waiting_questions(scene) == before + 1
        await youth.page.go_back(wait_until="load")
        await expect(youth.form("/spor", "text").locator('[name="text"]')).to_have_value("")


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


@BOTH
async def test_hostile_text_is_only_text(browser: Browser, scene: Scene, script: Script) -> None:
    """INVARIANT: nothing that a youth writes runs, breaks the layout, or is shown as anything but itself, on either side."""
    async with (
        talking(scene) as talk,
        phone(browser, scene.urls, script) as youth,
        phone(browser, scene.urls, script, width=1280) as helper,
    ):
        await hand_over(youth.context, talk.youth.browser.cookies)
        await hand_over(helper.context, scene.helper.browser.cookies)
        for each in (youth, helper):
            each.page.on("dialog", partial(_complains, each))
        await youth.opens("dialog", "/chat/samtale")
        await youth.says(HOSTILE)
        await helper.page.goto(talk.desk.url)
        for each in (youth, helper):
            seen = await each.finds("{{ 7*7 }}")
            assert "<script>alert(1)</script>" in seen
            assert await each.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            assert each.complaints == []


@BOTH
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

"""One youth's way from a search to an appointment, on a phone: with script, without, and with script that never arrives."""

import pytest
from playwright.async_api import Browser, expect

from deploy.local.journey.cast import CHAT_HELPER, MUNICIPALITY
from tests.browser.reach.questions import own_text, panel_answers
from tests.browser.scene import Scene
from tests.browser.stories.phone import Phone, Script, phone

pytestmark = pytest.mark.timeout(300)

STOPPED = "?stopp=1"
"""Who asks again herself has stopped the renewal: else the page may give way to itself just as she asks."""
CASES = [(Script.ON, "nb"), (Script.OFF, "nb"), (Script.BROKEN, "nb"), (Script.OFF, "nn")]


async def reads(youth: Phone) -> None:
    """Finds an article by her own words."""
    await youth.opens("info")
    await youth.sends("/sok", {"q": "eksamensangst"})
    await youth.follows("/artikkel/eksamensangst")
    assert await youth.page.locator("h1").count() == 1


async def asks(scene: Scene, youth: Phone) -> None:
    """Asks without a name, and reads the answer with her code."""
    text = own_text(scene, "Er det vanlig å grue seg hver dag?")
    await youth.opens("dialog", "/spor")
    await youth.sends("/spor", {"text": text, "topic": "school", "age": "13_15", "publish": "no"})
    code = (await youth.page.locator("main [data-code], main .receipt-code code").first.inner_text()).strip()
    await panel_answers(scene, text, "Ja, det er helt vanlig.")
    await youth.opens("dialog", "/svar")
    await youth.sends("/svar", {"code": code})
    await youth.sees("Ja, det er helt vanlig.")


async def chats(scene: Scene, youth: Phone) -> None:
    """Waits, is answered, answers, and is offered to go on."""
    await scene.helper.goes_on_duty(CHAT_HELPER, scene.cast.chat_service, 5)
    await youth.opens("dialog", "/chat")
    await youth.sends("/chat", {"service": scene.cast.chat_service, "topic": "school", "age": "13_15"}, having="topic")
    if youth.script is not Script.ON:
        await youth.opens("dialog", "/chat/venter" + STOPPED)
    talk = await scene.helper.takes_next()
    await until_there(youth, "/chat/venter" + STOPPED, 'form[action$="/chat/samtale"]')
    await youth.says("Jeg gruer meg til i morgen. 😟")
    await scene.helper.answers(talk, "Så bra at du skriver. Jeg har god tid.")
    await hears(youth, "Så bra at du skriver")
    await scene.helper.offers_to_go_on(talk, "school", "soon", "Jeg gruer meg til skolen.")
    await until_there(youth, "/chat/samtale", 'a[href*="/videre"]')


async def hears(youth: Phone, text: str) -> None:
    """With script it comes by itself; without it is in the frame, or after "oppdater nå"."""
    if youth.script is Script.ON:
        await youth.sees(text)
        return
    for _ in range(20):
        if text in await youth.reads():
            return
        await youth.opens("dialog", "/chat/samtale")
        await youth.page.wait_for_timeout(300)
    raise AssertionError(f"never came: {text}")


async def until_there(youth: Phone, path: str, selector: str) -> None:
    """With script it comes by itself; without it she asks for the page until it does."""
    if youth.script is Script.ON:
        await expect(youth.page.locator(selector).first).to_be_visible()
        await youth.page.wait_for_load_state()
        return
    for _ in range(60):
        await youth.opens("dialog", path)
        if await youth.page.locator(selector).count():
            return
        await youth.page.wait_for_timeout(500)
    raise AssertionError(f"never came: {selector} on {path}")


async def goes_on(scene: Scene, youth: Phone) -> None:
    """Sees what would travel, adds a sentence, says yes, carries it over, logs in, and finds it there."""
    await youth.opens("dialog", "/videre")
    await youth.sees("Jeg gruer meg til skolen." if not await youth.page.locator('[name="sentence_1"]').count() else "")
    values = {"include_1": "yes", "own": "Jeg vil helst snakke med en dame.", "device": "same"}
    await youth.sends("/videre", values, having="own", answer="yes")
    await youth.sends("/inn", having="secret")
    await youth.logs_in(scene.new_number())
    await youth.sends("/er-det-deg", answer="yes" if await youth.page.locator('button[value="yes"]').count() else "")
    await until_taken_in(youth)
    async with youth.page.expect_navigation(wait_until="load"):
        await youth.page.locator('main a[href*="/reise/"]:not([href$="/time"])').first.click()
    await youth.sees("Jeg vil helst snakke med en dame.")


async def until_taken_in(youth: Phone) -> None:
    for _ in range(60):
        await youth.opens("helpjourney", "/" + STOPPED)
        if await youth.page.locator('form[action$="/inn/hent"]').count():
            await youth.sends("/inn/hent")
        if await youth.page.locator('main a[href*="/reise/"]').count():
            return
        await youth.page.wait_for_timeout(500)
    raise AssertionError(f"nothing was taken in: {await youth.reads()}")


async def wishes(scene: Scene, youth: Phone) -> None:
    """Wishes an appointment, chooses the time that the clinician offers."""
    await youth.opens("helpjourney")
    async with youth.page.expect_navigation(wait_until="load"):
        await youth.page.locator('main a[href*="/reise/"][href$="/time"]').first.click()
    await youth.sends("/sted", {"municipality": MUNICIPALITY})
    await youth.sends("/time", {"unit": scene.cast.unit, "suits": "after_school", "reminds": "yes"}, having="note")
    await scene.clinician.offers_time("clinician-1")
    for _ in range(60):
        await youth.opens("helpjourney")
        offered = youth.page.locator('main a[href*="/time/"]')
        if await offered.count():
            async with youth.page.expect_navigation(wait_until="load"):
                await offered.first.click()
            if await youth.page.locator('form[action$="/velg"]').count():
                break
        await youth.page.wait_for_timeout(500)
    slot = await youth.page.locator('input[name="slot"]').first.get_attribute("value")
    await youth.sends("/velg", {"slot": slot or ""})
    assert await youth.page.locator('form[action$="/avlys"], a[href*="/avlys"]').count()


@pytest.mark.parametrize(("script", "language"), CASES, ids=[f"{script}, {language}" for script, language in CASES])
async def test_from_a_search_to_an_appointment(browser: Browser, scene: Scene, script: Script, language: str) -> None:
    """INVARIANT: the whole way is there for those whose browser runs no script, and nothing has to be told twice."""
    async with phone(browser, scene.urls, script, language) as youth:
        await reads(youth)
        await asks(scene, youth)
        await chats(scene, youth)
        await goes_on(scene, youth)
        await wishes(scene, youth)
        await youth.opens("dialog", "/chat/samtale")
        await youth.sends("/chat/avslutt")
        await scene.helper.ends_shift()
        assert youth.complaints == []

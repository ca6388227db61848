"""Going from anonymous to known when something is in the way."""

import asyncio

import pytest

from deploy.local.journey.browser import NoSuchFormError
from deploy.local.journey.cast import synthetic_number
from deploy.local.journey.people import Youth, until

pytestmark = pytest.mark.timeout(240)


async def offered(crew, youth):
    """The page with the secret, after a chat and her yes."""
    talk = await crew.talk(youth)
    await crew.helper.offers_to_go_on(talk, "family", "soon", "Jeg er redd hjemme.")
    return await youth.goes_on()


async def brought(youth):
    """Pages of everything that is on her own page."""
    page = await youth.takes_in()
    texts = []
    for link in dict.fromkeys(link for link in page.links if "/reise/" in link and not link.endswith("/time")):
        texts.append((await youth.browser.get(link)).text)
    return " ".join(texts)


async def test_a_claim_presented_before_its_offer_has_arrived_succeeds(platform, crew):
    """INVARIANT: Kafka may be behind; nothing is lost and nobody is sent away."""
    youth = Youth(crew.urls)
    talk = await crew.talk(youth)
    await crew.helper.offers_to_go_on(talk, "family", "soon", "Jeg er redd hjemme.")
    await asyncio.to_thread(platform.kill_broker)
    try:
        page = await youth.carries(await youth.goes_on())
        assert "Vi henter det" in page.text
        page = await youth.logs_in_here(page, synthetic_number(100))
        await youth.says_it_is_her(page)
        assert "Jeg er redd hjemme" not in (await youth.opens("helpjourney", "/")).text
    finally:
        await asyncio.to_thread(platform.restart_broker)
    await until(lambda: youth.opens("helpjourney", "/"), lambda page: page.has_form("/inn/hent"), "the offer")
    assert "Jeg er redd hjemme" in await brought(youth)
    await youth.ends_chat()
    await youth.leaves()


@pytest.mark.parametrize("who", ["a parent", "a brother of her age"])
async def test_a_live_login_of_somebody_else_does_not_open_her_offer(crew, who):
    """INVARIANT: only a login after presenting, and a yes, binds; a live session of somebody else never does."""
    shared = Youth(crew.urls)
    page = await shared.opens("helpjourney", "/")
    page = await shared.logs_in(
        await shared.browser.get(page.link("/logg-inn")), crew.cast.guardian if who == "a parent" else synthetic_number(102), "high"
    )
    await shared.says_it_is_her(page)
    page = await shared.carries(await offered(crew, shared))
    with pytest.raises(NoSuchFormError):
        page.form("/inn/hent")
    assert "Jeg er redd hjemme" not in await _everything(shared)
    page = await shared.browser.get(crew.urls["helpjourney"] + "/logg-inn/start?neste=/er-det-deg")
    assert page.has_form(field="level"), f"a login asks again, whoever is logged in: {page.url}"
    await shared.says_it_is_her(await shared.logs_in_here(page, synthetic_number(101)))
    assert "Jeg er redd hjemme" in await brought(shared)
    await shared.ends_chat()
    await shared.leaves()


async def _everything(youth):
    """All that her own page and what it links to shows."""
    page = await youth.opens("helpjourney", "/")
    texts = [page.text]
    for link in dict.fromkeys(link for link in page.links if "/reise/" in link):
        texts.append((await youth.browser.get(link)).text)
    return " ".join(texts)

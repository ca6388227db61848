"""The other five youths: a typed code on another device, a change of mind, a login that is given up, no anonymous start, a full queue."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.local.journey.browser import Page
from deploy.local.journey.cast import CHAT_HELPER, MUNICIPALITY, Cast
from deploy.local.journey.people import Helper, StuckError, Youth, code_on, fine


@dataclass
class Crew:
    """Who is at work while the youths walk."""

    urls: Mapping[str, str]
    cast: Cast
    helper: Helper = field(init=False)
    carried: Page = field(init=False)

    def __post_init__(self) -> None:
        self.helper = Helper(self.urls)

    async def leave(self) -> None:
        if self.helper.browser.page is not None:
            await self.helper.ends_shift()
        await self.helper.leaves()

    async def talk(self, youth: Youth) -> Page:
        """A chat between the youth and the helper, from the queue to the first message."""
        await self.helper.goes_on_duty(CHAT_HELPER, self.cast.chat_service, 3)
        await youth.asks_to_chat(self.cast.chat_service, "family", "16_17")
        talk = await self.helper.takes_next()
        await youth.waits_for_helper()
        await youth.says("De krangler hele tida.")
        return talk


async def on_another_device(crew: Crew) -> None:
    """Chats at school, types the code at home."""
    at_school, at_home = Youth(crew.urls), Youth(crew.urls)
    talk = await crew.talk(at_school)
    await crew.helper.offers_to_go_on(talk, "family", "routine", "")
    code = code_on(await at_school.goes_on(device="other"))
    page = await at_home.types_code(code.lower())
    await at_home.says_it_is_her(await at_home.logs_in_here(page, crew.cast.youths[1]))
    await at_home.takes_in()
    await at_school.ends_chat()
    await at_school.leaves()
    await at_home.leaves()


async def changes_her_mind(crew: Crew) -> None:
    """Says yes, takes it back before she logged in, and talks on."""
    youth = Youth(crew.urls)
    talk = await crew.talk(youth)
    await crew.helper.offers_to_go_on(talk, "family", "routine", "")
    page = await youth.goes_on()
    fine(await youth.browser.submit(page.form("/videre/trekk")))
    await youth.says("Jeg ombestemte meg.")
    await youth.ends_chat()
    await youth.leaves()


async def gives_up_the_login(crew: Crew) -> None:
    """Gets as far as the login, leaves it, and is still in her chat."""
    youth = Youth(crew.urls)
    talk = await crew.talk(youth)
    await crew.helper.offers_to_go_on(talk, "family", "soon", "")
    page = await youth.carries(await youth.goes_on())
    page = fine(await youth.browser.get(page.link("/logg-inn/start")))
    page = await youth.browser.submit(page.form(field="level"), button="Avbryt")
    if "113" not in page.text:
        raise StuckError(f"a login that is given up is a dead end: {page.url}")
    await youth.says("Det ble for mye å logge inn.")
    await youth.ends_chat()
    await youth.leaves()


async def goes_straight_in(crew: Crew) -> None:
    """Comes without an anonymous start, wishes an appointment, and calls it off."""
    youth = Youth(crew.urls)
    page = await youth.opens("helpjourney", "/")
    page = fine(await youth.browser.get(page.link("/logg-inn")))
    await youth.says_it_is_her(await youth.logs_in_here(page, crew.cast.youths[2]))
    await youth.takes_in()
    await youth.calls_off(await youth.wishes(MUNICIPALITY, crew.cast.unit))
    await youth.leaves()


async def leaves_the_queue(crew: Crew) -> None:
    """Waits, and goes; asks instead, and deletes the question."""
    youth = Youth(crew.urls)
    await crew.helper.goes_on_duty(CHAT_HELPER, crew.cast.chat_service, 3)
    await youth.asks_to_chat(crew.cast.chat_service, "bullying", "under_13")
    await youth.leaves_queue()
    code = await youth.asks("Hva gjør jeg når ingen vil være med meg?", "bullying", "under_13", publish=False)
    page = await youth.looks_for_answer(code)
    fine(await youth.browser.submit(page.form("/svar/slett")))
    await youth.leaves()


OTHERS: Mapping[str, Callable[[Crew], Coroutine[Any, Any, None]]] = {
    "a code, typed on another device": on_another_device,
    "a change of mind": changes_her_mind,
    "a login that is given up": gives_up_the_login,
    "straight in, without an anonymous start": goes_straight_in,
    "out of the queue, and a question deleted": leaves_the_queue,
}

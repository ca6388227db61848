"""Other youths at the border: one who claims with a typed code, one who takes her offer back, and some who never come."""

from deploy.local.journey.cast import CHAT_HELPER
from deploy.local.journey.people import Youth, code_on, fine
from tests.privacy.walk import Unclaimed, Walk, born

HOLDER = "__Host-inn"


async def offers(walk: Walk, youth: Youth, device: str, sentence: str) -> str:
    """A chat and a yes; returns what she carries."""
    await walk.helper.goes_on_duty(CHAT_HELPER, walk.cast.chat_service, 3)
    await youth.asks_to_chat(walk.cast.chat_service, "family", "16_17")
    talk = await walk.helper.takes_next()
    await youth.waits_for_helper()
    await walk.helper.offers_to_go_on(talk, "family", "routine", "")
    page = await youth.goes_on(own=walk.sentence(sentence), device=device)
    shown = code_on(page) if device == "other" else page.form("/inn", field="secret").fields["secret"]
    return walk.canaries.credential(f"what she carries with her {sentence}", shown)


async def claims_with_a_code(walk: Walk, who: str, number: str, *, past_gateway: bool) -> None:
    """Chats on one device, types the code on another. `who`: ends the names of her canaries."""
    at_school, at_home = walk.youth(past_gateway=past_gateway), walk.youth(past_gateway=past_gateway)
    walk.canaries.digits(f"national identity number of {who}", number)
    walk.canaries.digits(f"date of birth of {who}", born(number))
    code = await offers(walk, at_school, "other", f"own sentence of {who}")
    page = await at_home.types_code(code.lower().replace("-", " "))
    await at_home.says_it_is_her(await at_home.logs_in_here(page, number))
    await at_home.takes_in()
    await at_school.ends_chat()
    walk.claimed.append(code)
    for youth in (at_school, at_home):
        await youth.leaves()


async def takes_it_back(walk: Walk) -> None:
    """Withdraws before anybody claimed."""
    youth = walk.youth()
    code = await offers(walk, youth, "other", "own sentence of one who takes it back")
    form = (await youth.opens("dialog", "/videre/trekk")).form("/videre/trekk")
    fine(await youth.browser.submit(form, {"secret": code}))
    await youth.ends_chat()
    await youth.leaves()


async def never_comes(walk: Walk, device: str, *, presents: bool) -> None:
    """Has an offer, perhaps presents it, and stops there."""
    youth, sentence = walk.youth(), f"own sentence, unclaimed, {device}, {presents}"
    shown = await offers(walk, youth, device, sentence)
    holder = None
    if presents:
        page = youth.browser.page
        assert page is not None
        await (youth.types_code(shown) if device == "other" else youth.carries(page))
        holder = next(value for (_, name, _), value in youth.browser.cookies.items() if name == HOLDER)
    walk.unclaimed.append(Unclaimed(shown, walk.sentence(sentence), holder))
    await youth.opens("dialog", "/chat/samtale")
    await youth.ends_chat()
    await youth.leaves()

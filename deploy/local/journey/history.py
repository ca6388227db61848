"""Makes the history that the figures need, through the same pages as everybody else: nothing is inserted."""

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic

from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, MUNICIPALITY, PANEL, Cast, cast, synthetic_number
from deploy.local.journey.people import Clinician, Expert, Helper, Youth

JOURNEYS = 40
"""So many, so that no step of the funnel is hidden for being rare."""
AT_ONCE = 3
"""Youths that walk at the same time."""
BOOKED = 4
"""One in so many journeys doesn't get as far as an appointment."""

Tell = Callable[[str], None]


async def make_history(urls: Mapping[str, str], journeys: int, tell: Tell) -> None:
    """So many youths ask, chat, go on, log in, wish and get an appointment."""
    began, people = monotonic(), cast()
    queue: asyncio.Queue[int] = asyncio.Queue()
    for number in range(journeys):
        queue.put_nowait(number)
    helper, clinician, panel = Helper(urls), Clinician(urls), Expert(urls)
    one_helper, one_clinician = asyncio.Lock(), asyncio.Lock()
    await helper.goes_on_duty(CHAT_HELPER, people.chat_service, AT_ONCE)

    async def walk_some() -> None:
        while not queue.empty():
            number = queue.get_nowait()
            await _journey(urls, people, number, (helper, one_helper), (clinician, one_clinician))
            if number % 10 == 9:
                tell(f"     history: {number + 1} of {journeys} journeys, {monotonic() - began:.0f} s")

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(walk_some())
        tasks.create_task(_questions(urls, panel, journeys // 4))
    await helper.ends_shift()
    for person in (helper, clinician, panel):
        await person.leaves()
    tell(f"     history: {journeys} journeys in {monotonic() - began:.0f} s")


async def _journey(
    urls: Mapping[str, str], people: Cast, number: int, helpers: tuple[Helper, asyncio.Lock], clinicians: tuple[Clinician, asyncio.Lock]
) -> None:
    youth = Youth(urls)
    helper, one_helper = helpers
    await youth.searches(("søvn", "angst", "kropp", "mobbing")[number % 4])
    await youth.asks_to_chat(people.chat_service, ("mental_health", "body", "sexuality", "bullying")[number % 4], "13_15")
    async with one_helper:
        talk = await helper.takes_next()
    await youth.waits_for_helper()
    await youth.says("Hei, har du tid?")
    await helper.answers(talk, "Ja. Så bra at du skriver.")
    await helper.offers_to_go_on(talk, "mental_health", "soon", "")
    page = await youth.carries(await youth.goes_on())
    await youth.says_it_is_her(await youth.logs_in_here(page, synthetic_number(number)))
    await youth.takes_in()
    await youth.ends_chat()
    if number % BOOKED:
        clinician, one_clinician = clinicians
        async with one_clinician:
            await youth.wishes(MUNICIPALITY, people.unit)
            await clinician.offers_time(CLINICIAN)
            await youth.accepts_time()
    await youth.leaves()


async def _questions(urls: Mapping[str, str], panel: Expert, number: int) -> None:
    for _ in range(number):
        youth = Youth(urls)
        await youth.asks("Er det vanlig å ha det sånn?", "body", "13_15", publish=False)
        await panel.answers_next(PANEL, "Ja, det er helt vanlig.")
        await youth.leaves()

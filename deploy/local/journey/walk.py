"""Six synthetic youths walk the journey over HTTP; the first one's story is told step by step, and everything is checked."""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine
from typing import Any

import httpx

from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, EDITOR, MUNICIPALITY, PANEL, Cast, cast
from deploy.local.journey.ground import Ground
from deploy.local.journey.history import JOURNEYS, make_history
from deploy.local.journey.people import Clinician, Editor, Expert, StuckError, Youth, until
from deploy.local.journey.stories import OTHERS, Crew
from deploy.local.journey.timeline import Timeline, Watch
from deploy.local.loopback import client

FUNNEL_SECONDS = 90
"""How long the figures may take: the pages read of a minute are told after that minute."""


async def walk(platform: Ground) -> int:
    """Walk, tell, check. Returns 0, or 1 after naming what failed."""
    watch = Watch(platform.kafka_admin)
    await watch.start()
    timeline, people = Timeline(watch), cast()
    crew = Crew(platform.urls, people)
    try:
        print(", ".join(f"{name} {version}" for name, version in (await versions(platform)).items()), flush=True)
        print(timeline.heading(), flush=True)
        await first_youth(timeline, crew)
        for name, story in OTHERS.items():
            await _told(name, story, crew)
        await make_history(platform.urls, JOURNEYS, lambda text: print(text, flush=True))
        await _told("reporting shows the funnel", funnel_is_shown, crew)
        while await watch.new(wait_ms=500):
            pass
    except (AssertionError, httpx.HTTPError, ExceptionGroup) as error:
        named = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        print(f"journey: failed: {type(named).__name__}: {named}", flush=True)
        return 1
    finally:
        await crew.leave()
        await watch.stop()
    print(f"journey: ok steps={len(timeline.steps)} events={len(watch.seen)} ms={timeline.milliseconds:.0f}", flush=True)
    return 0


async def _told(name: str, story: Callable[[Crew], Coroutine[Any, Any, None]], crew: Crew) -> None:
    began = asyncio.get_running_loop().time()
    await story(crew)
    print(f"     {name}: {asyncio.get_running_loop().time() - began:.1f} s", flush=True)


async def first_youth(timeline: Timeline, crew: Crew) -> None:
    """From a search to an appointment, with nothing retold."""
    youth = Youth(crew.urls)
    try:
        await goes_all_the_way(timeline, crew, youth)
    finally:
        await youth.leaves()


async def goes_all_the_way(timeline: Timeline, crew: Crew, youth: Youth) -> str:
    """What the first youth does; returns the receipt code of her question."""
    code = await _level_1_and_2(timeline, crew, youth)
    await _level_3(timeline, crew, youth, crew.cast)
    return code


async def _level_1_and_2(timeline: Timeline, crew: Crew, youth: Youth) -> str:
    panel, editor, helper = Expert(crew.urls), Editor(crew.urls), crew.helper
    step = timeline.step
    async with step("reads the front page", "info", 1):
        await youth.opens("info", "/")
    async with step("searches: eksamensangst", "info", 1):
        found = await youth.searches("eksamensangst")
    async with step("reads an article", "info", 1):
        await youth.browser.get(found.link("/artikkel/"))
    async with step("asks the panel anonymously, gets a receipt code", "dialog", 2, ["dialog.question.asked.v1"]):
        code = await youth.asks("Hvordan slutter jeg å grue meg til prøver?", "school", "13_15", publish=True)
    async with step("the panel answers", "dialog", 2, ["dialog.question.assigned.v1", "dialog.question.answered.v1"]):
        address = await panel.answers_next(PANEL, "Mange har det som deg. Det hjelper å øve litt hver dag og puste rolig.")
    async with step("reads the answer with her code", "dialog", 2):
        await youth.reads_answer(code, "puste rolig")
    async with step("an editor publishes it", "dialog", 2, ["dialog.answer.approved.v1", "info.answer.published.v1"]):
        await editor.publishes(EDITOR, address, "Jeg gruer meg sånn til prøver")
    async with step("others find the answer", "info", 1):
        await until(lambda: youth.searches("gruer meg til prøver"), lambda page: "/svar/" in page.html, "the published answer")
    async with step("a helper goes on duty", "dialog", 2, ["dialog.provider.opened.v1"]):
        await helper.goes_on_duty(CHAT_HELPER, crew.cast.chat_service, 3)
    async with step("asks to chat", "dialog", 2, ["dialog.chat.requested.v1", "dialog.chat.queued.v1"]):
        await youth.asks_to_chat(crew.cast.chat_service, "mental_health", "13_15")
    async with step("the helper takes the chat", "dialog", 2, ["dialog.chat.accepted.v1"]):
        talk = await helper.takes_next()
    async with step("they write to each other", "dialog", 2):
        await youth.waits_for_helper()
        await youth.says("Jeg får ikke sove, og jeg vet ikke hvordan jeg skal si det.")
        await helper.answers(talk, "Fint at du skriver. Jeg har god tid.")
        await youth.reads("Jeg har god tid")
    async with step("the helper offers to go on", "dialog", 2):
        await helper.offers_to_go_on(talk, "mental_health", "soon", "Jeg får ikke sove før prøver. Jeg vil snakke med helsesykepleier.")
    async with step("sees what travels, edits it, says yes", "dialog", 2, ["dialog.handoff.offered.v1"]):
        crew.carried = await youth.goes_on(own="Helst etter skoletid.")
    await panel.leaves()
    await editor.leaves()
    return code


async def _level_3(timeline: Timeline, crew: Crew, youth: Youth, people: Cast) -> None:
    clinician, step = Clinician(crew.urls), timeline.step
    async with step("carries her secret to the other host", "helpjourney", 3):
        page = await youth.carries(crew.carried)
    async with step("logs in with ID-porten", "identity", 3):
        page = await youth.logs_in_here(page, people.youths[0])
    async with step("«Er det deg?» Yes", "helpjourney", 3, ["helpjourney.claims.counted.v1", "helpjourney.journey.started.v1"]):
        await youth.says_it_is_her(page)
        page = await youth.takes_in()
    async with step("finds what she brought", "helpjourney", 3):
        page = await youth.browser.get(next(link for link in page.links if re.search(r"/reise/[^/]+$", link)))
        if "Helst etter skoletid" not in page.text:
            raise StuckError("what she brought isn't there")
    async with step("wishes an appointment", "helpjourney", 3, ["helpjourney.appointment.wished.v1"]):
        await youth.wishes(MUNICIPALITY, people.unit)
    async with step("the clinician offers a time", "helpjourney", 3, ["helpjourney.appointment.offered.v1"]):
        await clinician.offers_time(CLINICIAN)
    async with step("accepts the time", "helpjourney", 3, ["helpjourney.appointment.booked.v1"]):
        await youth.accepts_time()
    async with step("gets a neutral reminder", "helpjourney", 3, ["helpjourney.appointment.reminded.v1"]):
        pass
    async with step("ends the anonymous chat", "dialog", 2, ["dialog.chat.ended.v1"]):
        await youth.ends_chat()
    await clinician.leaves()


async def versions(platform: Ground) -> dict[str, str]:
    """The release that each agency runs now, as its own service says."""
    async with httpx.AsyncClient(timeout=10) as http:
        answers = {name: await http.get(f"{platform.internal(name)}/openapi.json") for name in platform.urls}
    return {name: str(answer.json()["info"]["version"]) for name, answer in answers.items()}


async def funnel_is_shown(crew: Crew) -> None:
    """Reporting shows every step of the funnel that the walk and the history led through."""
    async with client(10) as http:
        address = crew.urls["reporting"] + "/api/journey"
        waited, ends = False, time.monotonic() + FUNNEL_SECONDS
        while time.monotonic() < ends:
            figures = (await http.get(address)).json()
            hidden = [row["step"] for row in figures["funnel"] if row["count"] is None and row["step"] != "appointments_attended"]
            if not hidden:
                counts = ", ".join(f"{row['step']} {row['count']}" for row in figures["funnel"] if row["count"])
                print(f"     figures: {counts}", flush=True)
                return
            if hidden == ["pages_read"] and not waited:
                waited = True
                print("     figures: pages read are told when their minute is over", flush=True)
            await asyncio.sleep(0.3)
    raise StuckError(f"the funnel doesn't show: {', '.join(hidden)}")

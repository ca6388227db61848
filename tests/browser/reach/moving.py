"""An appointment that gets another time, and forms that came too late."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from deploy.local.journey.browser import Page
from deploy.local.journey.cast import CLINICIAN, MUNICIPALITY
from deploy.local.journey.people import Youth, fine, wish_link
from tests.browser.reach.known import own_appointment, wished
from tests.browser.scene import Scene
from tests.browser.visits import Reach, Visit, by_form, by_link


@asynccontextmanager
async def booked(scene: Scene) -> AsyncIterator[tuple[Youth, Page]]:
    """A youth who took a time, at the page of it."""
    async with wished(scene) as youth:
        await scene.clinician.offers_time(CLINICIAN)
        yield youth, await youth.accepts_time()


def other_time(path: str) -> Reach:
    """The clinician proposes another time: seen on the overview, or at the appointment."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with booked(scene) as (youth, page):
            await _propose(scene)
            yield by_link(youth.browser, scene.urls["helpjourney"] + path if path == "/" else page.url)

    return reach


async def _propose(scene: Scene) -> None:
    """In the first case that has an agreed time."""
    today = await scene.at_clinic()
    for address in [link for link in today.links if "/ansatt/sak/" in link]:
        case = fine(await scene.clinician.browser.get(address))
        if case.has_form("/flytt") and "Foreslått" not in case.text:
            start = (datetime.now(UTC) + timedelta(days=9)).astimezone(ZoneInfo("Europe/Oslo"))
            await scene.clinician.browser.submit(case.form("/flytt"), {"start": start.strftime("%Y-%m-%dT%H:%M")})
            return


@asynccontextmanager
async def asked_for_other_time(scene: Scene) -> AsyncIterator[Visit]:
    """She can't come then."""
    async with booked(scene) as (youth, page):
        page = fine(await youth.browser.submit(page.form("/ny-tid")))
        yield by_link(youth.browser, page.url)


@asynccontextmanager
async def stale_choice(scene: Scene) -> AsyncIterator[Visit]:
    """The back button, after a time was taken."""
    async with wished(scene) as youth:
        page = await own_appointment(youth)
        await scene.clinician.offers_time(CLINICIAN)
        page = fine(await youth.browser.get(page.url))
        form = page.form("/velg")
        await youth.accepts_time()
        yield by_form(youth.browser, form, {"slot": form.choices["slot"][0]})


@asynccontextmanager
async def three_wishes(scene: Scene) -> AsyncIterator[Visit]:
    """As many as one may have at once."""
    async with scene.known_youth() as youth:
        pages = [await youth.wishes(MUNICIPALITY, scene.cast.unit) for _ in range(3)]
        overview = await youth.opens("helpjourney", "/")
        yield by_link(youth.browser, wish_link(overview))
        for page in pages:
            await youth.calls_off(fine(await youth.browser.get(page.url)))

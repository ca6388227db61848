"""Level 3: what a youth brings, her own pages, her appointments; and the clinician's pages."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

from servicekit.claim_secret import TypedCode

from deploy.local.journey.browser import Page
from deploy.local.journey.cast import CLINICIAN, MUNICIPALITY
from deploy.local.journey.forms import Form
from deploy.local.journey.people import Youth, code_on, fine, wish_link
from tests.browser.reach.chats import talking
from tests.browser.scene import Scene
from tests.browser.visits import Reach, Visit, by_form, by_link

UNKNOWN_CODE = str(TypedCode("ZQX", "123456789VWX"))
LONG = "Helst etter skoletid. " * 100


@asynccontextmanager
async def holding(scene: Scene) -> AsyncIterator[Youth]:
    """A youth who carried her secret here and hasn't logged in."""
    async with talking(scene, offers=True) as talk:
        await talk.youth.carries(await talk.youth.goes_on(own="Helst etter skoletid."))
        yield talk.youth


@asynccontextmanager
async def presented(scene: Scene) -> AsyncIterator[Visit]:
    """What she brings is here."""
    async with holding(scene) as youth:
        yield by_link(youth.browser, scene.urls["helpjourney"] + "/inn")


@asynccontextmanager
async def withdrawn(scene: Scene) -> AsyncIterator[Visit]:
    """She took it back after she had carried it here."""
    async with talking(scene, offers=True) as talk:
        page = await talk.youth.goes_on()
        await talk.youth.carries(page)
        talk.youth.browser.page = page  # the other window, with what she sent
        fine(await talk.youth.browser.submit(page.form("/videre/trekk")))
        await _standing_without(scene, talk.youth, "/logg-inn/start")
        yield by_link(talk.youth.browser, scene.urls["helpjourney"] + "/inn")


@asynccontextmanager
async def claimed(scene: Scene) -> AsyncIterator[Visit]:
    """Another browser with the same code was first."""
    async with talking(scene, offers=True) as talk, scene.youth() as other:
        code = code_on(await talk.youth.goes_on(device="other"))
        await other.types_code(code)
        page = await talk.youth.types_code(code)
        await talk.youth.says_it_is_her(await talk.youth.logs_in_here(page, scene.new_number()))
        await talk.youth.takes_in()
        await _standing_without(scene, other, "/logg-inn/start")
        yield by_link(other.browser, scene.urls["helpjourney"] + "/inn")


async def _standing_without(scene: Scene, youth: Youth, link: str) -> None:
    for _ in range(100):
        if not (await youth.browser.get(scene.urls["helpjourney"] + "/inn")).has_link(link):
            return


def unknown_secret(query: str = "") -> Reach:
    """A code that leads to nothing looks like one that isn't here yet."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.youth() as youth:
            await youth.types_code(UNKNOWN_CODE)
            yield by_link(youth.browser, scene.urls["helpjourney"] + "/inn" + query)

    return reach


def standing_later(minutes: float, *, known: bool = False) -> Reach:
    """What a browser is told that comes some time later; `known`: with what was sent before."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        if known:
            async with talking(scene, offers=True) as talk:
                page = await talk.youth.goes_on()
                async with scene.later("helpjourney", minutes):
                    await talk.youth.carries(page)
                    await _standing_without(scene, talk.youth, "/logg-inn/start")
                    yield by_link(talk.youth.browser, scene.urls["helpjourney"] + "/inn")
        else:
            async with scene.youth() as youth:
                await youth.types_code(UNKNOWN_CODE)
                async with scene.later("helpjourney", minutes):
                    yield by_link(youth.browser, scene.urls["helpjourney"] + "/inn")

    return reach


def types(code: str) -> Reach:
    """A code that isn't one."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.youth() as youth:
            page = await youth.opens("helpjourney", "/inn")
            yield by_form(youth.browser, page.form("/inn/kode"), {"code": code})

    return reach


@asynccontextmanager
async def too_many_codes(scene: Scene) -> AsyncIterator[Visit]:
    """So many wrong codes for an offer that this one is closed for a while."""
    async with talking(scene, offers=True) as talk, scene.youth() as youth:
        right = TypedCode.read(code_on(await talk.youth.goes_on(device="other")))
        wrong = str(TypedCode(right.locator, "123456789VWX"))
        for _ in range(8):
            await youth.browser.submit(await _code_form(scene, youth), {"code": wrong})
        yield by_form(youth.browser, await _code_form(scene, youth), {"code": wrong})


async def _code_form(scene: Scene, youth: Youth) -> Form:
    host = scene.urls["helpjourney"]
    youth.browser.cookies = {key: value for key, value in youth.browser.cookies.items() if key[1] != "__Host-inn"}
    return fine(await youth.browser.get(host + "/inn")).form("/inn/kode")


def is_it_you(*, holds: bool = False) -> Reach:
    """Whose login this is."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        if holds:
            async with holding(scene) as youth:
                page = await youth.opens("helpjourney", "/inn")
                page = await youth.logs_in_here(page, scene.new_number())
                yield by_link(youth.browser, page.url)
        else:
            async with scene.youth() as youth:
                page = await scene.logs_in(youth, says_yes=False)
                yield by_link(youth.browser, page.url)

    return reach


def own_page(path: str) -> Reach:
    """A page of a youth who came straight in."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.known_youth() as youth:
            yield by_link(youth.browser, scene.urls["helpjourney"] + path)

    return reach


def other_age(number: str, level: str) -> Reach:
    """Somebody for whom others are there."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.youth() as youth:
            await scene.logs_in(youth, number, level=level)
            yield by_link(youth.browser, scene.urls["helpjourney"] + "/")

    return reach


@asynccontextmanager
async def brought(scene: Scene) -> AsyncIterator[Youth]:
    """A youth who took in what she brought."""
    async with holding(scene) as youth:
        page = await youth.opens("helpjourney", "/inn")
        await youth.says_it_is_her(await youth.logs_in_here(page, scene.new_number()))
        await youth.takes_in()
        yield youth


@asynccontextmanager
async def journey_with_text(scene: Scene) -> AsyncIterator[Visit]:
    """What she brought can be read, and deleted."""
    async with brought(scene) as youth:
        page = await youth.opens("helpjourney", "/")
        yield by_link(youth.browser, _journey(page))


@asynccontextmanager
async def journey_plain(scene: Scene) -> AsyncIterator[Visit]:
    """A journey without anything brought."""
    async with scene.known_youth() as youth:
        page = await youth.opens("helpjourney", "/")
        yield by_link(youth.browser, _journey(page))


@asynccontextmanager
async def overview_with_more(scene: Scene) -> AsyncIterator[Visit]:
    """The overview of a youth with a booked appointment."""
    async with wished(scene) as youth:
        await scene.clinician.offers_time(CLINICIAN)
        await youth.accepts_time()
        yield by_link(youth.browser, scene.urls["helpjourney"] + "/")


@asynccontextmanager
async def overview_called_off(scene: Scene) -> AsyncIterator[Visit]:
    """The overview of a youth who has called off her appointment."""
    async with wished(scene) as youth:
        await scene.clinician.offers_time(CLINICIAN)
        await youth.calls_off(await youth.accepts_time())
        yield by_link(youth.browser, scene.urls["helpjourney"] + "/")


def _journey(page: Page) -> str:
    return next(link for link in page.links if "/reise/" in link and link.rstrip("/").count("/") == 4)


def wish_form(*, placed: bool) -> Reach:
    """Where, and then when it suits."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.known_youth() as youth:
            page = await _to_wish(youth, placed=placed)
            yield by_link(youth.browser, page.url)

    return reach


def wish_wrong(action: str, values: Mapping[str, str]) -> Reach:
    """What is wrong with a wish."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.known_youth() as youth:
            page = await _to_wish(youth, placed=action == "/time")
            form = page.form(action, field="note") if action == "/time" else page.form(action)
            yield by_form(youth.browser, form, values)

    return reach


async def _to_wish(youth: Youth, *, placed: bool) -> Page:
    page = await youth.opens("helpjourney", "/")
    page = fine(await youth.browser.get(wish_link(page)))
    return fine(await youth.browser.submit(page.form("/sted"), {"municipality": MUNICIPALITY})) if placed else page


@asynccontextmanager
async def wished(scene: Scene) -> AsyncIterator[Youth]:
    """A youth who waits for times."""
    async with scene.known_youth() as youth:
        page = await youth.wishes(MUNICIPALITY, scene.cast.unit)
        yield youth
        page = await youth.browser.get(page.url)
        if page.has_form("/avlys"):
            await youth.calls_off(page)


async def own_appointment(youth: Youth) -> Page:
    """The page of her appointment."""
    page = await youth.opens("helpjourney", "/")
    return fine(await youth.browser.get(page.link("/time/")))


def appointment(state: str) -> Reach:
    """Her appointment: wished, offered, booked or cancelled."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with wished(scene) as youth:
            page = await own_appointment(youth)
            if state in {"offered", "booked"}:
                await scene.clinician.offers_time(CLINICIAN)
            if state == "booked":
                page = await youth.accepts_time()
            if state == "cancelled":
                page = await youth.calls_off(page)
            yield by_link(youth.browser, page.url)

    return reach


@asynccontextmanager
async def not_hers(scene: Scene) -> AsyncIterator[Visit]:
    """A journey of somebody else looks like none."""
    async with scene.known_youth() as youth:
        yield by_link(youth.browser, f"{scene.urls['helpjourney']}/reise/{uuid4()}")


@asynccontextmanager
async def logged_out_in_mid_form(scene: Scene) -> AsyncIterator[Visit]:
    """Her login ended while she wrote."""
    async with scene.known_youth() as youth:
        page = await _to_wish(youth, placed=True)
        form = page.form("/time", field="note")
        youth.browser.cookies.clear()
        yield by_form(youth.browser, form, {"unit": scene.cast.unit, "note": "Helst etter skoletid."})


# Clinic


@asynccontextmanager
async def old_way_out(scene: Scene) -> AsyncIterator[Visit]:
    """She logs out on a page that another login of hers was made for."""
    page = await scene.other_clinician.starts("helpjourney", "/ansatt/i-dag", "clinician-3")
    yield by_form(scene.other_clinician.browser, page.form("/ansatt/logg-ut"), {"csrf": "of another login"})


@asynccontextmanager
async def empty_clinic(scene: Scene) -> AsyncIterator[Visit]:
    """Nobody waits: at a unit that nobody has chosen."""
    page = await scene.other_clinician.starts("helpjourney", "/ansatt/i-dag", "clinician-3")
    yield by_link(scene.other_clinician.browser, page.url)


@asynccontextmanager
async def today(scene: Scene) -> AsyncIterator[Visit]:
    """Somebody waits for a time, somebody has one."""
    async with wished(scene) as youth:
        await scene.clinician.offers_time(CLINICIAN)
        await youth.accepts_time()
        async with wished(scene):
            page = await scene.at_clinic()
            yield by_link(scene.clinician.browser, page.url)


def case(state: str = "wished") -> Reach:
    """One case: wished, offered or booked."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with wished(scene) as youth:
            await scene.at_clinic()
            page = await scene.clinician.next_wish()
            if state != "wished":
                page = await scene.clinician.offers_time(CLINICIAN)
            if state == "booked":
                await youth.accepts_time()
            yield by_link(scene.clinician.browser, page.url)

    return reach


@asynccontextmanager
async def wrong_times(scene: Scene) -> AsyncIterator[Visit]:
    """A time that can't be offered."""
    async with wished(scene):
        await scene.at_clinic()
        page = await scene.clinician.next_wish()
        yield by_form(scene.clinician.browser, page.form("/tilby"), {"start": "2020-01-01T10:00"})


@asynccontextmanager
async def no_case(scene: Scene) -> AsyncIterator[Visit]:
    """A case of another unit looks like none."""
    await scene.at_clinic()
    yield by_link(scene.clinician.browser, f"{scene.urls['helpjourney']}/ansatt/sak/{uuid4()}")


def clinic_code(code: str | None = None) -> Reach:
    """The form for a youth without an eID; with `code` it's sent."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        page = await scene.at_clinic("/ansatt/kode")
        browser = scene.clinician.browser
        yield by_link(browser, page.url) if code is None else by_form(browser, page.form("/kode"), {"code": code})

    return reach

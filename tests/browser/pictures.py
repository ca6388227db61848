"""`python -m tests.browser.pictures`: takes the README's six pictures anew, from pages as the platform serves them."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from playwright.async_api import Browser

from deploy.checks import ROOT
from deploy.local.journey.browser import Browser as Walker
from deploy.local.journey.cast import CLINICIAN
from tests.browser.chromium import NoChromiumError, hand_over, launched
from tests.browser.looking import SETTLED
from tests.browser.pages import own_platform
from tests.browser.reach import chats, known, questions
from tests.browser.scene import Scene
from tests.browser.variants import LOCALES, Scheme
from tests.browser.visits import Reach, Visit, at, by_link

FOLDER = ROOT / "docs" / "pictures"
PHONE, DESK = (390, 844), (1280, 920)
"""CSS pixels of a first screen."""
WIDEST = {PHONE: 780, DESK: 1600}
"""Pixels of a picture."""
QUALITY = 80
MANY = 7
"""People who come past before the figures are looked at: below five, figures are hidden."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One first screen."""

    file: str
    reach: Reach
    size: tuple[int, int] = PHONE
    scheme: Scheme = "light"
    begins: str = ""
    """A selector: what stands uppermost, below the bar."""


@asynccontextmanager
async def a_talk(scene: Scene) -> AsyncIterator[Visit]:
    """A youth and a helper have written to each other for a while."""
    async with chats.talking(scene) as talk:
        await talk.youth.says("Jeg orker ikke en prøve til.")
        await scene.helper.answers(talk.desk, "Det høres tungt ut. Hva er det verste med det?")
        yield by_link(talk.youth.browser, scene.urls["dialog"] + "/chat/samtale")


@asynccontextmanager
async def two_talks(scene: Scene) -> AsyncIterator[Visit]:
    """A helper with two talks beside each other, and one youth who waits."""
    async with chats.talking(scene) as first, scene.youth() as second, chats.waiting_youth(scene):
        await second.asks_to_chat(scene.cast.chat_service, "school", "13_15")
        await chats.takes(scene, second)
        await second.says("Hei. Kan jeg spørre om noe?")
        yield by_link(scene.helper.browser, first.desk.url.partition("#")[0])


@asynccontextmanager
async def on_her_way(scene: Scene) -> AsyncIterator[Visit]:
    """A youth who was offered times."""
    async with known.wished(scene) as youth:
        await scene.clinician.offers_time(CLINICIAN)
        yield by_link(youth.browser, scene.urls["helpjourney"] + "/")


@asynccontextmanager
async def figures(scene: Scene) -> AsyncIterator[Visit]:
    """After several people took each step."""
    ways = (questions.answered, chats.chat_page("/videre", offers=True), known.withdrawn, known.appointment("booked"))
    async with Walker() as reader:
        for _ in range(MANY):
            for path in ("", "sok?q=angst", "hjelp"):
                await reader.get(f"{scene.urls['info']}/{path}")
            for way in ways:
                async with way(scene):
                    pass
    await asyncio.sleep(10)  # until the counts have been told and added up
    yield Visit(scene.urls["reporting"] + "/")


PICTURES = (
    Picture("front-page", at("info/")),
    Picture("chat-dark", a_talk, scheme="dark"),
    Picture("border", chats.chat_page("/videre", offers=True)),
    Picture("overview", on_her_way),
    Picture("helpers-desk", two_talks, DESK),
    Picture("funnel", figures, DESK, begins="main h2"),
)


async def take(browser: Browser, scene: Scene, picture: Picture) -> None:
    """Writes one picture."""
    width, height = picture.size
    context = await browser.new_context(
        locale=LOCALES["nb"],
        color_scheme=picture.scheme,
        viewport={"width": width, "height": height},
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    async with picture.reach(scene) as visit:
        await hand_over(context, visit.cookies)
        page = await context.new_page()
        await visit.go(page)
        if picture.begins:
            await page.locator(picture.begins).first.evaluate("each => each.scrollIntoView()")
        await page.evaluate(SETTLED)
        shown = await page.screenshot()
    await context.close()
    with Image.open(BytesIO(shown)) as whole:
        whole.thumbnail((WIDEST[picture.size], 2 * height), Image.Resampling.LANCZOS)
        file = FOLDER / f"{picture.file}.webp"
        whole.convert("RGB").save(file, "WEBP", quality=QUALITY, method=6)
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB", flush=True)


async def take_all(only: str) -> None:
    with own_platform() as platform:
        scene = Scene(platform)
        async with launched() as browser:
            for picture in PICTURES:
                if only in picture.file:
                    await take(browser, scene, picture)
        await scene.leave()


def main() -> int:
    """0 when all could be taken."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.pictures", description=__doc__)
    parser.add_argument("--only", default="", help="pictures whose name contains this")
    try:
        asyncio.run(take_all(parser.parse_args().only))
    except NoChromiumError as missing:
        print(f"pictures: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

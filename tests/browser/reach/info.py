"""The open pages that need something to have happened before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.journey.browser import Browser as Walker
from deploy.local.journey.cast import CHAT_HELPER, EDITOR
from deploy.local.journey.people import until
from tests.browser.reach.questions import own_text, panel_answers
from tests.browser.scene import INFO_EDITOR, Scene
from tests.browser.visits import Reach, Visit, by_link

TITLE = "Jeg klarer ikke å konsentrere meg på skolen"


def linked(path: str, part: str) -> Reach:
    """The first page that `path` links to with `part` in its address."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with Walker() as walker:
            page = await walker.get(scene.urls["info"] + path)
            yield Visit(page.link(part))

    return reach


@asynccontextmanager
async def published_answer(scene: Scene) -> AsyncIterator[Visit]:
    """An answer that the panel gave, an editor published, and dialog's event brought here."""
    text = own_text(scene, "Jeg klarer ikke å følge med i timene. Hva kan jeg gjøre?")
    async with scene.youth() as youth:
        await youth.asks(text, "school", "13_15", publish=True)
        address = await panel_answers(scene, text, "Snakk med kontaktlæreren din om det. Korte pauser hjelper mange.")
        await scene.editor.publishes(EDITOR, address, TITLE)
        found = await until(lambda: youth.searches("konsentrere skolen"), lambda page: page.has_link("/svar/"), "the published answer")
        yield Visit(found.link("/svar/"))


def staff(service: str, path: str, person: str) -> Reach:
    """A page of staff, with this person's login, whatever it leads to."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with Walker() as walker:
            await scene.enters(walker, service, path, person)
            yield by_link(walker, scene.urls[service] + path)

    return reach


editors_desk = staff("info", "/ansatt", INFO_EDITOR)


@asynccontextmanager
async def before_withdrawing(scene: Scene) -> AsyncIterator[Visit]:
    """An editor is asked before an answer is gone for good."""
    async with Walker() as walker:
        desk = await scene.enters(walker, "info", "/ansatt", INFO_EDITOR)
        yield by_link(walker, desk.link("/trekk"))


not_an_editor = staff("info", "/ansatt", CHAT_HELPER)

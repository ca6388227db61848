"""Pages of the gateway itself, and of services that are full, down or late: nothing else may go on meanwhile."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.browser.reach.questions import ASKED
from tests.browser.scene import Scene
from tests.browser.visits import Reach, Visit, by_form

TOO_MUCH = "x" * 1_100_000


def down(service: str) -> Reach:
    """The service's process is gone."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.without(service):
            yield Visit(scene.urls[service] + "/")

    return reach


@asynccontextmanager
async def too_large(scene: Scene) -> AsyncIterator[Visit]:
    """More than any form holds."""
    async with scene.youth() as youth:
        page = await youth.opens("dialog", "/spor")
        yield by_form(youth.browser, page.form("/spor", field="text"), ASKED | {"text": TOO_MUCH})


@asynccontextmanager
async def long_address(scene: Scene) -> AsyncIterator[Visit]:
    """An address that nobody typed."""
    yield Visit(f"{scene.urls['info']}/sok?q={'x' * 9000}")


@asynccontextmanager
async def panel_is_full(scene: Scene) -> AsyncIterator[Visit]:
    """The panel takes no more questions now."""
    async with scene.youth() as youth:
        await youth.asks("Er det vanlig å være redd for mørket?", "other", "13_15", publish=False)
    async with scene.changed("dialog", {"QUESTION_CAPACITY": "1"}, {"QUESTION_CAPACITY": "2000"}):
        yield Visit(scene.urls["dialog"] + "/spor")


@asynccontextmanager
async def just_full(scene: Scene) -> AsyncIterator[Visit]:
    """It filled up while she wrote."""
    async with scene.youth() as youth:
        await youth.asks("Er det vanlig å være redd for mørket?", "other", "13_15", publish=False)
        page = await youth.opens("dialog", "/spor")
        async with scene.changed("dialog", {"QUESTION_CAPACITY": "1"}, {"QUESTION_CAPACITY": "2000"}):
            yield by_form(youth.browser, page.form("/spor", field="text"), ASKED)

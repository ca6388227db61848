"""A real browser for the tests of this folder, and for the stories: one Chromium for the session, on one event loop."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from deploy.local.platform import Platform
from tests.browser.chromium import NoChromiumError, chromium, launched
from tests.browser.scene import Scene


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here that await share the session's loop, as the browser does. Stories come last: the sweep begins with an empty panel."""
    items.sort(key=lambda item: "stories" in item.path.parts)
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker("browser")


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium. Fails in one line where it is missing and can't be installed; it never skips."""
    try:
        chromium()
    except NoChromiumError as missing:
        pytest.fail(str(missing), pytrace=False)
    async with launched() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def scene(platform: Platform) -> AsyncIterator[Scene]:
    """The platform with people at work, for bringing about states."""
    scene = Scene(platform)
    yield scene
    await scene.leave()

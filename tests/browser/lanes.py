"""Comes past every page of the list once, on two ways beside each other; what disturbs others goes alone in the end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from itertools import chain

from playwright.async_api import Browser

from deploy.local.platform import Platform
from tests.browser.page_list import ANYWHERE, CHATS, LAST, OTHERS
from tests.browser.scene import Scene
from tests.browser.visits import Row
from tests.browser.windows import Windows

Stop = Callable[[Row, Scene, Windows], Awaitable[None]]
"""What is done at each page."""


async def each_page(platform: Platform, browser: Browser, stop: Stop, only: str = "") -> None:
    """Two lanes with people and windows of their own. `only`: rows whose name contains this."""
    chats, others, anywhere, last = ([row for row in rows if only in row.name] for rows in (CHATS, OTHERS, ANYWHERE, LAST))
    free = iter(anywhere)

    async def lane(rows: Iterable[Row], scene: Scene, windows: Windows) -> None:
        for row in rows:
            await stop(row, scene, windows)

    async with AsyncExitStack() as stack:
        first, second = Scene(platform), Scene(platform)
        for scene in (first, second):
            stack.push_async_callback(scene.leave)
        left, right = [await stack.enter_async_context(Windows(browser)) for _ in range(2)]
        await asyncio.gather(lane(chain(chats, free), first, left), lane(chain(others, free), second, right))
        await lane(last, first, left)

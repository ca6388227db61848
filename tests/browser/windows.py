"""The windows that a lane keeps from page to page: a browser that has been open a while shows a page in half the time of a new one."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Route

from tests.browser.chromium import HEIGHTS, Cookies, hand_over, window
from tests.browser.variants import Variant

WATCH = (Path(__file__).parent / "watch.js").read_text()
BLANK = "/robots.txt"
"""An address of every host that shows one line, sets no cookie and loads nothing."""
Serve = Callable[[Route], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Window:
    """One tab in a browser profile of its own."""

    context: BrowserContext
    page: Page
    wire: CDPSession

    async def become(self, variant: Variant) -> None:
        """The same window in other colours and another width."""
        await self.page.emulate_media(color_scheme=variant.scheme)
        await self.page.set_viewport_size({"width": variant.width, "height": HEIGHTS[variant.width]})

    async def stand_at(self, url: str) -> None:
        """On a page of the same host that shows nothing."""
        await self.page.goto(origin(url) + BLANK)

    async def forget(self) -> None:
        """Leaves the page; nothing of whoever looked is kept, on disk or in memory."""
        if self.page.url.startswith("http"):
            await self.stand_at(self.page.url)
            await self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        await self.context.clear_cookies()
        for disabled in (True, False):  # turning the cache off empties the renderer's own
            await self.wire.send("Network.setCacheDisabled", {"cacheDisabled": disabled})
        await self.wire.send("Network.clearBrowserCache")


@dataclass
class Windows:
    """A lane's windows, by language and by whether scripts run. `serve`: answers in place of a server."""

    browser: Browser
    serve: Serve | None = None
    _idle: dict[tuple[str, bool], list[Window]] = field(default_factory=lambda: defaultdict(list))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for kept in self._idle.values():
            while kept:
                await kept.pop().context.close()

    @asynccontextmanager
    async def open(self, variant: Variant, cookies: Cookies, *, javascript: bool = True) -> AsyncIterator[Window]:
        """A window that holds these cookies and nothing else. After a failure it isn't used again."""
        kept = self._idle[variant.language, javascript]
        one = kept.pop() if kept else await self._new(variant, javascript=javascript)
        try:
            await one.become(variant)
            await hand_over(one.context, cookies)
            yield one
            await one.forget()
        except BaseException:
            await one.context.close()
            raise
        kept.append(one)

    async def _new(self, variant: Variant, *, javascript: bool) -> Window:
        context = await window(self.browser, variant, javascript=javascript)
        if self.serve:
            await context.route("**/*", self.serve)
        if javascript:
            await context.add_init_script(WATCH)
        page = await context.new_page()
        wire = await context.new_cdp_session(page)
        await wire.send("Network.enable")
        return Window(context, page, wire)


def origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

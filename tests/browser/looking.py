"""One page opened in a real browser, and everything that the browser noticed meanwhile."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Frame, Page, Request, Response, Route

from tests.browser.chromium import HEIGHTS, window
from tests.browser.variants import Variant
from tests.browser.visits import Visit

HERE = Path(__file__).parent
WATCH = (HERE / "watch.js").read_text()
FUNCTIONS = (HERE / "measure.js").read_text().rstrip().removesuffix(";")
Serve = Callable[[Route], Awaitable[None]]
SETTLED = """async () => {
  await document.fonts.ready;
  for (let frame = 0; frame < 3; frame++) await new Promise((done) => requestAnimationFrame(done));
}"""


@dataclass
class Look:
    """What is open now."""

    context: BrowserContext
    page: Page
    answer: Response
    bytes: int = 0
    """Over the wire, compressed, with headers, of this page and all that it fetched."""
    requests: list[Request] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Of the console."""
    documents: list[Response] = field(default_factory=list)
    """The page and its frames."""

    @property
    def url(self) -> str:
        return self.page.url

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def loaded_frames(self) -> list[Frame]:
        """The page and its frames, without those that are never shown and so never loaded."""
        return [frame for frame in self.page.frames if frame.url]

    async def seen(self) -> dict[str, Any]:
        """What moved and what the policy stopped."""
        found: dict[str, Any] = await self.page.evaluate("window.stegvisSeen")
        return found

    async def become(self, variant: Variant) -> None:
        """The same window in other colours and another width."""
        await self.page.emulate_media(color_scheme=variant.scheme)
        await self.page.set_viewport_size({"width": variant.width, "height": HEIGHTS[variant.width]})
        await self.page.evaluate(SETTLED)

    async def measure(self, what: str) -> Any:
        """One of the functions of measure.js."""
        return await self.page.evaluate(f"{FUNCTIONS}.{what}()")


@asynccontextmanager
async def looking(
    browser: Browser, visit: Visit, variant: Variant, *, javascript: bool = True, serve: Serve | None = None
) -> AsyncIterator[Look]:
    """Opens the page with an empty cache and waits until its content is there. `serve`: answers in place of a server."""
    context = await window(browser, variant, visit.cookies, javascript=javascript)
    try:
        if serve:
            await context.route("**/*", serve)
        page = await context.new_page()
        await visit.stand(page)
        if javascript:
            await context.add_init_script(WATCH)
        yield await _open(context, page, visit, javascript=javascript)
    finally:
        await context.close()


async def _open(context: BrowserContext, page: Page, visit: Visit, *, javascript: bool) -> Look:
    wire = await context.new_cdp_session(page)
    await wire.send("Network.enable")
    await wire.send("Network.clearBrowserCache")
    sizes: dict[str, int] = {}

    def count(event: dict[str, Any]) -> None:
        sizes[event["requestId"]] = event["encodedDataLength"]

    wire.on("Network.loadingFinished", count)
    requests: list[Request] = []
    documents: list[Response] = []
    errors: list[str] = []

    def ask(request: Request) -> None:
        if request.is_navigation_request() and request.frame == page.main_frame and request.redirected_from is None:
            requests.clear()  # a login's visit comes past pages that aren't ours
            sizes.clear()
            errors.clear()
        requests.append(request)

    page.on("request", ask)
    page.on("response", lambda response: documents.append(response) if response.request.resource_type == "document" else None)
    page.on("console", lambda message: errors.append(_said(message)) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(f"script: {error}"))
    answer = await visit.go(page)
    await page.wait_for_load_state("load")
    if renews(answer):
        await page.evaluate("window.stop()")  # it would be renewed while it is looked at
    if javascript:
        await page.evaluate(SETTLED)
    shown = [each for each in documents if each.status < 300 or each.status >= 400]
    wanted = [each for each in requests if each.resource_type != "document" or each.frame != page.main_frame]
    own = [each for each in errors if not _is_about(each, answer)]
    return Look(context, page, answer, sum(sizes.values()), wanted, own, shown)


def renews(response: Response) -> bool:
    """Whether the browser asks again by itself, other than at once."""
    delay = response.headers.get("refresh", "").partition(";")[0].strip()
    return delay not in {"", "0"}


def _said(message: ConsoleMessage) -> str:
    return f"{message.text} {message.location.get('url', '')}".strip()


def _is_about(error: str, answer: Response) -> bool:
    """The console also names the status of the page itself, which is as it should be."""
    return answer.status >= 400 and error.startswith("Failed to load resource") and error.endswith(answer.url)

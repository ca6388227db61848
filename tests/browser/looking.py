"""One page opened in a real browser, and everything that the browser noticed meanwhile."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Error, Frame, Page, Request, Response

from tests.browser.variants import Variant
from tests.browser.visits import Visit
from tests.browser.windows import Window, Windows, origin

FUNCTIONS = (Path(__file__).parent / "measure.js").read_text().rstrip().removesuffix(";")
SETTLED = """async () => {
  await document.fonts.ready;
  for (let frame = 0; frame < 3; frame++) await new Promise((done) => requestAnimationFrame(done));
}"""


@dataclass
class Noticed:
    """What the browser did since the window last went somewhere."""

    page: Page
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes over the wire by request, compressed, with headers."""
    requests: list[Request] = field(default_factory=list)
    documents: list[Response] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def loaded(self, event: dict[str, Any]) -> None:
        self.sizes[event["requestId"]] = event["encodedDataLength"]

    def asked(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self.page.main_frame and request.redirected_from is None:
            self.requests.clear()  # a login's visit comes past pages that aren't ours
            self.sizes.clear()
            self.documents.clear()
            self.errors.clear()
        self.requests.append(request)

    def answered(self, response: Response) -> None:
        if response.request.resource_type == "document":
            self.documents.append(response)

    def said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location.get('url', '')}".strip())

    def failed(self, error: Error) -> None:
        self.errors.append(f"script: {error}")


@contextmanager
def noticing(window: Window) -> Iterator[Noticed]:
    """Listens to everything meanwhile."""
    noticed = Noticed(window.page)
    told: dict[Any, Any] = {
        "request": noticed.asked,
        "response": noticed.answered,
        "console": noticed.said,
        "pageerror": noticed.failed,
    }
    window.wire.on("Network.loadingFinished", noticed.loaded)
    for event, listener in told.items():
        window.page.on(event, listener)
    try:
        yield noticed
    finally:
        window.wire.remove_listener("Network.loadingFinished", noticed.loaded)
        for event, listener in told.items():
            window.page.remove_listener(event, listener)


@dataclass
class Look:
    """What is open now."""

    window: Window
    answer: Response
    noticed: Noticed
    bytes: int
    """Over the wire, of this page and all that it fetched before anything was changed."""

    @property
    def page(self) -> Page:
        return self.window.page

    @property
    def context(self) -> BrowserContext:
        return self.window.context

    @property
    def url(self) -> str:
        return self.page.url

    @property
    def origin(self) -> str:
        return origin(self.url)

    @property
    def requests(self) -> list[Request]:
        """Until now, without the page itself and what led to it."""
        return [each for each in self.noticed.requests if each.resource_type != "document" or each.frame != self.page.main_frame]

    @property
    def errors(self) -> list[str]:
        """Of the console until now."""
        return [each for each in self.noticed.errors if not _is_about(each, self.answer)]

    @property
    def documents(self) -> list[Response]:
        """The page and its frames."""
        return [each for each in self.noticed.documents if each.status < 300 or each.status >= 400]

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
        await self.window.become(variant)
        await self.page.evaluate(SETTLED)

    async def measure(self, what: str) -> Any:
        """One of the functions of measure.js."""
        return await self.page.evaluate(f"{FUNCTIONS}.{what}()")


@asynccontextmanager
async def looking(windows: Windows, visit: Visit, variant: Variant, *, javascript: bool = True) -> AsyncIterator[Look]:
    """Opens the page with an empty cache and waits until its content is there."""
    async with windows.open(variant, visit.cookies, javascript=javascript) as window:
        if visit.fields is not None:
            await window.stand_at(visit.url)
        with noticing(window) as noticed:
            answer = await visit.go(window.page)
            await window.page.wait_for_load_state("load")
            if renews(answer):
                await window.page.evaluate("window.stop()")  # it would be renewed while it is looked at
            if javascript:
                await window.page.evaluate(SETTLED)
            yield Look(window, answer, noticed, sum(noticed.sizes.values()))


def renews(response: Response) -> bool:
    """Whether the browser asks again by itself, other than at once."""
    delay = response.headers.get("refresh", "").partition(";")[0].strip()
    return delay not in {"", "0"}


def _is_about(error: str, answer: Response) -> bool:
    """The console also names the status of the page itself, which is as it should be."""
    return answer.status >= 400 and error.startswith("Failed to load resource") and error.endswith(answer.url)

"""People who try again: what failed is sent once more, exactly as it was, until it comes through."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import httpx

from deploy.local.journey.browser import Browser, NoSuchFormError, Page
from deploy.local.journey.people import StuckError

PATIENCE = 60.0
AWAY = frozenset({502, 503, 504})
TRIES = (StuckError, NoSuchFormError, httpx.TransportError)


class PatientBrowser(Browser):
    """Sends a request again, with the same fields, while its service is away: as somebody who presses the button again."""

    async def _once(
        self, method: str, url: str, data: dict[str, str] | None, came_from: str | None, extra: dict[str, str]
    ) -> httpx.Response:
        deadline = monotonic() + PATIENCE
        while True:
            try:
                response = await super()._once(method, url, data, came_from, extra)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code not in AWAY:
                return response
            if monotonic() > deadline:
                raise StuckError(f"{method} {url}: still away")
            await asyncio.sleep(0.2)


async def insist(step: Callable[[], Awaitable[Page]]) -> Page:
    """Begin the step anew until it succeeds."""
    deadline = monotonic() + PATIENCE
    while True:
        try:
            return await step()
        except TRIES:
            if monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)

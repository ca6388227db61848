"""Youths, helpers and clinicians who use the platform while it suffers; what they were answered goes into the ledger."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

from deploy.local.journey.browser import Browser, Page
from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, MUNICIPALITY, synthetic_number
from deploy.local.journey.people import Clinician, Helper, Youth
from deploy.local.journey.stories import Crew
from deploy.local.platform import Platform
from tests.faults.answers import phase_of, receipt_of
from tests.faults.ledger import Ledger, Phase
from tests.faults.patience import AWAY, TRIES, insist

PATIENCE = 90.0
ONLY_ASKS = ("/sted",)
"""Forms that only choose what the next page shows."""
PER_YOUTH = 3
"""Questions that one youth asks before another comes: as many as one may ask in an hour."""
SERIALS = itertools.cycle(range(300, 1000))
"""Of the invented people of these journeys, each a new one for as long as there are any; other tests have those before."""


class LedgerBrowser(Browser):
    """Sends a form again, with the same idempotency key, until it is answered; writes down each try."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    async def _once(
        self, method: str, url: str, data: dict[str, str] | None, came_from: str | None, extra: dict[str, str]
    ) -> httpx.Response:
        path, key = urlsplit(url).path, (data or {}).get("key")
        command = f"{path} {key}" if method == "POST" and key and not path.endswith(ONLY_ASKS) else ""
        deadline = time.monotonic() + PATIENCE
        while True:
            self._note(command, Phase.INVOKE)
            response = None
            try:
                response = await super()._once(method, url, data, came_from, extra)
            except httpx.TransportError:
                self._note(command, Phase.UNKNOWN)
            else:
                if response.status_code not in AWAY:
                    self._answered(command, path, response)
                    return response
                self._note(command, Phase.UNKNOWN)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} {urlsplit(url).path}: still away")
            await asyncio.sleep(0.2)

    def _answered(self, command: str, path: str, response: httpx.Response) -> None:
        location = response.headers.get("location", "") if response.is_redirect else ""
        phase = phase_of(response.status_code, location)
        self._note(command, phase)
        if command and phase is Phase.OK and (receipt := receipt_of(path, location, response.text)):
            self._ledger.receipts[command] = receipt

    def _note(self, command: str, phase: Phase) -> None:
        if command:
            self._ledger.note(command, phase, time.monotonic())


@dataclass
class Load:
    """Everybody who uses the platform during a run."""

    platform: Platform
    crew: Crew
    ledger: Ledger = field(default_factory=Ledger)
    given_up: list[str] = field(default_factory=list)
    """Stories that a person gave up in the middle of: the platform had no answer for her in time, or another page than she needed."""
    journeys: int = 0
    claims: dict[str, list[str]] = field(default_factory=dict)
    """Handoff -> who of two that had its secret was let in with it."""
    helper: Helper = field(init=False)
    clinician: Clinician = field(init=False)
    _queue: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One at a time in the queue, so that the helper takes the one who waits for her."""

    @asynccontextmanager
    async def running(self, askers: int, chatters: int, travellers: int) -> AsyncIterator[None]:
        """So many of each, over and over, until the block ends; stories under way are finished."""
        stop = asyncio.Event()
        self.helper = Helper(self.platform.urls, LedgerBrowser(self.ledger))
        self.clinician = Clinician(self.platform.urls, LedgerBrowser(self.ledger))
        await self.helper.goes_on_duty(CHAT_HELPER, self.crew.cast.chat_service, 5)
        kinds = [(self.asks, askers), (self.queues, chatters), (self.travels, travellers)]
        tasks = [asyncio.create_task(self._again(story, stop)) for story, number in kinds for _ in range(number)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait(tasks, timeout=2 * PATIENCE)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.helper.leaves()
            await self.clinician.leaves()

    async def _again(self, story: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await story()
            except Exception as error:  # whatever a person stumbles over, the next one comes
                self.given_up.append(f"{story.__name__}: {type(error).__name__} {str(error)[:160]}")
                await asyncio.sleep(0.5)

    async def asks(self) -> None:
        """A youth asks the panel some questions."""
        youth = Youth(self.platform.urls, LedgerBrowser(self.ledger))
        try:
            await youth.searches("søvn")
            for _ in range(PER_YOUTH):
                await youth.asks("Er det vanlig å ha det sånn?", "body", "13_15", publish=False)
        finally:
            await youth.leaves()

    async def queues(self) -> None:
        """A youth asks for a chat, and leaves the queue again."""
        youth = Youth(self.platform.urls, LedgerBrowser(self.ledger))
        try:
            async with self._queue:
                await youth.asks_to_chat(self.crew.cast.chat_service, "family", "16_17")
                await youth.leaves_queue()
        finally:
            await youth.leaves()

    async def travels(self) -> None:
        """A youth goes from the queue to an appointment; somebody else has her secret too and says yes in the same moment."""
        youth, rival = Youth(self.platform.urls, LedgerBrowser(self.ledger)), Youth(self.platform.urls, LedgerBrowser(self.ledger))
        talk = None
        try:
            async with self._queue:
                await youth.asks_to_chat(self.crew.cast.chat_service, "family", "13_15")
                talk = await self._taken(youth)
            await youth.says("Jeg trenger noen å snakke med.")
            await self.helper.offers_to_go_on(talk, "family", "soon", "")
            border = await youth.goes_on()
            asked = [await self._comes_with(border, person) for person in (youth, rival)]
            yes = [person.says_it_is_her(page) for person, page in zip((youth, rival), asked, strict=True)]
            welcome = [
                not isinstance(page, Exception) and "/reise/" in page.html for page in await asyncio.gather(*yes, return_exceptions=True)
            ]
            self.claims[talk.url] = [name for name, won in zip(("youth", "rival"), welcome, strict=True) if won]
            if "youth" not in self.claims[talk.url]:
                return  # the other one was quicker
            await youth.takes_in()
            await youth.wishes(MUNICIPALITY, self.crew.cast.unit)
            await self.clinician.offers_time(CLINICIAN)
            await youth.accepts_time()
            await youth.ends_chat()
            talk = None
            self.journeys += 1
        finally:
            if talk is not None:
                with suppress(*TRIES, TimeoutError):  # else nobody would have a free place at last
                    await self.helper.browser.submit((await self.helper.sees(talk)).form("/avslutt"))
            await youth.leaves()
            await rival.leaves()

    async def _taken(self, youth: Youth) -> Page:
        """The helper takes this youth's chat; whom an earlier story left in the queue is let go."""
        while True:
            talk = await self.helper.takes_next()
            if (await youth.browser.get(self.platform.urls["dialog"] + "/chat/venter")).has_form("/chat/samtale"):
                return talk
            await self.helper.browser.submit(talk.form("/avslutt"))

    async def _comes_with(self, border: Page, person: Youth) -> Page:
        await person.carries(border)
        number = synthetic_number(next(SERIALS))

        async def logs_in() -> Page:
            return await person.logs_in_here(await person.opens("helpjourney", "/inn"), number)

        return await insist(logs_in)

"""One journey from the queue to a booked appointment, with a moment at which something may happen in each step."""

import asyncio
from collections import Counter
from collections.abc import Callable
from time import monotonic

from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, synthetic_number
from deploy.local.journey.people import Clinician, Helper, Youth
from deploy.local.journey.stories import Crew
from deploy.local.journey.timeline import Watch
from deploy.local.platform import Platform
from tests.faults.patience import PatientBrowser, insist

STEPS = ("queue", "chat", "yes", "carry", "login", "bind", "wish", "offer", "accept", "end")
SETTLE = 60.0
"""Seconds after healing by which everything that was told must be known (the promise of delivery)."""

ONE_OF_EACH = (
    "dialog.chat.requested.v1",
    "dialog.chat.queued.v1",
    "dialog.chat.accepted.v1",
    "dialog.chat.ended.v1",
    "dialog.handoff.offered.v1",
    "helpjourney.claims.counted.v1",
    "helpjourney.journey.started.v1",
    "helpjourney.appointment.wished.v1",
    "helpjourney.appointment.offered.v1",
    "helpjourney.appointment.booked.v1",
)

Fault = Callable[[], None]


class FaultyJourney:
    """Walks the journey; `fault` strikes while step `at` is under way."""

    def __init__(self, platform: Platform, crew: Crew, serial: int, at: str, fault: Fault) -> None:
        self.platform, self.crew, self.person = platform, crew, synthetic_number(serial)
        self.at, self.fault = at, fault
        self.youth = Youth(crew.urls, PatientBrowser())
        self.helper = Helper(crew.urls, PatientBrowser())
        self.clinician = Clinician(crew.urls, PatientBrowser())

    async def walk(self) -> None:
        service, youth = self.crew.cast.chat_service, self.youth
        await self.helper.goes_on_duty(CHAT_HELPER, service, 3)
        await self._step("queue", lambda: youth.asks_to_chat(service, "family", "13_15"))
        talk = await self._step("chat", self.helper.takes_next)
        await youth.waits_for_helper()
        await youth.says("Jeg trenger noen å snakke med.")
        await self.helper.offers_to_go_on(talk, "family", "soon", "")
        border = await self._step("yes", youth.goes_on)
        await self._step("carry", lambda: youth.carries(border))
        asked = await self._step("login", lambda: insist(self._logs_in))
        await self._step("bind", lambda: youth.says_it_is_her(asked))
        await youth.takes_in()
        await self._step("wish", lambda: youth.wishes("0301", self.crew.cast.unit))
        await self._step("offer", lambda: self.clinician.offers_time(CLINICIAN))
        await self._step("accept", youth.accepts_time)
        await self._step("end", youth.ends_chat)
        await self.helper.ends_shift()
        for person in (youth, self.helper, self.clinician):
            await person.leaves()

    async def _logs_in(self):
        return await self.youth.logs_in_here(await self.youth.opens("helpjourney", "/inn"), self.person)

    async def _step(self, name, act):
        if name != self.at:
            return await act()
        striking = asyncio.create_task(self._strike())
        try:
            return await act()
        finally:
            await striking

    async def _strike(self) -> None:
        await asyncio.sleep(0.02)
        await asyncio.to_thread(self.fault)


async def told(watch: Watch, expected=ONE_OF_EACH) -> Counter[str]:
    """What Kafka was told, once everything expected has come, and a little longer in case something comes twice."""
    deadline = monotonic() + SETTLE
    while set(expected) - set(watch.seen) and monotonic() < deadline:
        await watch.new(wait_ms=200)
    for _ in range(10):
        await watch.new(wait_ms=100)
    return Counter(watch.seen)


async def quiet(watch: Watch) -> None:
    """Wait until what earlier journeys led to has been told: buckets close by the clock."""
    while [name for name in await watch.new(wait_ms=3500) if not name.endswith((".counted.v1", ".measured.v1"))]:
        pass
    watch.seen.clear()

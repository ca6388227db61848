"""The running platform and those at work there, for bringing about the states that pages are looked at in."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TypeVar

from deploy.local.journey.browser import Browser as Walker
from deploy.local.journey.browser import Page
from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, EDITOR, PANEL, Cast, cast, synthetic_number
from deploy.local.journey.people import Clinician, Editor, Expert, Helper, Staff, Youth
from deploy.local.platform import Platform

INFO_EDITOR, OPERATOR = "info-editor-1", "operator-1"
Somebody = TypeVar("Somebody", bound=Staff)
SERIALS = count(300)
"""Of the invented numbers that nobody else logs in with: each is used once, whoever's scene it is."""


@dataclass
class Scene:
    """One lane's people. Two lanes go on beside each other, each with its own."""

    platform: Platform
    serials: "count[int]" = SERIALS
    cast: Cast = field(default_factory=cast)
    _left: list[Staff] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.panel, self.editor = self._employ(Expert(self.urls)), self._employ(Editor(self.urls))
        self.helper = self._employ(Helper(self.urls))
        self.clinician, self.other_clinician = self._employ(Clinician(self.urls)), self._employ(Clinician(self.urls))

    @property
    def urls(self) -> Mapping[str, str]:
        return self.platform.urls

    def _employ(self, person: Somebody) -> Somebody:
        self._left.append(person)
        return person

    @asynccontextmanager
    async def youth(self) -> AsyncIterator[Youth]:
        """A youth with a browser of her own, closed afterwards."""
        youth = Youth(self.urls)
        try:
            yield youth
        finally:
            await youth.leaves()

    @asynccontextmanager
    async def known_youth(self, number: str = "") -> AsyncIterator[Youth]:
        """A youth who came straight in, logged in and said that it's her."""
        async with self.youth() as youth:
            await self.logs_in(youth, number)
            await youth.takes_in()
            yield youth

    async def logs_in(self, youth: Youth, number: str = "", *, says_yes: bool = True, level: str = "substantial") -> Page:
        """At helpjourney; with a number that nobody has used before unless one is given."""
        page = await youth.opens("helpjourney", "/logg-inn")
        page = await youth.logs_in(page, number or self.new_number(), level)
        return await youth.says_it_is_her(page) if says_yes else page

    def new_number(self) -> str:
        """An invented national identity number."""
        return synthetic_number(next(self.serials))

    async def enters(self, walker: Walker, service: str, path: str, person: str) -> Page:
        """As far as this person's login leads, which may be a refusal."""
        page = await walker.get(self.urls[service] + path)
        if "/logg-inn" in page.url:
            page = await walker.get(page.link("/start"))
            form = page.form(field="level")
            page = await walker.submit(form, {"pid" if person in form.choices["pid"] else "other": person, "level": "high"})
        return page

    async def at_panel(self, path: str = "/ansatt/sporsmal") -> Page:
        return await self.panel.starts("dialog", path, PANEL)

    async def at_editors_desk(self, path: str = "/ansatt/sporsmal") -> Page:
        return await self.editor.starts("dialog", path, EDITOR)

    async def at_desk(self) -> Page:
        return await self.helper.starts("dialog", "/ansatt/samtaler", CHAT_HELPER)

    async def at_clinic(self, path: str = "/ansatt/i-dag") -> Page:
        return await self.clinician.starts("helpjourney", path, CLINICIAN)

    @asynccontextmanager
    async def later(self, service: str, minutes: float) -> AsyncIterator[None]:
        """This service's clock is ahead meanwhile. Nothing else may go on beside."""
        async with self.changed(service, {"CLOCK_OFFSET_SECONDS": str(60 * minutes)}, {"CLOCK_OFFSET_SECONDS": "0"}):
            yield

    @asynccontextmanager
    async def changed(self, service: str, settings: Mapping[str, str], back: Mapping[str, str]) -> AsyncIterator[None]:
        """This service runs with other settings meanwhile. Nothing else may go on beside."""
        await asyncio.to_thread(partial(self.platform.restart, service, **settings))
        try:
            yield
        finally:
            await asyncio.to_thread(partial(self.platform.restart, service, **back))

    @asynccontextmanager
    async def without(self, service: str) -> AsyncIterator[None]:
        """This service is down meanwhile."""
        await asyncio.to_thread(self.platform.kill, service)
        try:
            yield
        finally:
            await asyncio.to_thread(self.platform.restart, service)

    async def leave(self) -> None:
        """Closes everybody's browser."""
        for person in self._left:
            await person.leaves()

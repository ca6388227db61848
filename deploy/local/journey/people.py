"""The people of the walk: what a youth and those who help her do, one page at a time."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from deploy.local.journey.browser import Browser, Page

PATIENCE = 30.0
"""Seconds that somebody waits for what another person or service has to do."""
PAUSE = 0.15


class StuckError(AssertionError):
    """A page did not become what the next step needs."""


async def until(look: Callable[[], Awaitable[Page]], ready: Callable[[Page], bool], what: str) -> Page:
    """Look again and again, as a person presses "oppdater"."""
    deadline = monotonic() + PATIENCE
    while True:
        page = await look()
        if ready(page):
            return page
        if monotonic() > deadline:
            raise StuckError(f"{what}: {page.status} {page.url}: {page.text[:300]}")
        await asyncio.sleep(PAUSE)


def fine(page: Page) -> Page:
    """The page, if it isn't an error."""
    if page.status >= 400:
        raise StuckError(f"{page.status} {page.url}: {page.text[:300]}")
    return page


@dataclass
class Person:
    """Somebody with a browser."""

    urls: Mapping[str, str]
    browser: Browser = field(default_factory=Browser)

    async def opens(self, service: str, path: str) -> Page:
        return fine(await self.browser.get(self.urls[service] + path))

    async def logs_in(self, page: Page, person: str, level: str) -> Page:
        """From the page before the login, through the test login, to where one wanted to go."""
        at_provider = page if page.has_form(field="level") else fine(await self.browser.get(page.link("/start")))
        if not at_provider.has_form(field="level"):
            return at_provider  # a login at the provider that still lives
        form = at_provider.form(field="level")
        return fine(await self.browser.submit(form, {"pid" if person in form.choices["pid"] else "other": person, "level": level}))

    async def leaves(self) -> None:
        await self.browser.__aexit__(None, None, None)


@dataclass
class Youth(Person):
    """A youth. She knows addresses and what stands on the page, nothing else."""

    async def searches(self, words: str) -> Page:
        front = await self.opens("info", "/")
        return fine(await self.browser.submit(front.form("/sok"), {"q": words}))

    async def asks(self, text: str, topic: str, age: str, publish: bool) -> str:
        """Asks the panel, also what may show who she is. Returns the receipt code that the page shows."""
        page = await self.opens("dialog", "/spor")
        values = {"text": text, "topic": topic, "age": age, "publish": "yes" if publish else "no"}
        page = await self.browser.submit(page.form("/spor"), values)
        if page.has_form("/spor") and "seen" in page.form("/spor").choices:
            page = await self.browser.submit(page.form("/spor"), values | {"seen": "yes"})
        return code_on(fine(page))

    async def looks_for_answer(self, code: str) -> Page:
        page = await self.opens("dialog", "/svar")
        return fine(await self.browser.submit(page.form("/svar"), {"code": code}))

    async def reads_answer(self, code: str, expected: str) -> Page:
        return await until(lambda: self.looks_for_answer(code), lambda page: expected in page.text, "answer")

    async def asks_to_chat(self, service: str, topic: str, age: str) -> Page:
        def open_now(page: Page) -> bool:
            return page.has_form("/chat", field="topic") and service in page.form("/chat", field="topic").choices["service"]

        page = await until(lambda: self.opens("dialog", "/chat"), open_now, "an open chat")
        return fine(await self.browser.submit(page.form("/chat", field="topic"), {"service": service, "topic": topic, "age": age}))

    async def waits_for_helper(self) -> Page:
        return await until(lambda: self.opens("dialog", "/chat/venter"), lambda page: page.has_form("/chat/samtale"), "a helper")

    async def leaves_queue(self) -> Page:
        page = await self.opens("dialog", "/chat/venter")
        return fine(await self.browser.submit(page.form("/chat/forlat")))

    async def says(self, text: str) -> Page:
        page = await self.opens("dialog", "/chat/samtale")
        return fine(await self.browser.submit(page.form("/chat/samtale"), {"text": text}))

    async def reads(self, text: str) -> Page:
        return await until(lambda: self.opens("dialog", "/chat/samtale"), lambda page: text in page.text, "a message")

    async def goes_on(self, own: str = "", device: str = "same") -> Page:
        """Sees what would travel, ticks the first sentence if there is one, adds one of her own, and says yes."""
        talk = await until(lambda: self.opens("dialog", "/chat/samtale"), lambda page: page.has_link("/videre"), "the offer to go on")
        form = fine(await self.browser.get(talk.link("/videre"))).form("/videre", field="own")
        chosen = {"include_1": "yes"} if "include_1" in form.choices else {}
        return fine(await self.browser.submit(form, {"own": own, "device": device, **chosen}, button="Ja"))

    async def carries(self, page: Page) -> Page:
        """Presses the button that posts her secret to the other host."""
        return fine(await self.browser.submit(page.form("/inn", field="secret")))

    async def types_code(self, code: str) -> Page:
        page = await self.opens("helpjourney", "/inn")
        return fine(await self.browser.submit(page.form("/inn/kode"), {"code": code}))

    async def logs_in_here(self, page: Page, person: str) -> Page:
        return await self.logs_in(page, person, "substantial")

    async def says_it_is_her(self, page: Page) -> Page:
        return fine(await self.browser.submit(page.form("/er-det-deg")))

    async def takes_in(self) -> Page:
        """Her own page; fetches what arrived after the login, waits for what is on its way, or begins without."""

        async def look() -> Page:
            page = await self.opens("helpjourney", "/")
            if page.has_form("/inn/hent"):
                return fine(await self.browser.submit(page.form("/inn/hent")))
            on_its_way = page.has_form("/inn/ikke-mitt")
            return page if on_its_way or not page.has_form("/begynn") else fine(await self.browser.submit(page.form("/begynn")))

        return await until(look, lambda page: "/reise/" in page.html, "her page")

    async def wishes(self, municipality: str, unit: str) -> Page:
        page = await self.opens("helpjourney", "/")
        page = fine(await self.browser.get(wish_link(page)))
        page = fine(await self.browser.submit(page.form("/sted"), {"municipality": municipality}))
        return fine(await self.browser.submit(page.form("/time", field="note"), {"unit": unit, "suits": "after_school", "reminds": "yes"}))

    async def calls_off(self, page: Page) -> Page:
        return fine(await self.browser.submit(page.form("/avlys")))

    async def accepts_time(self) -> Page:
        async def look() -> Page:
            page = await self.opens("helpjourney", "/")
            for address in dict.fromkeys(link for link in page.links if "/time/" in link):
                page = fine(await self.browser.get(address))
                if page.has_form("/velg"):
                    break
            return page

        page = await until(look, lambda page: page.has_form("/velg"), "a time to choose")
        form = page.form("/velg")
        return fine(await self.browser.submit(form, {"slot": form.choices["slot"][0]}))

    async def ends_chat(self) -> Page:
        page = await self.opens("dialog", "/chat/samtale")
        return fine(await self.browser.submit(page.form("/chat/avslutt")))


@dataclass
class Staff(Person):
    """Somebody at work, at one service's staff pages."""

    async def starts(self, service: str, path: str, person: str) -> Page:
        page = await self.opens(service, path)
        return await self.logs_in(page, person, "high") if "/ansatt/logg-inn" in page.url else page


@dataclass
class Helper(Staff):
    """A helper at the chat desk."""

    async def goes_on_duty(self, person: str, service: str, capacity: int) -> Page:
        def known(page: Page) -> bool:
            return page.has_form("/vakt") or page.has_form("/pause")

        page = await until(lambda: self.starts("dialog", "/ansatt/samtaler", person), known, "a service in dialog's register")
        if page.has_form("/pause"):
            return page
        form = page.form("/vakt")
        return fine(await self.browser.submit(form, {"service": service, "capacity": str(capacity)}))

    async def ends_shift(self) -> None:
        page = await self.opens("dialog", "/ansatt/samtaler")
        if page.has_form("/pause"):
            fine(await self.browser.submit(page.form("/pause")))

    async def takes_next(self) -> Page:
        page = await until(lambda: self.opens("dialog", "/ansatt/samtaler"), lambda page: page.has_form("/ta"), "somebody in the queue")
        return fine(await self.browser.submit(page.form("/ta")))

    async def answers(self, talk: Page, text: str) -> Page:
        return fine(await self.browser.submit((await self.sees(talk)).form("/svar"), {"text": text}))

    async def offers_to_go_on(self, talk: Page, need: str, urgency: str, summary: str) -> Page:
        form = (await self.sees(talk)).form("/videre")
        return fine(await self.browser.submit(form, {"need": need, "urgency": urgency, "summary": summary}))

    async def sees(self, talk: Page) -> Page:
        return fine(await self.browser.get(talk.url))


@dataclass
class Expert(Staff):
    """Somebody of the panel that answers questions."""

    async def answers_next(self, person: str, text: str) -> str:
        """Takes the first question of the queue and answers it. Returns the question's address."""
        page = await self.starts("dialog", "/ansatt/sporsmal", person)
        page = fine(await self.browser.get(page.link("/ansatt/sporsmal/")))
        address = page.url
        page = fine(await self.browser.submit(page.form("/ta")))
        await self.browser.submit(page.form("/svar"), {"answer": text, "profession": "Helsesykepleier"}, button="Send svaret")
        return address


@dataclass
class Editor(Staff):
    """Somebody who makes answers ready for the open pages."""

    async def publishes(self, person: str, address: str, title: str) -> Page:
        await self.starts("dialog", "/ansatt/sporsmal", person)
        page = fine(await self.browser.get(address + "/publiser"))
        form = page.form("/publiser")
        return fine(await self.browser.submit(form, {"title": title} | ({"seen": "yes"} if "seen" in form.choices else {})))


@dataclass
class Clinician(Staff):
    """A clinician with a list for today."""

    async def offers_time(self, person: str, after: timedelta = timedelta(hours=20)) -> Page:
        """Opens the cases of today's list until there is a wish without an offer, and offers one time."""
        await self.starts("helpjourney", "/ansatt/i-dag", person)
        page = await until(self.next_wish, is_wish, "a wish")
        start = (datetime.now(UTC) + after).astimezone(ZoneInfo("Europe/Oslo"))
        return fine(await self.browser.submit(page.form("/tilby"), {"start": start.strftime("%Y-%m-%dT%H:%M")}))

    async def next_wish(self) -> Page:
        page = await self.opens("helpjourney", "/ansatt/i-dag")
        for address in [link for link in page.links if "/ansatt/sak/" in link]:
            page = fine(await self.browser.get(address))
            if is_wish(page):
                break
        return page


def is_wish(page: Page) -> bool:
    """A case where the youth waits for a first offer."""
    return page.has_form("/tilby") and "Foreslått" not in page.text


CODE = re.compile(r">\s*((?:[0-9A-HJKMNP-TV-Z]{4}-)+[0-9A-HJKMNP-TV-Z]{1,4})\s*<")


def code_on(page: Page) -> str:
    """The code that the page shows once: groups of four characters, on its own."""
    found = CODE.search(page.html)
    if found is None:
        raise StuckError(f"{page.url}: no code is shown")
    return found[1]


def wish_link(page: Page) -> str:
    """The link to the form for a wish."""
    for address in page.links:
        if "/reise/" in address and address.endswith("/time"):
            return address
    raise StuckError(f"{page.url}: no way to wish an appointment")

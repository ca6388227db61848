"""A person with a real browser: fills in what stands on the page and presses what can be pressed, whatever language it is in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic

from playwright.async_api import Browser, BrowserContext, Error, Frame, Locator, Page, expect

from tests.browser.chromium import LOCALES

PATIENCE = 20_000
"""Milliseconds: the machine may be busy."""
LOOKS_EVERY = 200
"""Milliseconds."""
LAST = 12
"""Steps of her way that an error tells of."""

expect.set_options(timeout=PATIENCE)

NETWORK = "ERR_NETWORK_CHANGED"
"""Chromium gives up what is under way when an interface of the machine comes or goes, as a container's does; no page can help it."""

SHOWN = "document.body ? document.body.innerText : ''"
SOURCE = "document.documentElement ? document.documentElement.outerHTML : ''"


class Script(StrEnum):
    """What becomes of the pages' scripts."""

    ON = "with script"
    OFF = "without script"
    BROKEN = "script that never arrives"


@dataclass
class Phone:
    """One browser. `urls`: service name -> public address."""

    urls: Mapping[str, str]
    context: BrowserContext
    page: Page
    script: Script
    complaints: list[str] = field(default_factory=list)
    """Errors of the console, uncaught exceptions, answers of 500 and above."""
    way: list[str] = field(default_factory=list)
    """The pages that were asked for and that came, with the seconds of a clock."""

    async def opens(self, service: str, path: str = "/") -> None:
        try:
            await self.page.goto(self.urls[service] + path)
        except Error as error:
            if NETWORK not in str(error):
                raise
            await self.page.goto(self.urls[service] + path)

    def form(self, action: str, having: str = "") -> Locator:
        """The form whose action ends so, and that has a field of this name."""
        form = self.page.locator(f'form[action$="{action}"]')
        return form.filter(has=self.page.locator(f'[name="{having}"]')).first if having else form.first

    async def fills(self, form: Locator, values: Mapping[str, str]) -> None:
        """Each field as a person would: ticks, chooses, writes."""
        for name, value in values.items():
            chosen = form.locator(f'input[name="{name}"][value="{value}"]')
            if await chosen.count():
                await chosen.first.check(force=True)  # its label lies over it and takes the press
                continue
            written = form.locator(f'[name="{name}"]').first
            if await written.evaluate("each => each.tagName") == "SELECT":
                await written.select_option(value)
            else:
                await written.fill(value)

    async def sends(self, action: str, values: Mapping[str, str] | None = None, *, having: str = "", answer: str = "") -> None:
        """Fills the form in and presses its button: the first, or the one that answers so."""
        form = self.form(action, having)
        await self.fills(form, values or {})
        await self.presses(form, answer)

    async def presses(self, form: Locator, answer: str = "") -> None:
        """Sends a form, and waits for the page that answers."""
        buttons = form.locator("button[type=submit], button:not([type])")
        async with self.page.expect_navigation(wait_until="load"):
            await (form.locator(f'button[value="{answer}"]') if answer else buttons).first.click()

    async def says(self, text: str) -> None:
        """Writes in the chat. With script the page stays; without it comes anew."""
        form = self.form("/chat/samtale", "text")
        await self.fills(form, {"text": text})
        if self.script is Script.ON:
            await form.locator("button[type=submit], button:not([type])").first.click()
            await expect(form.locator('[name="text"]')).to_have_value("")
        else:
            await self.presses(form)

    async def follows(self, part: str) -> None:
        """Presses the first link whose address contains this."""
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.locator(f'main a[href*="{part}"]').first.click()

    async def sees(self, text: str) -> None:
        await expect(self.page.locator("main")).to_contain_text(text)

    async def reads(self) -> str:
        """Everything that can be read on the page and in its frames now."""
        shown = [frame for frame in self.page.frames if frame is self.page.main_frame or frame.url.startswith("http")]
        return " ".join([await self._of(frame, SHOWN) for frame in shown])  # one that never loads would be waited for without end

    async def source(self) -> str:
        """The page as it stands, also what isn't shown."""
        return await self._of(self.page.main_frame, SOURCE)

    async def _of(self, frame: Frame, what: str) -> str:
        """Asked again when the page (which may renew itself) gave way to another in the midst of it."""
        for _ in range(PATIENCE // LOOKS_EVERY):
            try:
                return str(await frame.evaluate(what))
            except Error as error:
                if frame.is_detached():
                    return ""
                if "navigat" not in str(error) and "context" not in str(error):
                    raise
                await self.page.wait_for_timeout(LOOKS_EVERY)
        raise AssertionError(f"never stood still: {frame.url}")

    async def finds(self, text: str) -> str:
        """What can be read, once this is there: on the page or in a frame that may still be on its way."""
        for _ in range(PATIENCE // LOOKS_EVERY):
            if text in (seen := await self.reads()):
                return seen
            await self.page.wait_for_timeout(LOOKS_EVERY)
        raise AssertionError(f"never came: {text!r} in {seen}")

    async def logs_in(self, person: str, level: str = "substantial") -> None:
        """From the page before the login through the test login."""
        if await self.page.locator('input[name="level"]').count() == 0:
            await self.follows("/start")
        form = self.page.locator("form").filter(has=self.page.locator('[name="level"]')).first
        listed = await form.locator(f'input[name="pid"][value="{person}"]').count()
        await self.fills(form, {"pid" if listed else "other": person, "level": level})
        await self.presses(form)


@asynccontextmanager
async def phone(
    browser: Browser, urls: Mapping[str, str], script: Script = Script.ON, language: str = "nb", width: int = 390
) -> AsyncIterator[Phone]:
    """A fresh browser of this width. With `Script.BROKEN` every script is asked for and none comes."""
    context = await browser.new_context(
        locale=LOCALES[language],
        viewport={"width": width, "height": 844},
        java_script_enabled=script is not Script.OFF,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    if script is Script.BROKEN:
        await context.route("**/*.js", lambda route: route.abort())
    page = await context.new_page()
    person = Phone(urls, context, page, script)
    _listen(person)
    try:
        yield person
    except Exception as error:
        error.add_note("\n".join([f"{script}, {language}, {width} px, at {page.url}", *person.way[-LAST:], *person.complaints]))
        raise
    finally:
        await context.close()


def _listen(person: Phone) -> None:
    def went(what: str) -> None:
        person.way.append(f"{monotonic():.3f} {what}")

    def console(message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        if kind == "error" and NETWORK not in text and not (person.script is Script.BROKEN and "ERR_FAILED" in text):
            person.complaints.append(text)

    person.page.on("request", lambda asked: went(f"{asked.method} {asked.url}") if asked.is_navigation_request() else None)
    person.page.on("requestfailed", lambda asked: went(f"{asked.failure}: {asked.url}") if asked.is_navigation_request() else None)
    person.page.on("framenavigated", lambda frame: went(f"came: {frame.url}"))
    person.page.on("console", console)
    person.page.on("pageerror", lambda error: person.complaints.append(str(error)))
    person.page.on("response", lambda answer: person.complaints.append(answer.url) if answer.status >= 500 else None)

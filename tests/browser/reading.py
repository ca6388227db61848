"""Checks that change the window or press keys: narrow screens, wide text, the keyboard, no scripts."""

import re

from tests.browser.checks import MOST_STOPS, Fault, faults
from tests.browser.looking import FUNCTIONS, Look, looking
from tests.browser.variants import PLAIN
from tests.browser.visits import Visit
from tests.browser.windows import Windows

NARROW = {"width": 320, "height": 640}
"""A window of 1280 at 400 %, and the narrowest phone (WCAG 1.4.10)."""


async def reflow(look: Look) -> list[Fault]:
    """At 320 CSS pixels one scrolls down only, also with the spacing that a reader may need (WCAG 1.4.12); no text is lost."""
    await look.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    found = faults("reflow", await look.measure("tooWide"))
    await look.measure("spaceOut")
    found += faults("spacing", await look.measure("tooWide"))
    return found + faults("spacing", await look.measure("clipped"))


INNER_STOPS = 8
"""A field for a date and time has a stop for each of its parts and one for the calendar; more is a trap."""


async def keyboard(look: Look) -> list[Fault]:
    """Tab leads past everything and out again; one always sees where one is (WCAG 2.1.2, 2.4.7, 2.4.11)."""
    found: dict[str, Fault] = {}
    await look.page.evaluate(f"window.stegvisMeasure = {FUNCTIONS}; window.stegvisMeasure.rememberLooks()")
    passed: list[str] = []
    for _ in range(MOST_STOPS):
        await look.page.keyboard.press("Tab")
        now = await look.page.evaluate("window.stegvisMeasure.focused()")
        if now is None or now["key"] in passed[:1]:
            break
        if passed[-INNER_STOPS:] == [now["key"]] * INNER_STOPS:
            found["trap"] = Fault("keyboard", f"trap at {now['name']}")
            break
        passed.append(now["key"])
        if not now["visible"]:
            found[now["key"]] = Fault("focus", f"not seen on {now['name']}")
        elif not now["shown"] or now["covered"]:
            found[now["key"]] = Fault("focus", f"hidden: {now['name']} {now['covered'] and 'under ' + now['covered']}")
    else:
        found["end"] = Fault("keyboard", f"no end after {MOST_STOPS} stops")
    if len(passed) < 3:
        found["few"] = Fault("keyboard", f"only {len(passed)} stops")
    return list(found.values())


async def without_javascript(windows: Windows, visit: Visit, look: Look) -> list[Fault]:
    """The same main content and the same forms for who has no scripts; `look` is the page with them, in the plain variant."""
    async with looking(windows, visit, PLAIN, javascript=False) as plain:
        if not await differences(look, plain):
            return []
    # what is open, and for how long one waits, may have changed between the two looks: both are taken anew
    async with looking(windows, visit, PLAIN) as again, looking(windows, visit, PLAIN, javascript=False) as plain:
        return await differences(again, plain)


async def differences(look: Look, plain: Look) -> list[Fault]:
    """What `plain`, or a frame in it, lacks of `look`."""
    text, forms = await look.measure("text"), await look.measure("forms")
    frames = [str(await frame.evaluate("document.body.innerText")) for frame in plain.loaded_frames[1:]]
    readable = _words("\n".join([await plain.measure("text"), *frames]))
    missing = [line for line in text.splitlines() if line.strip() and not _words(line) <= readable]
    found = [f"{plain.answer.status} instead of {look.answer.status}"] if plain.answer.status != look.answer.status else []
    found += [f"text: {line[:60]}" for line in missing]
    found += [f"form: {form}" for form in sorted(set(forms) - set(await plain.measure("forms")))]
    return faults("without javascript", found)


def _words(text: str) -> set[str]:
    """Without numbers, which may be a time."""
    return set(re.findall(r"[^\W\d]+", text.lower()))

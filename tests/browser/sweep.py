"""Looks at every page of the list in its variants, and counts what is wrong."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from playwright.async_api import Browser

from deploy.local.platform import Platform
from tests.browser import checks, reading
from tests.browser.checks import Fault
from tests.browser.lanes import each_page
from tests.browser.looking import Look, looking
from tests.browser.page_list import ROWS, START_PAGE
from tests.browser.routes import GATEWAY
from tests.browser.scene import Scene
from tests.browser.variants import PLAIN, Variant, variants_for
from tests.browser.visits import Row, Visit
from tests.browser.windows import Windows

Tell = Callable[[str], None]
PATIENCE = 180
"""Seconds for one page in all its variants."""
LOOKS_AGAIN = 2
"""How often a page is loaded anew that moved while it was drawn: a busy machine may paint half a page, a real shift comes every time."""


@dataclass
class Seen:
    """One page of the list, and what was seen on it."""

    row: Row
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    """By variant; `page` for what was looked at once."""
    variants: int = 0
    bytes: int = 0
    plain: bool = False
    """It was looked at without scripts and was the same."""
    texts: dict[str, str] = field(default_factory=dict)
    """The main text by language."""
    seconds: float = 0

    @property
    def all_faults(self) -> list[tuple[str, Fault]]:
        return [(variant, fault) for variant, found in self.faults.items() for fault in found]


@dataclass
class Report:
    """All pages."""

    seen: list[Seen] = field(default_factory=list)
    seconds: float = 0

    @property
    def line(self) -> str:
        """The sum, as it is printed."""
        found = Counter(fault.check for each in self.seen for _, fault in each.all_faults)
        pages = len(self.seen)
        return (
            f"pages: pages={pages} variants={sum(each.variants for each in self.seen)} axe={found['axe']} "
            f"nojs={sum(each.plain for each in self.seen)}/{pages} third_party={found['third party']} csp={found['csp']} "
            f"heaviest_kb={max((each.bytes for each in self.seen), default=0) / 1000:.0f}"
        )

    @property
    def faults(self) -> list[str]:
        return [f"{each.row.name} [{variant}] {fault}" for each in self.seen for variant, fault in each.all_faults]

    def summary(self) -> str:
        """Each fault once, with the pages and variants that have it."""
        where: dict[str, list[str]] = {}
        for each in self.seen:
            for variant, fault in each.all_faults:
                where.setdefault(str(fault), []).append(f"{each.row.name} [{variant}]")
        lines = [f"{fault}\n    {len(places)}x, e.g. {'; '.join(places[:3])}" for fault, places in sorted(where.items())]
        return "\n".join(lines)


async def look_at(windows: Windows, scene: Scene, row: Row, variants: Sequence[Variant]) -> Seen:
    """One row of the list. A page that can't be reached or shown is a fault too."""
    began, seen = time.monotonic(), Seen(row)
    try:
        async with asyncio.timeout(PATIENCE), row.reach(scene) as visit:
            for language in dict.fromkeys(variant.language for variant in variants):
                await _in_language(windows, visit, seen, [each for each in variants if each.language == language])
    except Exception as error:  # whatever it is, the other pages are looked at
        seen.faults["page"] = [Fault("reach", f"{type(error).__name__}: {error}"[:600])]
    seen.seconds = time.monotonic() - began
    return seen


async def _what_stays(windows: Windows, visit: Visit, variant: Variant, found: list[Fault]) -> list[Fault]:
    """What was found, without a shift that doesn't come again."""
    for _ in range(LOOKS_AGAIN):
        moved = [fault for fault in found if fault.check == "layout shift"]
        if not moved:
            break
        async with looking(windows, visit, variant) as again:
            found = [fault for fault in found if fault not in moved] + await checks.shift(again)
    return found


async def _in_language(windows: Windows, visit: Visit, seen: Seen, variants: Sequence[Variant]) -> None:
    """Loads the page once, then changes the window's colours and width as a reader's device does."""
    language = variants[0].language
    async with looking(windows, visit, variants[0]) as look:
        found = await _load(seen.row, look, variants[0])
        found = await _what_stays(windows, visit, variants[0], found)
        seen.bytes = max(seen.bytes, look.bytes)
        seen.texts[language] = await look.measure("text")
        await checks.bring_axe(look)
        for variant in variants:
            await look.become(variant)
            seen.faults[str(variant)] = await checks.targets(look) + await checks.axe(look)
            seen.variants += 1
        seen.faults[language] = found + await checks.policy(look) + checks.third_party(look) + checks.console(look)
        if language == PLAIN.language:
            await look.become(PLAIN)
            await _once(windows, visit, seen, look)


async def _load(row: Row, look: Look, variant: Variant) -> list[Fault]:
    """What depends on the language alone and is so from the beginning."""
    found = [Fault("status", f"{look.answer.status} instead of {row.status}")] if look.answer.status != row.status else []
    found += await checks.shift(look) + await checks.cookies(look) + checks.weight(look) + checks.address(look)
    found += await checks.structure(look, variant, static=row.service == GATEWAY, numbers=row.state != START_PAGE)
    return found + await checks.renewal(look, variant)


async def _once(windows: Windows, visit: Visit, seen: Seen, look: Look) -> None:
    """What depends on neither; it leaves the page changed."""
    different = await reading.without_javascript(windows, visit, look)
    seen.plain = not different
    seen.faults["page"] = different + await reading.keyboard(look) + await reading.reflow(look)


async def sweep(platform: Platform, browser: Browser, *, many: bool, tell: Tell, only: str = "") -> Report:
    """All pages, in all variants or in four."""
    began, report = time.monotonic(), Report()
    total = sum(only in row.name for row in ROWS)

    async def stop(row: Row, scene: Scene, windows: Windows) -> None:
        seen = await look_at(windows, scene, row, variants_for(ROWS.index(row), many=many))
        report.seen.append(seen)
        tell(f"{len(report.seen):>4}/{total} {seen.seconds:5.1f} s {row.name}{_count(seen)}")

    await each_page(platform, browser, stop, only)
    report.seconds = time.monotonic() - began
    return report


def _count(seen: Seen) -> str:
    """How often each check found something, with an example."""
    examples = {fault.check: fault.found for _, fault in seen.all_faults}
    number = Counter(fault.check for _, fault in seen.all_faults)
    return "".join(f"\n     {check} {number[check]}x: {found[:150]}" for check, found in sorted(examples.items()))

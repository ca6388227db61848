"""Letters twice as large, as a phone's own setting makes them (WCAG 1.4.4), on the narrowest phone that many still have."""

from playwright.async_api import Browser

from tests.browser.chromium import FLAGS, PROGRAM
from tests.browser.scene import Scene

TWICE = "--blink-settings=defaultFontSize=32"
WIDTH = 360
PAGES = ("info/", "info/hjelp", "dialog/", "dialog/spor", "dialog/svar", "identity/minid-og-bankid", "helpjourney/informasjonskapsler")
SQUEEZED = """
  [...document.querySelectorAll("main :is(h1, h2, p, dd, td, .crisis-name)")]
    .filter((each) => each.checkVisibility() && each.innerText.length > 15 && each.getBoundingClientRect().width < 128)
    .map((each) => each.innerText.slice(0, 40))
"""
"""Texts that stand in a column of four letters or fewer."""


async def test_nothing_stands_beside_the_page_or_in_a_column_of_letters(browser: Browser, scene: Scene) -> None:
    found = []
    large = await browser.browser_type.launch(executable_path=PROGRAM, args=[*FLAGS, TWICE])
    try:
        page = await large.new_page(viewport={"width": WIDTH, "height": 640}, locale="nb-NO", java_script_enabled=False)
        for address in PAGES:
            service, _, path = address.partition("/")
            await page.goto(f"{scene.urls[service]}/{path}")
            assert await page.evaluate("matchMedia('(max-width: 17rem)').matches")
            if (width := await page.evaluate("document.documentElement.scrollWidth")) > WIDTH:
                found.append(f"{address}: {width} px wide")
            found += [f"{address}: {words}" for words in await page.evaluate(SQUEEZED)]
    finally:
        await large.close()
    assert found == []

"""The catalogue page in a real browser: readable for everybody, narrow and wide, light and dark, and on its own."""

import pytest
from contracts.schemas import CATALOGUE

from deploy.local.node import install
from tests.browser.chromium import launched

pytestmark = pytest.mark.browser
BROWSER_TESTS = CATALOGUE.parents[2] / "tests" / "browser"
AXE = BROWSER_TESTS / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (700, "dark"), (1280, "light")])
async def test_the_page_is_accessible_and_fits(width, scheme):
    install(BROWSER_TESTS)
    async with launched() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto((CATALOGUE / "index.html").as_uri())
        assert all(url.startswith(CATALOGUE.as_uri()) for url in asked), "it loads nothing from elsewhere"
        await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
        await page.add_script_tag(path=AXE)
        found = await page.evaluate("tags => axe.run({runOnly: tags, resultTypes: ['violations']})", TAGS)
        assert [(one["id"], one["nodes"][0]["target"], one["nodes"][0]["failureSummary"]) for one in found["violations"]] == []

"""Every page of the list, looked at in a real browser in four variants: nothing is wrong."""

from collections.abc import Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from deploy.local.platform import Platform
from tests.browser.page_list import ROWS
from tests.browser.readability import MOST, hardest, mean_lix
from tests.browser.sweep import Report, sweep

Tell = Callable[[str], None]


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Tell:
    """Prints past pytest's capture: the sweep takes minutes and its sum is what `make test` shows."""
    manager = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with manager.global_and_fixture_disabled():
            print(text, flush=True)

    return say


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def report(platform: Platform, browser: Browser, tell: Tell) -> Report:
    """The sweep, once."""
    tell("")
    found = await sweep(platform, browser, many=False, tell=tell)
    tell(found.line)
    tell(f"in {found.seconds / 60:.1f} min")
    return found


@pytest.mark.timeout(1800)
async def test_nothing_is_wrong_on_any_page(browser: Browser, report: Report) -> None:
    """INVARIANT: axe finds nothing, nobody else is asked, the policy stops nothing, who has no scripts misses nothing, and so on."""
    assert len(report.seen) == len(ROWS)
    assert report.faults == [], f"\n{report.summary()}"


async def test_youths_can_read_it(browser: Browser, report: Report, tell: Tell) -> None:
    """LIX of the main text of all pages that youths read: at most 35 on average, in Bokmål and in Nynorsk."""
    for language in ("nb", "nn"):
        texts = {each.row.name: each.texts[language] for each in report.seen if each.row.who.is_youth and language in each.texts}
        tell(f"lix {language}: {mean_lix(texts.values()):.1f} on {len(texts)} pages; hardest: {'; '.join(hardest(texts))}")
        assert mean_lix(texts.values()) <= MOST

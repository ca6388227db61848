"""With a service dead its host answers a static page with the crisis numbers, and the other four work."""

import asyncio

import pytest
from contracts.catalogue import SERVICES

from deploy.local.journey.browser import Browser

NUMBERS = ("113", "112", "116 117", "116 111", "116 123")


@pytest.mark.parametrize("dead", SERVICES)
async def test_a_dead_services_host_shows_the_crisis_numbers_and_the_others_work(platform, dead):
    """INVARIANT: crisis numbers always render."""
    await asyncio.to_thread(platform.kill, dead)
    try:
        async with Browser() as browser:
            for service, url in platform.urls.items():
                page = await browser.get(url + "/")
                assert all(number in page.text for number in NUMBERS[:2]), service
                if service == dead:
                    assert page.status == 503
                    assert all(number in page.text for number in NUMBERS)
                    assert "tel:113" in page.html
                else:
                    assert page.status == 200, service
    finally:
        await asyncio.to_thread(platform.restart, dead)

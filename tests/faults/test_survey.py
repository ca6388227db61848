"""The rig's own patience: it looks at a world only when everybody has read all that was told."""

import asyncio
import signal
import time

import pytest

from deploy.local.journey.people import Youth
from tests.faults.patience import PatientBrowser
from tests.faults.survey import until_told

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]
FROZEN_SECONDS = 3.0
"""Shorter than a consumer may be silent: it goes on where it was when it thaws."""


async def test_a_slow_reader_is_waited_for(platform):
    await until_told(platform, 60)
    platform.signal("reporting", signal.SIGSTOP)
    try:
        await Youth(platform.urls, PatientBrowser()).asks("Hvor lenge er det vanlig å være trist?", "family", "13_15", False)
        told = asyncio.create_task(until_told(platform, 60))
        await asyncio.sleep(FROZEN_SECONDS)
        assert not told.done()
    finally:
        platform.signal("reporting", signal.SIGCONT)
    thawed = time.monotonic()
    await told
    assert time.monotonic() - thawed < 30

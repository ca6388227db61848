"""Waiting for something to become true, with a deadline; never a sleep of a guessed length."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

PAUSE = 0.02


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 10.0) -> None:
    """Ask `condition` again and again until it answers something true; fail the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s")
        await asyncio.sleep(PAUSE)

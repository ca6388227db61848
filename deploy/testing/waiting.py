"""Waiting for something to become true, with a deadline; never a sleep of a guessed length."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Self

import pytest

PAUSE = 0.02
HICCUP = 0.25
"""Seconds that a thread which only waits is late by on a machine that is merely busy."""
TURNS = 200
"""Of the event loop; a request to an application of this process needs some twenty."""


async def until(condition: Callable[[], Awaitable[object]], seconds: float = 30.0) -> None:
    """Ask `condition` again and again until it answers something true; fail the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s")
        await asyncio.sleep(PAUSE)


async def settled() -> None:
    """Return when every task has gone as far as it can without anything from outside, however long the machine takes for that."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class Standstill:
    """How long the machine let nobody run inside the block: seconds that aren't those of what is held to a promise.

    `with Standstill() as still: …`, then `took - still.seconds < promised`.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        over, looked = False, time.monotonic()
        while not over:
            over = self._over.wait(PAUSE)
            now = time.monotonic()
            self.seconds += now - looked if now - looked > HICCUP else 0.0
            looked = now

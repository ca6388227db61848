"""What to do with work that may wait for somebody who doesn't answer, when the process is asked to end."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

LET_GO_SECONDS = 1.0
"""How long work that is given up may take to clean up behind itself."""
T = TypeVar("T")


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T], grace: float = 0) -> T | None:
    """What the work returns; None when it was given up, `grace` seconds after `stop`. What is given up is rolled back or comes again."""
    task, ending = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and grace:
            await asyncio.wait({task}, timeout=grace)
        return await task if task.done() else None
    finally:
        ending.cancel()
        if not task.done():
            task.cancel()
            with suppress(Exception):
                await asyncio.wait({task}, timeout=LET_GO_SECONDS)

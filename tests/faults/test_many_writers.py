"""INVARIANT: with two relays and many writers whose transactions end in another order than they began, no fact is skipped or overtaken."""

import asyncio
import random
from functools import partial

import pytest

pytestmark = pytest.mark.faults
WRITERS, EACH, KEYS = 16, 12, 6


async def test_no_row_is_skipped_or_overtaken(build):
    plant = await build()
    articles = await plant.articles(KEYS)
    chance = random.Random(1)

    async def write(writer: int) -> None:
        for number in range(EACH):
            dawdle = partial(asyncio.sleep, chance.choice([0, 0, 0.05, 0.3]))
            await plant.command(f"{writer}/{number}", chance.choice(articles), before_commit=dawdle)

    async def relay(name: str) -> None:
        while not done.is_set():
            if not await plant.relay(name):
                await asyncio.sleep(0.01)

    done = asyncio.Event()
    relaying = [asyncio.create_task(relay(name)) for name in ("one", "two")]
    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    done.set()
    await asyncio.gather(*relaying)
    found = await plant.heal()
    assert found.kinds() == set()
    assert sum((await plant.world()).told.values()) == WRITERS * EACH

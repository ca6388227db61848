"""INVARIANT: a reply lost after the commit makes no second effect; a wire that is dead in one direction, or slow, loses nothing."""

import asyncio
from contextlib import AsyncExitStack
from urllib.parse import urlsplit, urlunsplit

import pytest
from servicekit.delivery import relay as relaying

from tests.faults.ledger import Phase
from tests.faults.plant import Plant, prepare
from tests.faults.wire import Wire

pytestmark = pytest.mark.faults
COMMANDS = 120


@pytest.fixture
async def wired(templates, mortal):
    """A plant whose publisher reaches its database over a wire."""
    async with AsyncExitStack() as stack:
        publisher, reader = [await stack.enter_async_context(templates.copy("plant", prepare)) for _ in range(2)]
        parts = urlsplit(publisher)
        wire = await stack.enter_async_context(Wire(parts.hostname, parts.port))
        through = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{wire.port}"))
        plant = Plant(through, reader, stack)
        mortal.setattr(relaying, "create_producer", plant.bus.producer)
        yield plant, wire


async def until_answered(plant: Plant, name: str, article) -> None:
    """A client that tries again with its key."""
    while True:
        try:
            await plant.command(name, article)
        except Exception:
            plant.ledger.note(name, Phase.UNKNOWN, 0.0)
        else:
            return


async def test_a_reply_lost_after_the_commit_makes_no_second_effect(wired):
    plant, wire = wired
    articles = await plant.articles(8)
    wire.cut_each = 3
    for number in range(0, COMMANDS, 8):
        await asyncio.gather(*(until_answered(plant, f"{number + at}", article) for at, article in enumerate(articles)))
    wire.cut_each = 0
    assert wire.cuts >= COMMANDS // 4
    found = await plant.heal()
    assert found.kinds() == set()
    assert sum((await plant.world()).told.values()) == COMMANDS


@pytest.mark.parametrize("way", ["mute", "deaf"])
async def test_a_database_that_is_reached_in_one_direction_only_loses_nothing(wired, way):
    plant, wire = wired
    articles = await plant.articles(4)
    for name, article in enumerate(articles):
        await until_answered(plant, f"before {name}", article)
    dead = getattr(wire, way)
    dead.set()
    asking = [asyncio.create_task(until_answered(plant, f"during {name}", article)) for name, article in enumerate(articles)]
    await asyncio.sleep(3)
    dead.clear()
    wire.cut()
    await asyncio.wait_for(asyncio.gather(*asking), 60)
    found = await plant.heal()
    assert found.kinds() == set()
    assert sum((await plant.world()).told.values()) == 2 * len(articles)


async def test_a_slow_wire_with_a_wavering_delay_loses_nothing(wired):
    """Replies overtake each other between connections; a relay moves facts at the same time."""
    plant, wire = wired
    articles = await plant.articles(4)
    wire.delay = 0.04

    async def relay() -> None:
        while not done.is_set():
            await plant.relay()

    done, relaying_on = asyncio.Event(), asyncio.create_task(relay())
    await asyncio.gather(*(until_answered(plant, f"{number}", articles[number % 4]) for number in range(32)))
    done.set()
    await relaying_on
    wire.delay = 0.0
    found = await plant.heal()
    assert found.kinds() == set()
    assert sum((await plant.world()).told.values()) == 32

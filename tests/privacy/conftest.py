"""The walk is taken once; all tests of privacy look at what it left behind."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from deploy.local.journey.cast import synthetic_number
from deploy.local.platform import Platform
from tests.privacy import around, levels, odd, others
from tests.privacy.sinks import Sinks, look_at_everything, until_quiet
from tests.privacy.walk import Walk

T = TypeVar("T")


@pytest.fixture(scope="session")
def walk(platform: Platform) -> Walk:
    """A youth on all levels, others at the border, and requests that no page makes."""
    walked = Walk(platform)
    _beside(_take(walked))
    return walked


@pytest.fixture(scope="session")
def sinks(walk: Walk) -> Sinks:
    """Everything that was written down, once nothing more is on its way."""

    async def look() -> Sinks:
        await until_quiet(walk.platform)
        return await look_at_everything(walk.platform)

    return _beside(look())


async def _take(walk: Walk) -> None:
    youth = walk.youth()
    await levels.reads(walk, youth)
    await levels.asks(walk, youth)
    carrying = await levels.chats(walk, youth)
    await levels.goes_in(walk, youth, carrying)
    await levels.wishes(walk, youth)
    await youth.ends_chat()
    await around.looks_around(walk, youth)
    await around.visits_desks(walk)
    await others.claims_with_a_code(walk, "another", synthetic_number(151), past_gateway=False)
    await others.claims_with_a_code(walk, "one past the gateway", synthetic_number(152), past_gateway=True)
    await others.takes_it_back(walk)
    await others.never_comes(walk, "same", presents=False)
    await others.never_comes(walk, "same", presents=True)
    await others.never_comes(walk, "other", presents=False)
    await odd.knocks_everywhere(walk)
    await odd.logs_out(walk, youth)
    await youth.leaves()
    await walk.leave()


def _beside(work: Coroutine[Any, Any, T]) -> T:
    """Runs it in a thread with an event loop of its own: fixtures of a session outlive the loop of a test."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()

"""Killed at any of the named places, a service loses, doubles and turns round nothing."""

import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from servicekit import crash
from servicekit.crash import Place
from sqlalchemy import text

from deploy.testing import Database, Templates
from deploy.testing.databases import Prepare, opened
from deploy.testing.infra import Kafka

MORTAL = str(Path(__file__).with_name("mortal.py"))
FACTS = 12


async def live(
    database: Database, reader: Database, kafka: Kafka, group: str, article: UUID, crash_at: str | None
) -> tuple[int, list[int]]:
    """Runs the publisher and the reader once; returns how it ended and the numbers that were answered."""
    environment = {name: value for name, value in os.environ.items() if name != "CRASH_AT"}
    environment |= kafka.access("info").environment | {"READER_PASSWORD": kafka.passwords["reporting"]}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, MORTAL, database.dsn, reader.dsn, group, str(article), str(FACTS)),
        env=environment | ({"CRASH_AT": crash_at} if crash_at else {}),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 100)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, [int(line) for line in output.split()]


async def die_and_go_on(place: Place, articles: Any, kafka: Kafka, templates: Templates, prepare: Prepare) -> None:
    async with AsyncExitStack() as stack:
        dsns = [await stack.enter_async_context(templates.copy("articles", prepare)) for _ in range(2)]
        database, reader = [await stack.enter_async_context(opened(*of)) for of in zip(("info", "reporting"), dsns, strict=True)]
        [article], tick, group = await articles.create(database), uuid4(), f"reporting-{uuid4()}"
        async with database.begin() as uow:
            uow.schedule("tick", await uow.now(), tick)
        nth = 3 if place.startswith(("command.", "consumer.between")) else 1
        ended, answered = await live(database, reader, kafka, group, article, f"{place}:{nth}")
        assert ended == -signal.SIGKILL, place
        ended, _ = await live(database, reader, kafka, group, article, None)
        assert ended == 0, place
        assert await articles.effects(reader, article) == (FACTS, 0), place
        assert answered == list(range(1, len(answered) + 1)), place
        assert await articles.effects(database, tick) == (1, 0), place
        async with database.engine.connect() as connection:
            assert await connection.scalar(text("select count(*) from outbox")) == 0, place


@pytest.mark.faults
@pytest.mark.parametrize("family", ["command", "relay", "consumer", "timer"])
async def test_a_service_that_dies_at_a_place_loses_and_doubles_nothing(family, articles, kafka, templates, prepare):
    """INVARIANT: what was answered is applied once and in order, wherever the process dies."""
    places = [place for place in Place if place.startswith(family)]
    async with templates.copy("articles", prepare):  # made once, before many copy it
        pass
    await asyncio.gather(*(die_and_go_on(place, articles, kafka, templates, prepare) for place in places))


@pytest.mark.parametrize("setting", ["nowhere", "relay.acked:0", "relay.acked:x", "relay.acked:-1"])
def test_a_place_that_there_is_not_is_refused(setting):
    with pytest.raises(ValueError, match=r"."):
        crash.parse(setting)


def test_a_place_costs_nothing_where_nothing_is_asked_for():
    """INVARIANT: crash points are no burden: well below a thousandth of a transaction each."""
    crash.arm(None)
    began = time.process_time()
    for _ in range(100_000):
        crash.reach(Place.COMMAND_TOLD)
    assert time.process_time() - began < 0.2

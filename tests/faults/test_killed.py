"""INVARIANT: kill any service, or the broker, in the middle of the journey: it completes, and nothing is doubled."""

import itertools
import threading

import pytest

from deploy.local.journey.timeline import Watch
from tests.faults.journey import ONE_OF_EACH, FaultyJourney, quiet, told

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
serials = itertools.count(200)

CASES = [
    ("dialog", "chat"),
    ("dialog", "yes"),
    ("identity", "login"),
    ("helpjourney", "carry"),
    ("helpjourney", "bind"),
    ("helpjourney", "wish"),
    ("reporting", "bind"),
    ("info", "queue"),
]


@pytest.fixture
async def watch(platform):
    seen = Watch(platform.kafka_admin)
    await seen.start()
    await quiet(seen)
    yield seen
    await seen.stop()


@pytest.mark.parametrize(("service", "step"), CASES, ids=lambda value: value)
async def test_the_journey_survives_a_killed_service(platform, crew, watch, service, step):
    """INVARIANT: a command answered 2xx is never lost, and each effect happens once."""

    def kill_and_start_again():
        platform.kill(service)
        threading.Timer(0.5, lambda: platform.restart(service, wait=False)).start()

    journey = FaultyJourney(platform, crew, next(serials), step, kill_and_start_again)
    await journey.walk()
    counted = await told(watch)
    assert {name: counted[name] for name in ONE_OF_EACH} == dict.fromkeys(ONE_OF_EACH, 1)
    assert platform.dead() == []


async def test_the_journey_survives_a_killed_broker(platform, crew, watch):
    """INVARIANT: while Kafka is away people are served; afterwards everything is told, once, in order."""

    def kill_and_start_again():
        platform.kill_broker()
        threading.Timer(3, lambda: platform.restart_broker(wait=False)).start()

    journey = FaultyJourney(platform, crew, next(serials), "yes", kill_and_start_again)
    await journey.walk()
    counted = await told(watch)
    assert {name: counted[name] for name in ONE_OF_EACH} == dict.fromkeys(ONE_OF_EACH, 1)

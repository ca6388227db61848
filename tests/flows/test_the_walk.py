"""The journey as `make demo ONCE=1` walks it, on real parts."""

import pytest
from contracts.catalogue import SERVICES

from deploy.local.journey.stories import OTHERS
from deploy.local.journey.timeline import Timeline, Watch
from deploy.local.journey.walk import first_youth, versions

pytestmark = pytest.mark.timeout(240)


async def test_a_youth_goes_from_a_search_to_an_appointment_without_retelling(platform, crew, capsys):
    watch = Watch(platform.kafka_admin)
    await watch.start()
    timeline = Timeline(watch)
    try:
        await first_youth(timeline, crew)
    finally:
        await watch.stop()
    assert {step.service for step in timeline.steps} == {"info", "dialog", "identity", "helpjourney"}
    assert [step.level for step in timeline.steps if step.service == "helpjourney"] == [3] * 7
    assert "dialog.handoff.offered.v1" in watch.seen
    assert set(await versions(platform)) == set(SERVICES)


ENDS = {
    "a code, typed on another device": "dialog.chat.ended.v1",
    "a change of mind": "dialog.handoff.withdrawn.v1",
    "a login that is given up": "dialog.chat.ended.v1",
    "straight in, without an anonymous start": "helpjourney.appointment.cancelled.v1",
    "out of the queue, and a question deleted": "dialog.question.deleted.v1",
}


@pytest.mark.parametrize("name", OTHERS)
async def test_another_youth_walks_another_way(platform, crew, name):
    watch = Watch(platform.kafka_admin)
    await watch.start()
    try:
        async with Timeline(watch).step(name, "dialog", 2, expect=[ENDS[name]]):
            await OTHERS[name](crew)
    finally:
        await watch.stop()
    assert ENDS[name] in watch.seen

"""INVARIANT: the rigs notice what they are there to notice. Each fault that is built into the plumbing is found, and nothing without it."""

import pytest

from tests.faults.mutants import MUTANTS

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
async def test_a_fault_in_the_plumbing_is_found(build, monkeypatch, mutant):
    for change in mutant.changes:
        change.make(monkeypatch)
    plant = await build()
    await mutant.story(plant)
    found = await plant.heal()
    assert mutant.harm in found.kinds()


@pytest.mark.parametrize("story", dict.fromkeys(mutant.story for mutant in MUTANTS), ids=lambda story: story.__name__)
async def test_the_same_story_does_no_harm_without_the_fault(build, story):
    """A key that waits for a person, with the record that made it wait, is no harm: it is noticed."""
    plant = await build()
    await story(plant)
    found = await plant.heal()
    lost_by_the_bus = {"lost"} if story.__name__ == "a_record_vanishes" else set()
    assert found.kinds() <= {"parked"} | lost_by_the_bus

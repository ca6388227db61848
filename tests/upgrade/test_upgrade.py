"""The last release of each service works beside the current others, back and forth, and nothing is lost on the way."""

import asyncio

import asyncpg
import pytest
from contracts.catalogue import SERVICES

from deploy.releases.record import releases
from deploy.releases.upgrade import FAILURES, Outcome, Upgrade

FIRST = ("info", "dialog", "identity", "helpjourney", "reporting")
pytestmark = [pytest.mark.timeout(900), pytest.mark.faults]


async def test_each_service_goes_back_to_its_last_release_and_forward_again_and_nothing_is_lost(tmp_path, capsys):
    """INVARIANT: an agency releases and rolls back alone; what the others run doesn't matter."""
    upgrade = Upgrade(tmp_path, print)
    try:
        outcome = await upgrade.run()
        print(outcome)
        assert outcome.failures == []
        every = len({release.name for release in releases()} & set(SERVICES))
        assert every >= len(FIRST)
        assert str(outcome) == f"upgrade: mixed={every}/{every} migrations={every}/{every} lost=0"
        await contracting_is_noticed(upgrade)
    finally:
        await asyncio.to_thread(upgrade.platform.stop, delete=True)


def test_one_that_joined_and_was_never_released_holds_nobody_up_and_who_was_released_is_missed():
    both = ["info", "dialog"]
    assert Outcome(("info", "dialog"), both, both).ok
    assert not Outcome(("info", "dialog", "identity"), both, both).ok
    assert not Outcome(("info", "dialog"), both, ["info"]).ok
    assert not Outcome(("info", "dialog"), both, both, lost=1).ok


async def contracting_is_noticed(upgrade):
    """A migration that takes away what the last release uses: its way on the migrated database ends."""
    connection = await asyncpg.connect(upgrade.platform.dsn("dialog"))
    await connection.execute("alter table questions rename column topic_code to subject_code")
    await connection.close()
    await asyncio.to_thread(upgrade.swap, "dialog", old=True)
    with pytest.raises(FAILURES):
        await upgrade.everything_is_there()

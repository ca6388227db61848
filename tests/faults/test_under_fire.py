"""INVARIANT: while services, brokers and databases are killed under load, nothing answered is lost, doubled or turned round."""

import os

import pytest

from tests.faults.ledger import Findings
from tests.faults.rig import run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
SECONDS = float(os.environ.get("FAULTS_SECONDS", "100"))
SEED = int(os.environ.get("FAULTS_SEED", "1"))


async def test_nothing_answered_is_lost_doubled_or_turned_round(platform):
    found = await run(platform, SEED, SECONDS)
    found.findings.resent = 0  # a relay that died may repeat facts, in their order
    assert found.findings == Findings(), (found.findings, found.world.models, found.world.parked)
    assert found.commands > 20
    assert found.kills > 2

"""INVARIANT: whatever is refused, repeated, unanswered or killed, in any order: each answered command has one effect, in order."""

import asyncio
import os
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from servicekit import crash
from servicekit.crash import Place
from servicekit.delivery import relay as relaying

from deploy.testing import Templates
from tests.faults.plant import Plant, prepare

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

STORIES = int(os.environ.get("FAULTS_STORIES", "10"))
STEPS = 40
KEYS = st.integers(0, 3)
FATES = st.lists(st.sampled_from(["take", "refuse", "mute"]), max_size=3)
DOOR = [Place.COMMAND_BEGUN, Place.COMMAND_TOLD, Place.COMMAND_COMMITTED]
RELAY = [Place.RELAY_CLAIMED, Place.RELAY_SENT, Place.RELAY_ACKED, Place.RELAY_DELETED, Place.RELAY_COMMITTED]
READER = [
    Place.CONSUMER_FETCHED,
    Place.CONSUMER_RECEIVED,
    Place.CONSUMER_BETWEEN,
    Place.CONSUMER_APPLIED,
    Place.CONSUMER_COMMITTED,
    Place.CONSUMER_DONE,
]


class HostileBus(RuleBasedStateMachine):
    """One story; its databases are its own."""

    templates: Templates
    monkeypatch: pytest.MonkeyPatch

    def __init__(self) -> None:
        super().__init__()
        self.runner, self.stack = asyncio.Runner(), AsyncExitStack()
        self.commands: list[tuple[str, int]] = []

    def do(self, work):
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        async def made() -> None:
            dsns = [await self.stack.enter_async_context(self.templates.copy("plant", prepare)) for _ in range(2)]
            self.plant = Plant(*dsns, self.stack)
            self.monkeypatch.setattr(relaying, "create_producer", self.plant.bus.producer)
            self.articles = await self.plant.articles(4)

        self.do(made())

    @rule(key=KEYS, dying=st.sampled_from([None, None, *DOOR]))
    def command(self, key, dying) -> None:
        self.commands.append((str(len(self.commands)), key))
        self._try(*self.commands[-1], dying)

    @rule(number=st.integers(0, 100), dying=st.sampled_from([None, *DOOR]))
    def try_again(self, number, dying) -> None:
        if self.commands:
            self._try(*self.commands[number % len(self.commands)], dying)

    def _try(self, name, key, dying) -> None:
        crash.arm(dying)
        self.do(self.plant.command(name, self.articles[key]))
        crash.arm(None)

    @rule(key=KEYS)
    def refused(self, key) -> None:
        self.do(self.plant.command(f"refused {len(self.plant.ledger.entries)}", self.articles[key], refused=True))

    @rule(fates=FATES, dying=st.sampled_from([None, None, *RELAY]), name=st.sampled_from(["one", "two"]))
    def relay(self, fates, dying, name) -> None:
        self.plant.bus.plan = list(fates)
        crash.arm(dying)
        self.do(self.plant.relay(name))
        crash.arm(None)

    @rule(most=st.integers(1, 20), dying=st.sampled_from([None, None, *READER]))
    def read(self, most, dying) -> None:
        crash.arm(dying)
        self.do(self.plant.read(most))
        crash.arm(None)

    @rule()
    def lose_the_group(self) -> None:
        self.plant.lose_the_group()

    def teardown(self) -> None:
        try:
            found = self.do(self.plant.heal())
            assert found.kinds() <= {"resent"}, found
        finally:
            self.do(self.stack.aclose())
            self.runner.close()


def test_no_order_of_faults_does_harm(templates, mortal):
    HostileBus.templates, HostileBus.monkeypatch = templates, mortal
    run_state_machine_as_test(
        HostileBus,
        settings=settings(
            max_examples=STORIES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize="FAULTS_SEED" not in os.environ,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )

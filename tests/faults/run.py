"""`python -m tests.faults.run`: the long run of the rigs on the whole platform with three brokers; writes docs/faults.md."""

import asyncio
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from deploy.checks import ROOT
from deploy.commands import Command
from deploy.local.platform import Platform
from deploy.local.scratch import keep, kept_on_error, scratch
from deploy.suites import counts
from tests.faults.mutants import MUTANTS
from tests.faults.report import is_clean, last_line, page, unproven, used
from tests.faults.rig import ROOMY, Run, run

MINUTES, MOST_MINUTES = 12.0, 30.0
"""Of load and strikes; starting, the mutants and the last look take about three more. Slow machines need longer for COMMANDS and KILLS."""
COMMANDS, KILLS = 3000, 60
"""What a run of full size has seen at least."""
RECOVERY_SECONDS = 15.0
"""Within which 19 of 20 recoveries are to be over."""
ROUND_SECONDS = 240.0
"""A round ends with a look at everything; then the next begins on the same platform."""


def catch_mutants() -> int:
    """How many of the faults that are built into the plumbing are found, and how many stories do no harm without them: must be all."""
    report = ROOT / ".local" / "tests" / "mutants.xml"
    command = [sys.executable, "-m", "pytest", "tests/faults/test_mutants.py", "-q", f"--junitxml={report}", "--no-header"]
    code = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode
    failed = counts(report)["failed"] if code else 0
    return max(0, len(MUTANTS) - failed)


def is_enough(seen: Run, minutes: float | None) -> bool:
    """Whether the run may end: after so many minutes if they were asked for, else when it has seen enough."""
    if minutes is not None:
        return seen.seconds >= 60 * minutes
    return seen.seconds >= 60 * MINUTES and ((seen.commands >= COMMANDS and seen.kills >= KILLS) or seen.seconds >= 60 * MOST_MINUTES)


def fire(folder: Path, seed: int, minutes: float | None) -> Run:
    """Rounds of load and strikes on one platform, until it is enough or Ctrl-C."""
    rounds: list[Run] = []
    with Platform(folder, brokers=3, overrides=ROOMY, outside={}) as platform:
        while not rounds or not is_enough(sum(rounds[1:], rounds[0]), minutes):
            seconds = min(ROUND_SECONDS, 60 * minutes) if minutes else ROUND_SECONDS
            try:
                rounds.append(asyncio.run(run(platform, seed + len(rounds), seconds)))
            except KeyboardInterrupt:
                if not rounds:
                    raise
                break
            print(f"round {len(rounds)}: {rounds[-1].commands} commands, {rounds[-1].findings}", flush=True)
    return sum(rounds[1:], rounds[0])


def main() -> int:
    """0 when nothing was found and every mutant was."""
    parser = Command(prog="python -m tests.faults.run", description=__doc__)
    parser.add_argument("--full", action="store_true", help="until Ctrl-C")
    parser.add_argument("--minutes", type=float, default=None, help=f"of load; else {MINUTES:.0f}, and until it has seen enough")
    parser.add_argument("--seed", type=int, default=None, help="a random one by default")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    began = time.monotonic()
    print(f"faults: seed {seed}; {used()}", flush=True)
    print(f"not proven by this run: {', '.join(unproven())}", flush=True)
    folder = scratch("faults")
    with kept_on_error(folder):
        found = fire(folder, seed, float("inf") if options.full else options.minutes)
    caught = catch_mutants()
    minutes = (time.monotonic() - began) / 60
    (ROOT / "docs" / "faults.md").write_text(page(found, caught, len(MUTANTS), minutes))
    clean = is_clean(found.findings) and caught == len(MUTANTS)
    if clean:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        keep(folder)
        print(f"logs and data: {folder}")
    if found.recovery_p95 > RECOVERY_SECONDS:
        longest = ", ".join(f"{seconds:.1f}" for seconds in sorted(found.recoveries)[-5:])
        print(f"19 of 20 recoveries are to be over in {RECOVERY_SECONDS:.0f} s; the longest took {longest} s")
    print(f"in {minutes:.0f} min")
    print(last_line(found, caught, len(MUTANTS)))
    return 0 if clean and found.recovery_p95 <= RECOVERY_SECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())

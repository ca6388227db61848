"""`python -m deploy.suites`: the tests; each service's in an environment of its own, where an undeclared dependency is missing.

The sweep of all pages looks at four variants of each and prints its sum on a line of its own, `pages: …`; `make pages` looks at all twelve.
The faults under load strike once of each kind; `make faults` goes on for a quarter of an hour.
Containers need an engine, which is installed where that may be done; where it can't be had, they say so and are skipped.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from contracts.catalogue import SERVICES

from deploy.checks import INDEX_SETTINGS, ROOT
from deploy.commands import Command, part_of

REPORTS = ROOT / ".local" / "tests"
NO_TESTS = 5
"""pytest's exit code when it found none."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A folder of tests and the environment that it runs in."""

    folder: str
    service: str | None = None
    """A service that is installed alone, with what it declares and nothing else; None: everything is there."""
    part: str = ""
    """What it is called where that isn't its folder."""
    leaves_out: tuple[str, ...] = ()
    """Folders in it that aren't for this suite."""

    @property
    def name(self) -> str:
        """What `--only` chooses by."""
        return self.part or self.folder

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return ROOT / ".venvs" / self.service / "bin" / "python" if self.service else Path(sys.executable)

    @property
    def report(self) -> Path:
        """Where pytest writes its counts."""
        return REPORTS / f"{self.folder.replace('/', '-')}.xml"


SUITES = (
    Suite("libs"),
    Suite("deploy"),
    Suite("bench"),
    *(Suite(f"services/{name}", name) for name in SERVICES),
    Suite("tests", leaves_out=("tests/browser", "tests/faults", "tests/containers")),
    Suite("tests/containers", part="containers"),
    Suite("tests/faults", part="faults"),
    Suite("tests/browser", part="pages"),
)


def install_alone(service: str, place: Path, *options: str) -> Path:
    """Makes (or brings up to date) an environment with one service and its libraries; `options` of `uv sync`. Returns its Python."""
    uv = ROOT / ".tools" / "bin" / "uv"
    environment = {key: value for key, value in os.environ.items() if key not in INDEX_SETTINGS}
    environment |= {"UV_PROJECT_ENVIRONMENT": str(place), "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)
    subprocess.run([str(uv), "sync", "--frozen", "--quiet", "--package", service, *options], cwd=ROOT, env=environment, check=True)
    return place / "bin" / "python"


def run(suite: Suite, arguments: list[str]) -> tuple[Counter[str], int]:
    """Runs one suite with its output shown; returns its counts and pytest's exit code."""
    if suite.service:
        install_alone(suite.service, ROOT / ".venvs" / suite.service, "--group", "test")
    print(f"\n=== {suite.name}{' (installed alone)' if suite.service else ''}", flush=True)
    suite.report.parent.mkdir(parents=True, exist_ok=True)
    suite.report.unlink(missing_ok=True)
    command = [
        str(suite.python),
        "-m",
        "pytest",
        suite.folder,
        f"--junitxml={suite.report}",
        "--durations=3",
        "--durations-min=5",
        *(f"--ignore={folder}" for folder in suite.leaves_out),
        *arguments,
    ]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    return counts(suite.report), 0 if code == NO_TESTS else code


def counts(report: Path) -> Counter[str]:
    """What a JUnit report says: passed, failed (errors too), skipped."""
    if not report.exists():
        return Counter()
    found: Counter[str] = Counter()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314 - written by our own pytest
        total, failed, skipped = (int(suite.get(name, "0")) for name in ("tests", "failures", "skipped"))
        failed += int(suite.get("errors", "0"))
        found += Counter(passed=total - failed - skipped, failed=failed, skipped=skipped)
    return found


def main() -> int:
    """Runs the chosen suites one after the other; the last line sums them up. Exit code 1 when anything failed or nothing ran."""
    parser = Command(prog="python -m deploy.suites", description=__doc__)
    parser.add_argument(
        "--only", type=part_of([suite.name for suite in SUITES]), default="", help="run the suites whose name contains this, e.g. dialog"
    )
    options, arguments = parser.parse_known_args()
    began = time.monotonic()
    chosen = [suite for suite in SUITES if options.only in suite.name and (ROOT / suite.folder).is_dir()]
    total: Counter[str] = Counter()
    broken = []
    for suite in chosen:
        found, code = run(suite, arguments)
        total += found
        if code:
            broken.append(suite.name)
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    if broken:
        print(f"\nfailed in: {', '.join(broken)}")
    print(f"\nin {minutes} min {seconds} s")
    print(f"tests: {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if broken or not total["passed"] else 0


if __name__ == "__main__":
    raise SystemExit(main())

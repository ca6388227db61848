"""`python -m deploy.releases.gate`: what the contracts here break of those last released, and proof that the gate knows.

Works offline, from files and the history of this repository.
"""

import sys
from datetime import UTC, datetime

from contracts.catalogue import SERVICES
from packaging.version import Version

from deploy.releases.changes import Change, changes, contracts_of
from deploy.releases.examples import thawed
from deploy.releases.pins import wrong_pins
from deploy.releases.proof import prove
from deploy.releases.reads import Reads, reads_of
from deploy.releases.record import HistoryError, Release, check_history, latest, releases, version_of
from deploy.releases.trees import tree


def final(version: str) -> str:
    """The release that a version leads to: 0.2.0.dev0 to 0.2.0."""
    return version.partition(".dev")[0]


def stale_version(before: Release, here: str) -> list[Change]:
    """Where something differs from a release, the version does too: else nobody could say since when it is."""
    if Version(here) > Version(before.version):
        return []
    parts = Version(before.version)
    following = f"{parts.major}.{parts.minor + 1}.0.dev0"
    instead = f'set version = "{following}" in libs/contracts/pyproject.toml, then `make lock schemas`'
    return [Change("contracts", True, f"differ from {before}, but are called {here}", instead)]


def all_reads() -> dict[str, Reads]:
    """What every service here states that it reads."""
    return {service: reads_of(service) for service in SERVICES}


def main() -> int:
    """Prints every change with its verdict; the last line sums up. Exit code 1 when anything breaks or a verdict is wrong."""
    try:
        check_history(releases())
        before = latest("contracts")
        if before is None:
            raise HistoryError("releases.toml names no release of contracts")
        here = contracts_of(None)
        now = datetime.now(UTC).date()
        found = changes(contracts_of(before), here, all_reads(), now, final(version_of("contracts")))
        found += thawed(tree(before))
    except HistoryError as error:
        print(f"contracts: {error}", file=sys.stderr)
        return 1
    found += [Change(name, True, why) for name, why in wrong_pins(here)]
    found += stale_version(before, version_of("contracts")) if found else []
    print(f"against {before}:{'' if found else ' nothing changed'}")
    for change in found:
        print(f"  {change}")
    proven = prove()
    for one in proven:
        if not one.right:
            print(f"  {one}")
    breaking = sum(change.breaking for change in found)
    right = sum(one.right for one in proven)
    print(f"contracts: types={len(here.events)} verdicts={right}/{len(proven)} breaking={breaking}")
    return 1 if breaking or right < len(proven) else 0


if __name__ == "__main__":
    raise SystemExit(main())

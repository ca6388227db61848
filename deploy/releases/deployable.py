"""`python -m deploy.releases.deployable SERVICE`: may it go out as it is here, beside what the others have released? Offline."""

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts.catalogue import OWNERS, SERVICES

from deploy.releases.changes import Contracts, contracts_of
from deploy.releases.compatibility import leaves, resolved, verdict
from deploy.releases.migrations import contracting, since, unused_since
from deploy.releases.pins import wrong_pins
from deploy.releases.reads import Reads, reads_of, uses
from deploy.releases.record import HistoryError, Release, check_history, latest, releases, version_of
from deploy.releases.trees import tree


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was looked at."""

    holds: bool
    why: str

    def __str__(self) -> str:
        return f"  {'ok' if self.holds else 'NO':<4}{self.why}"


def reasons(service: str, here: Contracts, others: list[Release]) -> list[Reason]:
    """Everything that speaks for or against, neighbours first."""
    found = []
    for other in others:
        there = contracts_of(Release("contracts", other.version, other.commit))
        reads = reads_of(other.name, tree(other)) or reads_of(other.name)  # the first release stated nothing
        against = [*_told(service, here, other, there, reads), *_heard(service, here, other, there)]
        found += against or [Reason(True, f"beside {other} ({OWNERS[other.name].agency})")]
    found += [Reason(False, why) for name, why in wrong_pins(here) if name == service]
    return found + _migrations(service)


def _told(service: str, here: Contracts, other: Release, there: Contracts, reads: Reads) -> Iterator[Reason]:
    """What this service writes and the other's release reads."""
    reader = f"{other} ({OWNERS[other.name].agency}) reads"
    for type_ in sorted(name for name in reads if name.startswith(f"{service}.") and name in there.events):
        if type_ not in here.events:
            yield Reason(False, f"{reader} {type_}, which is gone")
            continue
        for topic in there.events[type_]["topics"]:
            if other.name in there.topics[topic]["readers"] and not _reaches(here, type_, topic, other.name):
                yield Reason(False, f"{reader} {type_} on {topic}, where it no longer finds it")
        before, now = there.events[type_]["schema"], here.events[type_]["schema"]
        said = verdict(before, now)
        if not said.forward:
            yield Reason(False, f"{reader} {type_}: {said.why}: it can't read what is written now")
        gone = {path for path, _ in leaves(resolved(before))} - {path for path, _ in leaves(resolved(now))}
        for path in sorted(path for path in gone if said.forward and uses(reads, type_, path)):
            yield Reason(False, f"{reader} `{path}` of {type_}, which is gone")


def _reaches(here: Contracts, type_: str, topic: str, reader: str) -> bool:
    """Whether events of a type still come to a reader on a topic."""
    return topic in here.events[type_]["topics"] and reader in here.topics[topic]["readers"]


def _heard(service: str, here: Contracts, other: Release, there: Contracts) -> Iterator[Reason]:
    """What this service reads and the other's release writes."""
    for type_ in sorted(name for name in reads_of(service) if name.startswith(f"{other.name}.")):
        if type_ not in here.events:
            yield Reason(False, f"{service} states that it reads {type_}, which the contracts here don't have")
        elif type_ not in there.events:
            yield Reason(True, f"{other} doesn't write {type_} yet: nothing comes until it does")
        elif not (said := verdict(there.events[type_]["schema"], here.events[type_]["schema"])).backward:
            yield Reason(False, f"{other} ({OWNERS[other.name].agency}) writes {type_} as before: {said.why}: {service} can't read it")


def _migrations(service: str) -> list[Reason]:
    last = latest(service)
    if last is None:
        return [Reason(True, "its first release")]
    added = since(service, tree(last))
    own = {release.version for release in releases() if release.name == service}
    return [reason for migration in added for reason in taken_away(migration, last, own)] or [
        Reason(True, f"{len(added)} migrations since {last}, and they only add: the way back is open")
    ]


def taken_away(migration: Path, last: Release, released: Collection[str]) -> Iterator[Reason]:
    """What a migration takes away, and whether the last release did without it already. `released`: the service's versions."""
    said = list(contracting(migration))
    unused = unused_since(migration) if said else None
    if said and unused is None:
        advice = 'first release a version that does without it, then say `unused_since = "that version"` in the migration'
        yield Reason(False, f"back to {last} would be no way: {'; '.join(said)}; {advice}")
    elif said and unused not in released:
        yield Reason(False, f"{'; '.join(said)}; unused since {unused}, it says, which {last.name} never released: release that first")
    elif said:
        yield Reason(True, f"{'; '.join(said)}; unused since {unused}, it says: the way back leads to {unused} and no further")


def main() -> int:
    """Exit code 0 for yes, 1 for no, 2 for a question that makes no sense."""
    if len(sys.argv) != 2 or sys.argv[1] not in SERVICES:
        print(f"can-i-deploy: which one? SERVICE= one of {', '.join(SERVICES)}", file=sys.stderr)
        return 2
    service = sys.argv[1]
    try:
        recorded = releases()
        check_history(recorded)
        others = [release for name in SERVICES if name != service and (release := latest(name, recorded))]
        found = reasons(service, contracts_of(None), others)
    except HistoryError as error:
        print(f"can-i-deploy: {error}", file=sys.stderr)
        return 2
    for reason in found:
        print(reason)
    yes = all(reason.holds for reason in found)
    if not yes:
        print("can-i-deploy: a NO goes away when what it names is put back, or when who reads or writes it has released without it")
    print(f"can-i-deploy: {service} {version_of(service)} {'yes' if yes else 'no'}")
    return 0 if yes else 1


if __name__ == "__main__":
    raise SystemExit(main())

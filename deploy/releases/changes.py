"""What differs between two states of the contracts, each difference with its verdict and, when it breaks, whom."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from contracts.catalogue import OWNERS

from deploy.releases.compatibility import Schema, leaves, resolved, verdict
from deploy.releases.reads import Reads, uses
from deploy.releases.record import Release
from deploy.releases.trees import python_of

DESCRIBE = Path(__file__).with_name("describe.py")


@dataclass(frozen=True, slots=True)
class Contracts:
    """What one version of the contracts says (`describe.py`)."""

    topics: dict[str, dict[str, Any]]
    events: dict[str, dict[str, Any]]

    @property
    def schemas(self) -> dict[str, Schema]:
        """Event type -> schema."""
        return {name: event["schema"] for name, event in self.events.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    what: str
    """The event type or topic."""
    breaking: bool
    why: str

    def __str__(self) -> str:
        return f"{'BREAKING' if self.breaking else 'compatible':<11}{self.what}: {self.why}"


@cache
def contracts_of(release: Release | None) -> Contracts:
    """As released, asked of an environment of its own; None: as they are here."""
    python = Path(sys.executable) if release is None else python_of(release)
    done = subprocess.run([str(python), "-I", str(DESCRIBE)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{release or 'the contracts here'} can't be described: {done.stderr[-800:]}")
    said = json.loads(done.stdout)
    return Contracts(said["topics"], said["events"])


def changes(old: Contracts, new: Contracts, reads: dict[str, Reads], today: date, version: str) -> list[Change]:
    """Everything that differs. `reads`: by service. `version`: of the contracts here, for what is new in them."""
    found = [*_topics(old, new, reads, today), *_gone(old, new, reads, today), *_new(old, new, version)]
    for name in old.events.keys() & new.events.keys():
        found += _event(name, old.events[name], new.events[name], reads)
    return sorted(found, key=lambda change: (not change.breaking, change.what))


def _event(name: str, before: dict[str, Any], now: dict[str, Any], reads: dict[str, Reads]) -> Iterator[Change]:
    if moved := sorted(set(before["topics"]) - set(now["topics"])):
        yield Change(name, True, f"no longer told on {', '.join(moved)}")
    if before["since"] and before["since"] != now["since"]:
        yield Change(name, True, f"since {before['since']} became {now['since']}: history doesn't change")
    said = verdict(before["schema"], now["schema"])
    if said.why == "says the same":
        return
    readers = [service for service, own in reads.items() if name in own]
    if not said.compatible:
        yield Change(name, True, f"{said}{_read_by(readers)}")
        return
    missed = {path: users for path in _paths_gone(before["schema"], now["schema"]) if (users := _users(reads, name, path))}
    for path, users in missed.items():
        yield Change(name, True, f"`{path}` is gone{_read_by(users)}")
    if not missed:
        yield Change(name, False, said.why)


def _paths_gone(old: Schema, new: Schema) -> list[str]:
    kept = dict(leaves(resolved(new)))
    return [path for path, _ in leaves(resolved(old)) if path not in kept]


def _users(reads: dict[str, Reads], type_: str, path: str) -> list[str]:
    return [service for service, own in reads.items() if uses(own, type_, path)]


def _read_by(services: Iterable[str]) -> str:
    """Whom to talk to: each reader with its owner."""
    named = [f"{name} ({OWNERS[name].agency})" if name in OWNERS else name for name in services]
    return f"; read by {', '.join(named)}" if named else ""


def _gone(old: Contracts, new: Contracts, reads: dict[str, Reads], today: date) -> Iterator[Change]:
    for name in sorted(old.events.keys() - new.events.keys()):
        readers = [service for service, own in reads.items() if name in own]
        until = old.events[name]["until"]
        if readers:
            yield Change(name, True, f"is gone{_read_by(readers)}")
        elif not until:
            yield Change(name, True, "is gone, and no release said until when it would be told")
        elif date.fromisoformat(until) >= today:
            yield Change(name, True, f"is gone, and promised until {until}")
        else:
            yield Change(name, False, f"is gone, as announced, since {until}")


def _new(old: Contracts, new: Contracts, version: str) -> Iterator[Change]:
    for name in sorted(new.events.keys() - old.events.keys()):
        since = new.events[name]["since"]
        right = since == version
        yield Change(name, not right, f"is new since {since}" + ("" if right else f", but these are the contracts {version}: set `since`"))


def _topics(old: Contracts, new: Contracts, reads: dict[str, Reads], today: date) -> Iterator[Change]:
    for name in sorted(new.topics.keys() - old.topics.keys()):
        yield Change(name, False, "is a new topic")
    for name in sorted(old.topics):
        before, now = old.topics[name], new.topics.get(name)
        if now is None:
            announced = bool(before["until"]) and date.fromisoformat(before["until"]) < today
            yield Change(name, not announced, "is gone" + _read_by(before["readers"]))
            continue
        for field, why in (
            ("owner", "a topic has one writer for life"),
            ("key", "it decides the order of events"),
            ("partitions", "more or fewer would break the order of a key"),
        ):
            if before[field] != now[field]:
                yield Change(name, True, f"{field} {before[field]} became {now[field]}: {why}")
        if now["retention_days"] < before["retention_days"]:
            yield Change(
                name, True, f"kept {now['retention_days']} days instead of {before['retention_days']}: a reader may be away longer"
            )
        if now["seconds"] < before["seconds"]:
            yield Change(
                name, True, f"times more exact, {now['seconds']} s instead of {before['seconds']} s: they may tell who somebody is"
            )
        for reader in sorted(set(before["readers"]) - set(now["readers"])):
            still = [type_ for type_ in reads.get(reader, {}) if name in new.events.get(type_, {}).get("topics", ())]
            yield Change(name, bool(still), f"{reader} may no longer read it" + (f", but states {', '.join(still)}" if still else ""))
        for reader in sorted(set(now["readers"]) - set(before["readers"])):
            yield Change(name, False, f"{reader} may read it now")

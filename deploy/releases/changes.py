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
    instead: str = ""
    """Of what breaks: what to do."""

    def __str__(self) -> str:
        told = f"{'BREAKING' if self.breaking else 'compatible':<11}{self.what}: {self.why}"
        return told + (f"\n{'':<13}instead: {self.instead}" if self.breaking and self.instead else "")


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
    found = [*_topics(old, new, reads, today), *_gone(old, new, reads, today)]
    for before, now in ((old.topics, new.topics), (old.events, new.events)):
        found += [change for name in sorted(now.keys() - before.keys()) for change in _new(name, now[name]["since"], version)]
        found += [change for name in before.keys() & now.keys() for change in _dates(name, before[name], now[name], reads, today)]
    for name in old.events.keys() & new.events.keys():
        found += _event(name, old.events[name], new.events[name], reads)
    return sorted(found, key=lambda change: (not change.breaking, change.what))


def _event(name: str, before: dict[str, Any], now: dict[str, Any], reads: dict[str, Reads]) -> Iterator[Change]:
    if moved := sorted(set(before["topics"]) - set(now["topics"])):
        yield Change(name, True, f"no longer told on {', '.join(moved)}", f"tell {successor(name)} there, and this where it was")
    if more := sorted(set(now["topics"]) - set(before["topics"])):
        yield Change(name, False, f"told on {', '.join(more)} too")
    said = verdict(before["schema"], now["schema"])
    if said.why == "says the same":
        return
    readers = [service for service, own in reads.items() if name in own]
    if not said.compatible:
        beside = f"leave it as it was released, tell {successor(name)} beside it, and give this one an `until`"
        yield Change(name, True, f"{said.reason}{_read_by(readers)}", beside)
        return
    missed = {path: users for path in _paths_gone(before["schema"], now["schema"]) if (users := _users(reads, name, path))}
    for path, users in missed.items():
        yield Change(name, True, f"`{path}` is gone{_read_by(users)}", "put it back; it may go when their `reads.toml` no longer name it")
    if not missed:
        yield Change(name, False, said.why)


def successor(name: str) -> str:
    """The event type or topic that would come after one."""
    stem, _, major = name.rpartition(".v")
    return f"{stem}.v{int(major) + 1}"


def _paths_gone(old: Schema, new: Schema) -> list[str]:
    kept = dict(leaves(resolved(new)))
    return [path for path, _ in leaves(resolved(old)) if path not in kept]


def _users(reads: dict[str, Reads], type_: str, path: str) -> list[str]:
    return [service for service, own in reads.items() if uses(own, type_, path)]


def _read_by(services: Iterable[str]) -> str:
    """Whom to talk to: each reader with its owner."""
    named = [f"{name} ({OWNERS[name].agency})" if name in OWNERS else name for name in services]
    return f"; read by {', '.join(named)}" if named else ""


def _dates(name: str, before: dict[str, Any], now: dict[str, Any], reads: dict[str, Reads], today: date) -> Iterator[Change]:
    """Since when, which is history, and until when, which is a promise."""
    if before["since"] and before["since"] != now["since"]:
        yield Change(name, True, f"since {before['since']} became {now['since']}", "put it back: history doesn't change")
    promised, ends = before["until"], now["until"]
    if promised == ends:
        return
    if not ends:
        yield Change(name, False, f"has no end any more; it was {promised}")
    elif promised and ends < promised:
        yield Change(name, True, f"ends on {ends}, but was promised until {promised}", "keep the promise: readers go by that day")
    elif date.fromisoformat(ends) < today:
        yield Change(name, True, f"ends on {ends}, which is past", "name a day by which its readers can have gone over")
    else:
        readers = now["readers"] if "readers" in now else [service for service, own in reads.items() if name in own]
        yield Change(name, False, f"ends on {ends}{_read_by(readers)}")


def _gone(old: Contracts, new: Contracts, reads: dict[str, Reads], today: date) -> Iterator[Change]:
    for name in sorted(old.events.keys() - new.events.keys()):
        readers = [service for service, own in reads.items() if name in own]
        until = old.events[name]["until"]
        if readers:
            yield Change(name, True, f"is gone{_read_by(readers)}", "put it back until no `reads.toml` names it")
        elif not until:
            yield Change(name, True, "is gone, and no release said until when it would be told", UNTIL)
        elif date.fromisoformat(until) >= today:
            yield Change(name, True, f"is gone, and promised until {until}", f"put it back; it may go after {until}")
        else:
            yield Change(name, False, f"is gone, as announced, since {until}")


UNTIL = "put it back with an `until`; it may go after that day, in the release after the one that says so"


def _new(name: str, since: str, version: str) -> Iterator[Change]:
    if since == version:
        yield Change(name, False, f"is new since {since}")
    else:
        yield Change(name, True, f"is new since {since}, but these are the contracts {version}", f'set `since` to "{version}"')


def _topics(old: Contracts, new: Contracts, reads: dict[str, Reads], today: date) -> Iterator[Change]:
    for name in sorted(old.topics):
        before, now = old.topics[name], new.topics.get(name)
        if now is None:
            announced = bool(before["until"]) and date.fromisoformat(before["until"]) < today
            yield Change(name, not announced, "is gone" + _read_by(before["readers"]), UNTIL)
            continue
        yield from _card(name, before, now)
        for reader in sorted(set(before["readers"]) - set(now["readers"])):
            still = [type_ for type_ in reads.get(reader, {}) if name in new.events.get(type_, {}).get("topics", ())]
            states = f", but states {', '.join(still)}" if still else ""
            yield Change(name, bool(still), f"{reader} may no longer read it{states}", f"first take that out of {reader}'s reads.toml")
        for reader in sorted(set(now["readers"]) - set(before["readers"])):
            yield Change(name, False, f"{reader} may read it now")


FOR_LIFE = {
    "owner": "a topic has one writer for life",
    "key": "it decides the order of events",
    "partitions": "more or fewer would break the order of a key",
}


def _card(name: str, before: dict[str, Any], now: dict[str, Any]) -> Iterator[Change]:
    """What a topic promised."""
    for field, why in FOR_LIFE.items():
        if before[field] != now[field]:
            yield Change(name, True, f"{field} {before[field]} became {now[field]}: {why}", f"make {successor(name)} beside it")
    days, were = now["retention_days"], before["retention_days"]
    if days < were:
        yield Change(name, True, f"kept {days} days instead of {were}: a reader may be away longer", "keep what was promised")
    elif days > were:
        yield Change(name, False, f"kept {days} days instead of {were}")
    seconds, were = now["seconds"], before["seconds"]
    if seconds < were:
        why = f"times more exact, {seconds} s instead of {were} s: they may tell who somebody is"
        yield Change(name, True, why, "keep what was promised")
    elif seconds > were:
        yield Change(name, False, f"times less exact, {seconds} s instead of {were} s")

"""What each service states that it reads: `reads.toml` beside its `consumers.py`, event type = fields."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from deploy.releases.record import ROOT

Reads = dict[str, set[str]]
"""Event type -> paths, `service.name`, `counts[].count`; of an object: all that is in it. Empty: only that it happened."""


def reads_of(service: str, root: Path = ROOT) -> Reads:
    """What one service reads; nothing where it has no such file, like a release from before there was one."""
    file = root / "services" / service / "src" / service / "reads.toml"
    if not file.is_file():
        return {}
    return {type_: set(fields) for type_, fields in tomllib.loads(file.read_text()).items()}


def uses(reads: Reads, type_: str, path: str) -> bool:
    """Whether something that is read goes when a path goes."""
    return any(_inside(read, path) or _inside(path, read) for read in reads.get(type_, ()))


def topmost(paths: Iterable[str]) -> set[str]:
    """Without those that lie inside others."""
    every = set(paths)
    return {path for path in every if not any(path != other and _inside(path, other) for other in every)}


def _inside(path: str, other: str) -> bool:
    return other == "*" or path == other or path.startswith((f"{other}.", f"{other}["))

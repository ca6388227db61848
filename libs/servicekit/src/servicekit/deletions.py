"""The ledger of deletions: files outside the database that say what must not come back when an older state of it is restored.

A line is an opaque id, nothing else: no person, no time but the day in the file's name, and one file per kind, so that lines of two
kinds can't be brought into one order. It is on disk before the deletion commits, hence before anybody is told that it happened.
"""

import os
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

KEPT = timedelta(days=35)
"""Longer than any backup that may still be restored (30 days)."""


class Ledger:
    """A folder that all processes of one service share, on another disk than its database: `<kind>/<day>-<random>`, a file per process."""

    def __init__(self, folder: Path, kept: timedelta = KEPT) -> None:
        self._folder, self._kept = folder, kept
        self._writer = secrets.token_hex(4)

    def note(self, deleted: Mapping[str, Iterable[UUID]]) -> None:
        """Write down what is about to be deleted; it is on disk when this returns. Raises OSError: then nothing may be deleted."""
        for kind, ids in deleted.items():
            file = self._folder / kind / f"{datetime.now(UTC).date().isoformat()}-{self._writer}"
            new = not file.exists()
            if new:
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.forget_old()
            lines = "".join(f"\n{identifier}" for identifier in ids)  # begins a line: a torn one before it spoils only itself
            _append(file, lines.encode())
            if new:
                _sync_folder(file.parent)

    def read(self) -> dict[str, set[UUID]]:
        """Everything that was noted and is still kept, by kind. What isn't an id was torn while it was written: it never committed."""
        found: defaultdict[str, set[UUID]] = defaultdict(set)
        for file in self._files():
            for line in file.read_text().split():
                with suppress(ValueError):
                    found[file.parent.name].add(UUID(line))
        return dict(found)

    def forget_old(self) -> None:
        """Remove the files of days that no backup reaches back to."""
        oldest = datetime.now(UTC).date() - self._kept
        for file in self._files():
            if date.fromisoformat(file.name[:10]) < oldest:
                file.unlink(missing_ok=True)

    def check(self) -> None:
        """Raises OSError where nothing could be noted."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = self._folder / f".{self._writer}"
        _append(probe, b"")
        probe.unlink()

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-*"))


def _append(file: Path, lines: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if os.write(handle, lines) != len(lines):
            raise OSError(f"{file} is full")
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    for path in (folder, folder.parent):
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Folders in the temporary directory that belong to a process: what a killed run left is removed by the next one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.processes import born
from deploy.local.unprivileged import remove_folder

NOTE = ".owner"
"""In each such folder: who made it."""


def scratch(name: str) -> Path:
    """A new folder `stegvis-<name>-...` that its maker removes; left ones whose maker is gone go first."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"stegvis-{name}-"))
    (folder / NOTE).write_text(f"{os.getpid()} {born(os.getpid())} {_numbering()}")
    return folder


def keep(folder: Path) -> None:
    """The folder stays, for somebody to look at."""
    (folder / NOTE).unlink(missing_ok=True)


@contextmanager
def kept_on_error(folder: Path) -> Iterator[None]:
    """What ends with an error leaves its logs behind; only what was killed leaves nothing."""
    try:
        yield
    except BaseException:
        keep(folder)
        raise


def sweep() -> None:
    """Removes our own folders whose process is gone. What has no note (kept for somebody to look at, or half made) stays."""
    for note in Path(tempfile.gettempdir()).glob(f"stegvis-*/{NOTE}"):
        with suppress(OSError, ValueError):
            pid, began, numbering = note.read_text().split()
            if note.stat().st_uid == os.geteuid() and numbering == _numbering() and str(born(int(pid))) != began:
                for cluster in (note.parent / "cluster", *note.parent.glob("data/postgres/*/cluster")):
                    remove_folder(cluster)
                shutil.rmtree(note.parent, ignore_errors=True)


def _numbering() -> str:
    """In which pid namespace a process has its number: one of another namespace can't be asked for."""
    return os.readlink("/proc/self/ns/pid")

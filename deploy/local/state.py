"""What one data folder remembers of the run that uses it: a lock, and its processes, so that a killed run can be cleaned up."""

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from deploy.local.processes import StartError, born, end_stranger
from deploy.local.unprivileged import remove_folder


class State:
    """The lock and the list of processes of one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    def take(self) -> list[str]:
        """Makes the folder ours and ends what a killed run left; returns the names of those parts.

        StartError when another run uses the folder now.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            lock.close()
            raise StartError(f"{self.folder} is in use by process {pid}: stop that run, or choose another folder with DATA=") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
        return self._end_left_overs()

    def _end_left_overs(self) -> list[str]:
        try:
            recorded = json.loads((self.folder / "state").read_text())
        except (OSError, ValueError):
            return []
        left = [part for part in recorded if part["born"] is not None and born(part["pid"]) == part["born"]]
        for part in left:
            end_stranger(part["pid"])
        (self.folder / "state").unlink(missing_ok=True)
        return [part["name"] for part in left]

    def record(self, pids: Mapping[str, int]) -> None:
        """Writes down which processes run now; 0 stands for none."""
        parts = [{"name": name, "pid": pid, "born": born(pid)} for name, pid in pids.items() if pid]
        half = self.folder / "state.half"
        half.write_text(json.dumps(parts, indent=1))
        half.replace(self.folder / "state")

    def empty(self, *names: str) -> None:
        """Removes what runs stored, by default data and logs; keys and trust stay."""
        clusters = self.folder / "data" / "postgres"
        if clusters.exists():
            for cluster in clusters.iterdir():
                remove_folder(cluster / "cluster")
        for name in names or ("data", "logs"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def release(self) -> None:
        """Gives the folder back."""
        (self.folder / "state").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

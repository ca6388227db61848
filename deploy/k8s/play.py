"""`python -m deploy.k8s.play` (`make k8s RUN=1`): the rendered Deployments run for real, by Podman, and the journey is walked on them.

Databases, Kafka, gateway and test logins are those of docker-compose.yml; the five services are the pods.
"""

import asyncio
import contextlib
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import asyncpg
import yaml
from contracts.catalogue import SERVICES

from deploy.commands import Command, a_port
from deploy.containers.prepare import STATE, authority_of, password_of
from deploy.containers.stack import Stack
from deploy.images.base import NoBaseError
from deploy.images.build import build, image_of
from deploy.images.engine import Engine, EngineError, NoEngineError, engine
from deploy.k8s.podman import Brought, pod_of_job, podman_secret, write_overlay
from deploy.k8s.render import Manifest, RenderError, name_of, of_kind, render
from deploy.kafka.access import Access
from deploy.local.gateway import refuse_busy
from deploy.local.journey.timeline import Watch
from deploy.local.journey.walk import walk
from deploy.local.keys import kafka_passwords
from deploy.local.loopback import status
from deploy.local.platform import Progress
from deploy.local.processes import StartError
from deploy.releases.told import unheard

FOLDER = STATE.with_name("k8s-played")
PROJECT = "stegvis-k8s"
SURROUNDINGS = (*(f"{name}-postgres" for name in SERVICES), "kafka", "kafka-setup", "gateway", "login")
LEFT = ("Secret", "ConfigMap", "PersistentVolumeClaim")
"""Kinds that Podman keeps as secrets and volumes of the same name. It makes a claim's volume for the first pod that names it."""
ONCE = ("migrate", "restored")
"""Roles whose pod does one thing and ends."""
GRACE = 20
"""Seconds, as the Deployments say; Podman 4.3 doesn't read it there."""
INTERNAL_PORT = 9000
WRITES = "touch /x /app/x /run/keys/x 2>/dev/null; ls -d /x /app/x /run/keys/x 2>/dev/null; true"
"""Tries what nobody may, and says what it could."""
REFUSALS = (NoEngineError, NoBaseError, EngineError, StartError, RenderError)


class Played:
    """The five services as pods; a walk's ground. The calls block."""

    def __init__(self, podman: Engine, port: int, progress: Progress) -> None:
        self.podman, self.port, self._progress = podman, port, progress
        self.stack = Stack(podman, FOLDER, PROJECT, port, progress=progress)
        self.manifests: dict[str, list[Manifest]] = {}
        self._addresses: dict[str, str] = {}

    @property
    def urls(self) -> dict[str, str]:
        """The public address of each service."""
        return self.stack.urls

    @property
    def kafka_admin(self) -> Access:
        """The administrator's way in."""
        return self.stack.kafka_admin

    def dsn(self, service: str) -> str:
        """The address of one service's database, with its own role."""
        return self.stack.dsn(service)

    def internal(self, service: str) -> str:
        """The base of the internal address of what serves."""
        return f"http://{self._address(f'{service}-serve')}:{INTERNAL_PORT}"

    @property
    def deployments(self) -> list[str]:
        """Their names."""
        return [found["metadata"]["name"] for manifests in self.manifests.values() for found in of_kind(manifests, "Deployment")]

    def start(self) -> None:
        """Everything from nothing. Raises one of REFUSALS."""
        self.stack.prepare()
        caddyfile = FOLDER / "gateway" / "Caddyfile"
        text = caddyfile.read_text()
        for name in SERVICES:
            text = text.replace(f"{name}-serve:8000", f"{_pod(f'{name}-serve')}:8000")
        caddyfile.write_text(text)
        self.stack.up(*SURROUNDINGS)
        for service in SERVICES:
            self.manifests[service] = render(self._overlay(service))
            self._bring(service)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._migrate, SERVICES))
        self._progress("five databases are migrated, each by its Job's pod")
        for service in SERVICES:
            self._play(service, of_kind(self.manifests[service], "ConfigMap", "Deployment"), "service")
        self.stack.wait_for_jobs()
        self.wait()

    def _overlay(self, service: str) -> Path:
        database = f"postgresql://{service}:{password_of(FOLDER, service)}@{service}-postgres:5432/{service}"
        keys, trust = FOLDER / "keys" / service, FOLDER / "trust"
        brought = Brought(database, kafka_passwords(FOLDER)[service], keys, trust, authority_of(FOLDER))
        return write_overlay(service, FOLDER / "overlays" / service, image_of(service), self.port, brought)

    def _bring(self, service: str) -> None:
        for secret in of_kind(self.manifests[service], "Secret"):
            self.podman.run("secret", "create", secret["metadata"]["name"], "-", said=podman_secret(secret, self.manifests[service]))

    def _play(self, service: str, manifests: list[Manifest], what: str) -> None:
        file = FOLDER / "overlays" / service / f"{what}.yaml"
        file.write_text("---\n".join(yaml.safe_dump(manifest, sort_keys=False) for manifest in manifests))
        networks = [f"--network={PROJECT}_{name}" for name in (service, f"{service}-store")]
        self.podman.run("kube", "play", "--quiet", *networks, file)

    def _migrate(self, service: str) -> None:
        """Runs the Job's pod until it succeeds, as often as the Job says: whoever is early tries again."""
        [limit] = {job["spec"]["backoffLimit"] for job in of_kind(self.manifests[service], "Job") if name_of(job).endswith("-migrate")}
        for attempt in range(limit + 1):
            time.sleep(5 * attempt)
            code, said = self._run_once(service, "migrate")
            if code == "0":
                return
        raise StartError(f"{service}'s migration ended with {code}:\n{said[-1500:]}")

    def _run_once(self, service: str, role: str) -> tuple[str, str]:
        """A Job's pod, to its end: exit code and what it said."""
        pod = pod_of_job(self.manifests[service], role)
        container = f"{pod['metadata']['name']}-process"
        self._play(service, [*of_kind(self.manifests[service], "ConfigMap"), pod], role)
        code, said = self.podman.run("wait", container, seconds=300), self.podman.run("logs", container)
        self.podman.run("pod", "rm", "--force", pod["metadata"]["name"])
        return code, said

    def mend(self) -> int:
        """Each database seems to come from another life, as after a restore; returns how many the Job's own pod made fit again.

        Nothing else of the service runs meanwhile.
        """

        def restored(service: str) -> bool:
            asyncio.run(_of_another_life(self.dsn(service)))
            code, _said = self._run_once(service, "restored")
            return code == "0" and asyncio.run(_lives(self.dsn(service))) > 1

        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(restored, SERVICES))

    def wait(self, seconds: float = 180) -> None:
        """Returns when each process says that it's ready and the five hosts answer: no kubelet probes here. Raises StartError."""
        deadline = time.monotonic() + seconds
        waiting = list(self.deployments)
        hosts = list(self.urls.values())
        while waiting or hosts:
            if time.monotonic() > deadline:
                raise StartError(f"not ready after {seconds:.0f} s: {', '.join(waiting or hosts)}")
            waiting = [name for name in waiting if not self._ready(name)]
            hosts = [url for url in hosts if waiting or not 200 <= status(f"{url}/") < 500]
            time.sleep(0.2)

    def _ready(self, deployment: str) -> bool:
        try:
            with urlopen(f"http://{self._address(deployment)}:{INTERNAL_PORT}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _address(self, deployment: str) -> str:
        if deployment not in self._addresses:
            infra = self.podman.run("pod", "inspect", "--format", "{{.InfraContainerID}}", _pod(deployment))
            form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
            self._addresses[deployment] = self.podman.run("inspect", "--format", form, infra).split()[0]
        return self._addresses[deployment]

    def unrestricted(self) -> Iterator[str]:
        """What a running process may that the restricted profile forbids, as the kernel says it."""
        for deployment in self.deployments:
            container = f"{_pod(deployment)}-process"
            pid = self.podman.run("inspect", "--format", "{{.State.Pid}}", container)
            lines = (line.partition(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            facts = {name: value.split()[0] for name, _, value in lines if value.strip()}
            wanted = {"Uid": "10001", "CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
            yield from (f"{deployment}: {name} is {facts.get(name)}" for name, value in wanted.items() if facts.get(name) != value)
            written = self.podman.run("exec", container, "sh", "-c", WRITES)
            if written:
                yield f"{deployment}: writes {written}"

    def stop(self) -> float:
        """Asks all processes to end; returns the seconds that the last one took. Raises StartError where one was killed."""
        began = time.monotonic()

        def end(deployment: str) -> str:
            container = f"{_pod(deployment)}-process"  # with the whole pod its network would go at once, and with that its database
            self.podman.run("stop", f"--time={GRACE}", container)
            return self.podman.run("inspect", "--format", "{{.State.ExitCode}}", container)

        with ThreadPoolExecutor(len(self.deployments)) as pool:
            codes = dict(zip(self.deployments, pool.map(end, self.deployments), strict=True))
        if killed := {name: code for name, code in codes.items() if code != "0"}:
            raise StartError(f"didn't end as asked: {killed}")
        return time.monotonic() - began

    def keep_logs(self) -> None:
        """A file per process."""
        folder = FOLDER / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        for deployment in self.deployments:
            with contextlib.suppress(EngineError):
                (folder / f"{deployment}.log").write_text(self.podman.run("logs", f"{_pod(deployment)}-process"))
        self.stack.look()
        self.stack.keep_logs()

    def recover(self) -> None:
        """Removes what a run left that was killed."""
        for overlay in sorted(FOLDER.glob("overlays/*")):
            self.manifests[overlay.name] = render(overlay)
        if self.manifests:
            self._progress("the last run was killed: taking down what it left")
            self.remove()
        self.manifests = {}
        shutil.rmtree(FOLDER, ignore_errors=True)

    def remove(self) -> None:
        """Takes down what was played, whatever came of it, and everything around it."""
        for pod in self.podman.run("pod", "ps", "--format", "{{.Name}}").split():
            if any(pod in (_pod(name), *(f"{name.partition('-')[0]}-{once}" for once in ONCE)) for name in self.deployments):
                self.podman.run("pod", "rm", "--force", pod)
        made = {found["metadata"]["name"] for manifests in self.manifests.values() for found in of_kind(manifests, *LEFT)}
        for kind in ("secret", "volume"):
            for name in made & set(self.podman.run(kind, "ls", "--format", "{{.Name}}").split()):
                self.podman.run(kind, "rm", name)
        self.stack.down()
        for service in SERVICES:
            shutil.rmtree(FOLDER / "overlays" / service, ignore_errors=True)


def _pod(deployment: str) -> str:
    """What Podman calls a Deployment's first pod; it's also its host name."""
    return f"{deployment}-pod-0"


async def _of_another_life(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("delete from lineages")
    await connection.execute("insert into lineages (lineage, noted_at) values ('of another life', now())")
    await connection.close()


async def _lives(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    found = await connection.fetchval("select count(*) from lineages")
    await connection.close()
    return int(found)


async def _try(played: Played, progress: Progress) -> tuple[bool, int]:
    ok = await walk(played) == 0
    watch = Watch(played.kafka_admin)
    await watch.start(from_the_start=True)
    try:
        return ok, await unheard(played, watch, progress)
    finally:
        await watch.stop()


def main() -> int:
    """Exit code 0 when the journey was walked, nothing was lost, every process was restricted and ended as asked, and could be mended."""
    parser = Command(prog="python -m deploy.k8s.play", description=__doc__)
    parser.add_argument("--port", type=a_port, default=8080, help="the gateway's, 8080 by default")
    parser.add_argument("--as-built", action="store_true", help="takes the images that are there")
    options = parser.parse_args()
    began = time.monotonic()

    def progress(text: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True)

    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        podman = engine()
        if podman.name != "podman":
            raise NoEngineError("Docker answers, and only Podman plays a Deployment")
        refuse_busy(options.port)
        if not options.as_built:
            build(progress=progress)
        played = Played(podman, options.port, progress)
        played.recover()
        try:
            played.start()
            progress(f"{len(played.deployments)} Deployments are ready")
            broken = list(played.unrestricted())
            print(*broken, sep="\n", end="\n" if broken else "")
            ok, lost = asyncio.run(_try(played, progress))
            seconds = played.stop()
            mended = played.mend()
        finally:
            played.keep_logs()
            played.remove()
    except REFUSALS as error:
        print(f"k8s: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("k8s: stopped, and everything taken down", file=sys.stderr)
        return 130
    count = len(played.deployments)
    journey = "ok" if ok else "failed"
    fine, restricted = f"{mended}/{len(SERVICES)}", "yes" if not broken else "no"
    print(f"k8s: played={count} journey={journey} lost={lost} restricted={restricted} drained_s={seconds:.1f} restored={fine}")
    return 0 if ok and not lost and not broken and mended == len(SERVICES) else 1


if __name__ == "__main__":
    raise SystemExit(main())

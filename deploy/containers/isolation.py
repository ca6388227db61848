"""Who reaches whom: from inside every container, every foreign database, service and door of Kafka, by address and port."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.catalogue import SERVICES, TOPICS

from deploy.containers.prepare import ISSUERS
from deploy.containers.stack import ROLES, ROOT, Part, Stack
from deploy.local.keys import kafka_passwords

SIDE_BY_SIDE = 6
KAFKA_PORTS = (9092, 9093, 19092)
CONTROLLER = 9093
METRICS, PROMETHEUS = 9000, 9090


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try from inside one container."""

    source: str
    what: str
    allowed: bool
    """What this container needs; it shows that the probe can tell an open door from a closed one."""


@dataclass(slots=True)
class Verdict:
    """What came of all attempts."""

    refused: int = 0
    """Attempts that must be refused and were."""
    tried: int = 0
    broken: list[str] = field(default_factory=list)
    """What opened and mustn't, or must and didn't."""

    def __str__(self) -> str:
        return f"{self.refused}/{self.tried}"

    def add(self, attempt: Attempt, opened: bool) -> None:
        if not attempt.allowed:
            self.tried += 1
            self.refused += not opened
        if opened != attempt.allowed:
            self.broken.append(f"{attempt.source} {'reaches' if opened else 'does not reach'} {attempt.what}")


def doors(part: Part) -> tuple[int, ...]:
    """The ports that a part listens on."""
    if part.name.endswith("-postgres"):
        return (5432,)
    if part.name.endswith(("-serve", "-next")):
        return (8000, 9000)
    if part.name.endswith(ROLES):
        return (9000,)
    return {"kafka": KAFKA_PORTS, "login": tuple(ISSUERS.values()), "prometheus": (PROMETHEUS,)}.get(part.name, ())


def agency(name: str) -> str | None:
    """Whose part it is; None for what all share."""
    first = name.partition("-")[0]
    return first if first in SERVICES else None


def may(source: str, target: str, port: int) -> bool | None:
    """Whether one part may call another; None where it's neither needed nor forbidden: among an agency's own."""
    own, other = agency(source), agency(target)
    if source == target or (own and own == other):
        return True if target.endswith("-postgres") and not source.endswith("-postgres") else None
    if target == "kafka" and port != CONTROLLER:
        return True if own and not source.endswith("-postgres") else None if source in {"gateway", "prometheus"} else False
    if source == "gateway":
        return None if other and not target.endswith("-postgres") else target == "login"
    if source == "prometheus":
        return False if not other or target.endswith("-postgres") else True if port == METRICS else None
    if source == "kafka":
        return None if target == "gateway" or (other and not target.endswith("-postgres")) else False
    return False


def _tcp(source: Part, parts: Mapping[str, Part]) -> Iterator[tuple[Attempt, tuple[str, int]]]:
    for target in parts.values():
        for port in doors(target):
            allowed = may(source.name, target.name, port)
            for network, address in target.addresses.items():
                if allowed is None or (allowed and network not in source.addresses):
                    continue
                yield Attempt(source.name, f"{target.name} at {address}:{port}", allowed), (address, port)


def _kafka(source: Part, stack: Stack) -> Iterator[tuple[Attempt, tuple[dict[str, Any], str]]]:
    """As nobody, as somebody else, and as itself where the catalogue doesn't let it."""
    own = agency(source.name)
    if own is None or not source.name.endswith("-serve"):
        return
    broker = f"{stack.parts['kafka'].addresses[own]}:9092"
    password = kafka_passwords(stack.state)[own]
    mine = next(topic.name for topic in TOPICS.values() if own in {topic.owner, *topic.readers})
    foreign = next((topic.name for topic in TOPICS.values() if own not in {topic.owner, *topic.readers}), None)
    other = next(name for name in SERVICES if name != own)
    me = replace(stack.kafka_admin, bootstrap=broker).principal(own, password)
    yield Attempt(own, "Kafka as itself", True), (me.librdkafka, mine)
    yield Attempt(own, "Kafka as nobody", False), (replace(me, protocol="SSL", username=None, password=None).librdkafka, mine)
    yield Attempt(own, f"Kafka as {other} with its own password", False), (me.principal(other, password).librdkafka, mine)
    yield Attempt(own, "Kafka as the administrator with its own password", False), (me.principal("admin", password).librdkafka, mine)
    if foreign:
        yield Attempt(own, f"the foreign topic {foreign}", False), (me.librdkafka, foreign)


def try_everything(stack: Stack) -> Verdict:
    """The whole matrix. Takes root: it enters the containers' networks."""
    stack.look()
    running = [part for part in stack.parts.values() if part.running]
    parts = {part.name: part for part in running}
    verdict = Verdict()

    def ask(source: Part) -> list[tuple[Attempt, bool]]:
        tcp, kafka = list(_tcp(source, parts)), list(_kafka(source, stack))
        asked = {"tcp": [where for _, where in tcp], "kafka": [where for _, where in kafka]}
        command = ["nsenter", "--net", "--target", str(source.pid), sys.executable, "-m", "deploy.containers.probe"]
        done = subprocess.run(command, cwd=ROOT, input=json.dumps(asked), capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        attempts = [attempt for attempt, _ in tcp] + [attempt for attempt, _ in kafka]
        return list(zip(attempts, told["tcp"] + told["kafka"], strict=True))

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for answers in pool.map(ask, running):
            for attempt, opened in answers:
                verdict.add(attempt, opened)
    return verdict

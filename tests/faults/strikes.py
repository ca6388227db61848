"""What is done to the platform: seeded, one strike after the other, each with its end."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from contracts.catalogue import SERVICES, topics_owned_by, topics_read_by
from servicekit.crash import Place

from deploy.local.platform import Platform
from deploy.local.processes import free_ports
from deploy.local.services import READY_SECONDS, ServiceProcess, status

FROZEN_SECONDS = 12.0
"""Longer than a consumer may be silent (6 s) and a transaction idle (10 s): another process has its partitions and leads when it thaws."""
TOGETHER_SECONDS = 2.0
JOINS = 3
AWAY_SECONDS = 4.0
REACHED_SECONDS = 10.0
"""A place that isn't reached in this time, the start included, is left; the process is killed where it is."""
BUSIEST = "dialog"
WRITERS = tuple(name for name in SERVICES if topics_owned_by(name))
READERS = tuple(name for name in SERVICES if topics_read_by(name))


def places_of(service: str) -> list[Place]:
    """The named places that a service has: who tells nothing has no relay, who reads nothing no consumer."""
    families = ("command", "timer", *(["relay"] * (service in WRITERS)), *(["consumer"] * (service in READERS)))
    return [place for place in Place if place.split(".")[0] in families]


@dataclass
class Strikes:
    """Strikes at one platform; `log` says what was done."""

    platform: Platform
    random: random.Random
    kills: int = 0
    places: Counter[str] = field(default_factory=Counter)
    """Named places at which a service died."""
    done: Counter[str] = field(default_factory=Counter)
    """Rows of the table that were struck, by name."""
    healing_since: float = 0.0
    """When the last thing that was struck began to come back."""
    _deck: list[Callable[[], Awaitable[str]]] = field(default_factory=list)
    _left: list[tuple[str, Place]] = field(default_factory=list)

    async def strike(self) -> str:
        """One strike, healed again when this returns; says what it was."""
        if not self._deck:
            self._deck = self._shuffled()
        work = self._deck.pop(0)
        self.done[work.__name__] += 1
        return await work()

    def weights(self) -> dict[Callable[[], Awaitable[str]], int]:
        """What may be struck, and how often beside the others."""
        return {
            self.die_at_a_place: 8,
            self.kill_a_service: 4,
            self.kill_all_services: 1,
            self.freeze_a_service: 1,
            self.join_and_die: 1,
            self.kill_a_broker: 2,
            self.take_two_brokers: 1 if len(self.platform.kafka.nodes) == 3 else 0,
            self.crash_a_database: 2,
            self.deploy: 1,
        }

    def _shuffled(self) -> list[Callable[[], Awaitable[str]]]:
        """Each kind once, then each as often again as it weighs, both in a random order."""
        kinds = [work for work, weight in self.weights().items() if weight]
        others = [work for work, weight in self.weights().items() for _ in range(weight - 1)]
        for cards in (kinds, others):
            self.random.shuffle(cards)
        return kinds + others

    async def die_at_a_place(self) -> str:
        """Starts a service again such that it dies at a named place; then as it should be."""
        if not self._left:  # each place of each service once, in a random order, then anew
            self._left = [(service, place) for service in SERVICES for place in places_of(service)]
            self.random.shuffle(self._left)
        service, place = self._left.pop()
        await self._restart(service, CRASH_AT=f"{place}:{self.random.randint(1, 4) if service == BUSIEST else 1}")
        deadline = time.monotonic() + REACHED_SECONDS
        while self._alive(service) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # a process, not a task
        reached = not self._alive(service)
        self.places[f"{service} {place}"] += reached
        await asyncio.to_thread(self.platform.kill, service)
        self.kills += 1
        await self._restart(service, CRASH_AT="")
        return f"{service} died at {place}" if reached else f"{service} killed, {place} not reached"

    async def kill_a_service(self) -> str:
        service = self.random.choice(SERVICES)
        await asyncio.to_thread(self.platform.kill, service)
        self.kills += 1
        await asyncio.sleep(self.random.uniform(0, 1))
        await self._restart(service)
        return f"{service} killed"

    async def kill_all_services(self) -> str:
        """As when their machine dies and comes back."""
        for service in SERVICES:
            self.platform.signal(service, signal.SIGKILL)
        self.kills += len(SERVICES)
        self.healing_since = time.monotonic()
        await asyncio.gather(*(asyncio.to_thread(self.platform.restart, service) for service in SERVICES))
        return "all services killed at once"

    async def freeze_a_service(self) -> str:
        """Another process takes over while it is frozen; when it thaws it doesn't know, and both run for a while."""
        service = self.random.choice(SERVICES)
        other = await self._another(service)
        self.platform.signal(service, signal.SIGSTOP)
        await asyncio.sleep(FROZEN_SECONDS)
        self.healing_since = time.monotonic()
        self.platform.signal(service, signal.SIGCONT)
        await asyncio.sleep(TOGETHER_SECONDS)
        await asyncio.to_thread(other.child.kill)
        self.kills += 1
        return f"{service} frozen {FROZEN_SECONDS:.0f} s, another took over"

    async def join_and_die(self) -> str:
        """Other processes of a service join its group and are killed soon after, one after the other: partitions move each time."""
        service = self.random.choice(READERS)
        for _ in range(JOINS):
            other = await self._another(service)
            await asyncio.sleep(self.random.uniform(0, 2 * TOGETHER_SECONDS))
            self.healing_since = time.monotonic()
            await asyncio.to_thread(other.child.kill)
            self.kills += 1
        return f"{JOINS} others of {service} joined and died"

    async def kill_a_broker(self) -> str:
        node = self.random.choice(list(self.platform.kafka.nodes))
        await asyncio.to_thread(self.platform.kill_broker, node)
        self.kills += 1
        await asyncio.sleep(AWAY_SECONDS)
        self.healing_since = time.monotonic()
        await asyncio.to_thread(self.platform.restart_broker, node)
        return f"broker {node} killed"

    async def take_two_brokers(self) -> str:
        nodes = self.random.sample(list(self.platform.kafka.nodes), 2)
        for node in nodes:
            await asyncio.to_thread(self.platform.kill_broker, node)
            self.kills += 1
        await asyncio.sleep(AWAY_SECONDS)
        self.healing_since = time.monotonic()
        for node in nodes:
            await asyncio.to_thread(self.platform.restart_broker, node, False)
        await asyncio.to_thread(self.platform.kafka.wait)
        return f"brokers {nodes} of three gone {AWAY_SECONDS:.0f} s"

    async def crash_a_database(self) -> str:
        service = self.random.choice(SERVICES)
        await asyncio.to_thread(self.platform.databases[service].crash)
        self.kills += 1
        await asyncio.sleep(self.random.uniform(0, 2))
        self.healing_since = time.monotonic()
        await asyncio.to_thread(self.platform.databases[service].start)
        return f"database of {service} shut down at once"

    async def deploy(self) -> str:
        """All services restarted one after the other, as a release does."""
        for service in SERVICES:
            await self._restart(service)
        return "all services restarted one by one"

    async def heal(self) -> None:
        """Everything runs, as it should."""
        for service in self.platform.dead():
            await self._restart(service, CRASH_AT="")

    async def _another(self, service: str) -> ServiceProcess:
        """A second process of a service: it consumes with the first one, stands by as relay, and nobody asks it for pages."""
        port, internal = free_ports(2)
        settings = self.platform.services[service].environment | {"PORT": str(port), "INTERNAL_PORT": str(internal), "CRASH_AT": ""}
        other = ServiceProcess(service, settings, self.platform.log(f"{service}-2"))
        await asyncio.to_thread(other.start)
        await asyncio.to_thread(other.child.wait_until, lambda: status(internal, "/readyz") == 200, READY_SECONDS)
        return other

    async def _restart(self, service: str, **changed: str) -> None:
        self.healing_since = time.monotonic()
        await asyncio.to_thread(lambda: self.platform.restart(service, wait=not changed.get("CRASH_AT"), **changed))

    def _alive(self, service: str) -> bool:
        return service not in self.platform.dead()

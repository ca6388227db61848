"""Facts of dialog for info on a platform of containers: told, relayed, applied, counted; and pages of info."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from contracts.dialog import AnswerRecalled

from deploy.containers.stack import Stack
from deploy.local.loopback import client

TELLS, HEARS = "dialog", "info"
TOPIC = AnswerRecalled.topic
FACTS, KEYS = 50_000, 300
READERS, READ_SECONDS = 12, 6.0
LOG = """
create table bench_log (position bigint generated always as identity, key text, last_sequence bigint,
  at timestamptz not null default clock_timestamp());
create function bench_note() returns trigger language plpgsql as $$
  begin insert into bench_log (key, last_sequence) values (new.key, new.last_sequence); return new; end $$;
create trigger bench_note after insert or update on inbox_keys for each row when (new.topic = '%s') execute function bench_note();
"""
"""Notes in the transaction itself how far each key was applied, in the order in which that happened."""
TELL = """insert into outbox (topic, key, headers, value, time)
select $1, key, $3::jsonb || jsonb_build_object('ce_id', gen_random_uuid()::text, 'ce_sequence', sequence::text),
  convert_to(jsonb_build_object('publication_id', key)::text, 'UTF8'), date_trunc('second', now())
from unnest($2::text[], $4::bigint[]) as fact(key, sequence)"""


@dataclass
class Scene:
    """A running stack with two of each process, and a connection to both databases."""

    stack: Stack
    teller: asyncpg.Connection
    hearer: asyncpg.Connection
    keys: dict[UUID, int] = field(default_factory=lambda: {uuid4(): 0 for _ in range(KEYS)})
    """Key -> the last sequence that was told."""
    told: int = 0

    @property
    def names(self) -> set[str]:
        """The keys as Kafka has them."""
        return {str(key) for key in self.keys}

    @classmethod
    @asynccontextmanager
    async def of(cls, stack: Stack) -> AsyncIterator["Scene"]:
        """Begins to note the order in which events are applied."""
        teller, hearer = [await asyncpg.connect(stack.dsn(name)) for name in (TELLS, HEARS)]
        try:
            await hearer.execute(LOG % TOPIC)
            yield cls(stack, teller, hearer)
        finally:
            await teller.close()
            await hearer.close()

    def parts(self, role: str) -> list[str]:
        """The containers of one process, e.g. of `info-consume`."""
        return sorted(name for name in self.stack.parts if name.partition(".")[0] == role)

    async def run(self, role: str, count: int) -> None:
        """So many of one process run; returns when they are ready."""
        for place, name in enumerate(self.parts(role)):
            wanted = place < count
            if self.stack.parts[name].running != wanted:
                command = ("start",) if wanted else ("stop", "--time", "12")
                await asyncio.to_thread(self.stack.engine.run, *command, self.stack.parts[name].container)
        await asyncio.to_thread(self.stack.wait, self.parts(role)[:count])

    async def tell(self, count: int) -> list[tuple[UUID, int]]:
        """So many facts in one transaction, the keys in turn; each with its sequence."""
        facts = []
        for key in itertools.islice(itertools.cycle(self.keys), self.told % KEYS, self.told % KEYS + count):
            self.keys[key] += 1
            facts.append((key, self.keys[key]))
        self.told += count
        headers = {"ce_specversion": "1.0", "ce_type": AnswerRecalled.type, "ce_source": TELLS, "ce_time": "2026-01-01T00:00:00Z"}
        headers |= {"ce_dataschema": f"urn:stegvis:event:{AnswerRecalled.type}", "content-type": "application/json"}
        async with self.teller.transaction():
            await self.teller.execute(TELL, TOPIC, [str(key) for key, _ in facts], json.dumps(headers), [sequence for _, sequence in facts])
            await self.teller.execute("select pg_notify('outbox', '')")
        return facts

    async def unsent(self) -> int:
        """Facts that wait for the relay."""
        return int(await self.teller.fetchval("select count(*) from outbox where topic = $1", TOPIC))

    async def applied(self) -> int:
        """How many of the facts were applied."""
        reached = "select coalesce(sum(last_sequence), 0) from inbox_keys where consumer = $1 and key = any($2::text[])"
        return int(await self.hearer.fetchval(reached, HEARS, list(self.names)))

    async def rates(self, count: int) -> tuple[float, float, float]:
        """Facts relayed, events applied and pages answered per second by `count` of each process."""
        for role in (f"{TELLS}-relay", f"{HEARS}-serve"):
            await self.run(role, count)
        await self.run(f"{HEARS}-consume", 0)
        await self.tell(FACTS)
        began = time.monotonic()
        await _until(self._nothing_waits)
        relayed = FACTS / (time.monotonic() - began)
        await self.run(f"{HEARS}-consume", count)
        await _until(self._all_applied)
        return relayed, await self._apply_rate(), await self._pages_rate()

    async def _nothing_waits(self) -> bool:
        return not await self.unsent()

    async def _all_applied(self) -> bool:
        return await self.applied() == self.told

    async def all_applied(self) -> None:
        """Returns when info has applied every fact. Raises TimeoutError."""
        await _until(self._all_applied)

    async def _apply_rate(self) -> float:
        """From the first commit after the consumers came back to the last: joining the group is nobody's merit."""
        newest = "select received_at from inbox where consumer = $1 order by received_at desc limit $2"
        moments = [row["received_at"] for row in await self.hearer.fetch(newest, HEARS, FACTS)]
        first = sum(moment == moments[-1] for moment in moments)
        return float((len(moments) - first) / (moments[0] - moments[-1]).total_seconds())

    async def _pages_rate(self) -> float:
        """Searches that no cache answers, by the gateway and TLS, one after the other per reader."""
        ends, answered = time.monotonic() + READ_SECONDS, 0

        async def read(number: int) -> None:
            nonlocal answered
            async with client(20) as http:
                for turn in itertools.count():
                    if time.monotonic() > ends:
                        return
                    address = f"{self.stack.urls[HEARS]}/sok"
                    answer = await http.get(address, params={"q": f"trist {number} {turn}"}, headers={"accept": "text/html"})
                    answered += answer.status_code == 200

        await asyncio.gather(*(read(number) for number in range(READERS)))
        return answered / READ_SECONDS


async def _until(holds: Callable[[], Awaitable[Any]], seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not there after {seconds:.0f} s")
        await asyncio.sleep(0.05)

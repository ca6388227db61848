"""Faults that somebody might build into the plumbing. Each is a change of its real source, made in the memory of a test alone."""

import asyncio
import inspect
import textwrap
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from servicekit import crash, idempotency, timers
from servicekit.crash import Place
from servicekit.delivery import consumer, inbox, lanes, outbox, relay
from sqlalchemy.exc import DBAPIError

from tests.faults.plant import Plant


@dataclass(frozen=True, slots=True)
class Change:
    """`old` becomes `new` in the source of one function of a module or class."""

    owner: Any
    name: str
    old: str
    new: str

    def make(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source = textwrap.dedent(inspect.getsource(getattr(self.owner, self.name)))
        assert self.old in source, f"{self.name} doesn't say {self.old!r} any more: this mutant needs another change"
        module = inspect.getmodule(self.owner) if inspect.isclass(self.owner) else self.owner
        made: dict[str, Any] = {}
        exec(source.replace(self.old, self.new), module.__dict__, made)
        monkeypatch.setattr(self.owner, self.name, made[self.name])


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault, the story in which it does harm, and the harm that the checker must find."""

    name: str
    changes: tuple[Change, ...]
    story: Callable[[Plant], Awaitable[None]]
    harm: str


def at(place: Place, nth: int = 1) -> None:
    crash.arm(f"{place}:{nth}")


async def _told(plant: Plant, times: int = 3, keys: int = 1) -> None:
    for article in await plant.articles(keys):
        for number in range(times):
            await plant.command(f"{article}/{number}", article)


async def relay_dies_before_the_ack(plant: Plant) -> None:
    await _told(plant)
    plant.bus.plan = ["refuse"]
    await plant.relay()


async def reader_dies_after_its_effect(plant: Plant) -> None:
    await _told(plant)
    await plant.relay()
    at(Place.CONSUMER_COMMITTED)
    await plant.read()


async def reader_dies_before_its_commit(plant: Plant) -> None:
    await _told(plant)
    await plant.relay()
    at(Place.CONSUMER_APPLIED)
    await plant.read()


async def a_slow_writer_is_overtaken(plant: Plant) -> None:
    slow, fast = await plant.articles(2)
    written, overtaken = asyncio.Event(), asyncio.Event()

    async def dawdle() -> None:
        written.set()
        await overtaken.wait()

    writing = asyncio.create_task(plant.command("slow", slow, before_commit=dawdle))
    await written.wait()
    await plant.command("fast", fast)
    await plant.relay()
    overtaken.set()
    await writing


async def a_batch_is_refused(plant: Plant) -> None:
    await _told(plant, times=6)
    plant.bus.plan = ["take", "refuse"]
    await plant.relay()


async def a_record_vanishes(plant: Plant) -> None:
    [article] = await plant.articles(1)
    for number in range(4):
        await plant.command(str(number), article)
    await plant.relay()
    plant.bus.drop(str(article), 2)


async def an_old_record_comes_under_a_new_id(plant: Plant) -> None:
    await _told(plant)
    await plant.relay()
    await plant.read()
    for place in list(plant.bus.log):
        plant.bus.repeat(place, 0, "00000000-0000-4000-8000-000000000001")


async def the_door_dies_and_the_client_tries_again(plant: Plant) -> None:
    [article] = await plant.articles(1)
    at(Place.COMMAND_TOLD)
    await plant.command("a", article)
    crash.arm(None)
    await plant.command("a", article)


async def a_commit_fails(plant: Plant) -> None:
    [article] = await plant.articles(1)
    await plant.refuse_commits()
    with suppress(DBAPIError):
        await plant.command("a", article)


async def the_answer_is_lost_and_the_client_tries_again(plant: Plant) -> None:
    [article] = await plant.articles(1)
    at(Place.COMMAND_COMMITTED)
    await plant.command("a", article)
    crash.arm(None)
    await plant.command("a", article)


async def two_replicas_see_one_timer(plant: Plant) -> None:
    await plant.tick("x")
    await plant.run_timers(replicas=2)


async def two_relays_at_once(plant: Plant) -> None:
    await _told(plant, times=6)
    plant.bus.latency = 0.05
    await asyncio.gather(plant.relay("one"), plant.relay("two"))


async def a_command_is_refused_late(plant: Plant) -> None:
    [article] = await plant.articles(1)
    await plant.command("a", article, refused=True)


async def a_key_is_parked_and_more_comes(plant: Plant) -> None:
    first, _ = await plant.articles(2)
    plant.failing = {str(first)}
    await plant.command("0", first)
    await plant.relay()
    await plant.read()
    plant.failing = set()
    await plant.command("1", first)


NO_INBOX = (
    Change(inbox.Batch, "receive", "if record.id in new:", "if True:"),
    Change(inbox, "_is_old", "return ", "return False and "),
)

MUTANTS = (
    Mutant(
        "the relay forgets a fact before its acknowledgement",
        (
            Change(
                relay.Relay,
                "round",
                "outcome = await send(",
                "await connection.execute(_FORGET, [row[0] for row in rows], [], [], []); await connection.execute('commit'); "
                "outcome = await send(",
            ),
        ),
        relay_dies_before_the_ack,
        "zombies",
    ),
    Mutant("the consumer keeps no receipts", NO_INBOX, reader_dies_after_its_effect, "duplicates"),
    Mutant(
        "the relay goes by a cursor",
        (
            Change(
                relay.Relay,
                "round",
                "if not rows:",
                "rows = [row for row in rows if row[0] > _CURSOR[0]]; _CURSOR[0] = max([_CURSOR[0], *(row[0] for row in rows)])\n"
                "        if not rows:",
            ),
        ),
        a_slow_writer_is_overtaken,
        "zombies",
    ),
    Mutant(
        "offsets are committed before the effect",
        (
            Change(
                consumer.Consumer,
                "_apply",
                "error = await self._try(batch",
                "await self._commit(consumer, partitions); error = await self._try(batch",
            ),
        ),
        reader_dies_before_its_commit,
        "lost",
    ),
    Mutant(
        "receipts are left in a transaction of their own",
        (
            Change(
                inbox,
                "_apply",
                "fresh = await batch.receive(records)",
                "\n        async with begin() as batch._uow: fresh = await batch.receive(records)\n        batch._uow = uow",
            ),
        ),
        reader_dies_before_its_commit,
        "lost",
    ),
    Mutant(
        "a partition goes on behind a batch that failed",
        (Change(lanes, "_send_lane", "            return\n", "            continue\n"),),
        a_batch_is_refused,
        "inversions",
    ),
    Mutant(
        "the consumer doesn't look at sequences",
        (Change(inbox, "_is_old", "return ", "return False and "),),
        an_old_record_comes_under_a_new_id,
        "duplicates",
    ),
    Mutant(
        "the idempotency key is kept in a transaction of its own",
        (
            Change(
                idempotency,
                "once",
                "taken = await uow.connection.execute(_TAKE,",
                "async with uow.connection.engine.begin() as other:\n        taken = await other.execute(_TAKE,",
            ),
        ),
        the_door_dies_and_the_client_tries_again,
        "lost",
    ),
    Mutant(
        "a commit that fails is taken for done",
        (Change(outbox, "beginner", "async with engine.begin() as connection", "async with _careless(engine) as connection"),),
        a_commit_fails,
        "lost",
    ),
    Mutant(
        "requests that come again act again",
        (Change(idempotency, "once", "if taken.first() is None:", "if False:"),),
        the_answer_is_lost_and_the_client_tries_again,
        "duplicates",
    ),
    Mutant(
        "a gap is passed over",
        (Change(inbox, "_fault", "record.sequence > last + 1", "False"),),
        a_record_vanishes,
        "inversions",
    ),
    Mutant(
        "a timer is run by everybody who sees it",
        (Change(timers, "_run_one", "if not await uow.connection.scalar(_CLAIM", "if False and (_CLAIM"),),
        two_replicas_see_one_timer,
        "duplicates",
    ),
    Mutant(
        "every relay leads",
        (Change(relay.Relay, "round", "if not leads:", "if False:"),),
        two_relays_at_once,
        "resent",
    ),
    Mutant(
        "facts are written after the state's commit",
        (
            Change(
                outbox,
                "beginner",
                "            yield uow\n            await uow.flush()",
                "            uow.flush, flush = _nothing, uow.flush\n            yield uow\n        crash.reach(Place.COMMAND_TOLD)\n"
                "        async with engine.begin() as uow.connection:\n            await flush()",
            ),
        ),
        the_door_dies_and_the_client_tries_again,
        "zombies",
    ),
    Mutant(
        "facts are written before the state's commit",
        (
            Change(
                outbox.UnitOfWork,
                "_write_facts",
                "await self.connection.exec_driver_sql(_TELL, (*columns, self._clock_offset))",
                "async with self.connection.engine.begin() as other: await other.exec_driver_sql(_TELL, (*columns, self._clock_offset))",
            ),
        ),
        a_command_is_refused_late,
        "ghosts",
    ),
    Mutant(
        "events pass a parked one of their key",
        (Change(inbox.Batch, "admit", "if key.parked and", "if False and"),),
        a_key_is_parked_and_more_comes,
        "inversions",
    ),
)

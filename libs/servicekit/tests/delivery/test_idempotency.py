"""A repeated request acts once and is answered twice."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from servicekit.idempotency import KeyReusedError, fingerprint, once
from servicekit.timers import ensure_recurring, run_due
from servicekit.timers import with_housekeeping as housekept
from sqlalchemy import text

from deploy.testing import Database, until


class RuleError(Exception):
    """The command was refused."""


@pytest.fixture
def request_of(database: Database):
    """Sends one request: `act` in a transaction of its own, at most once per key."""

    async def send(key: bytes, act: Callable[[], Awaitable[dict[str, str]]], fields: dict[str, str] | None = None) -> dict[str, str]:
        async with database.begin() as uow:
            return await once(uow, key, fingerprint(key, fields or {"text": "a"}), act)

    return send


class Act:
    """Something that must happen once."""

    def __init__(self) -> None:
        self.times = 0
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def __call__(self) -> dict[str, str]:
        self.times += 1
        await self.go.wait()
        if self.error:
            raise self.error
        return {"id": str(uuid4())}


async def test_a_repeat_is_answered_as_the_first_and_does_nothing(request_of):
    """INVARIANT: one command, one effect, however often it is sent."""
    key, act = secrets.token_bytes(32), Act()
    first = await request_of(key, act)
    assert [await request_of(key, act) for _ in range(2)] == [first, first]
    assert act.times == 1
    assert await request_of(secrets.token_bytes(32), act) != first


async def test_a_key_serves_one_command_only(request_of):
    key, act = secrets.token_bytes(32), Act()
    await request_of(key, act)
    with pytest.raises(KeyReusedError):
        await request_of(key, act, {"text": "b"})
    assert act.times == 1


def test_a_fingerprint_depends_on_key_names_values_and_nothing_else():
    assert fingerprint(b"k", {"a": "1", "b": "2"}) == fingerprint(b"k", {"b": "2", "a": "1"})
    others = [fingerprint(b"l", {"a": "1"}), fingerprint(b"k", {"a": "1"}), fingerprint(b"k", {"a1": ""}), fingerprint(b"k", {"": "a1"})]
    assert len(set(others)) == 4


async def waiting_for_a_lock(database: Database) -> int:
    async with database.engine.connect() as connection:
        waiting = text("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
        return await connection.scalar(waiting)


async def test_duplicates_at_the_same_time_wait_for_the_first(database, request_of):
    """INVARIANT: a double click acts once."""
    key, act = secrets.token_bytes(32), Act()
    act.go.clear()
    requests = [asyncio.create_task(request_of(key, act)) for _ in range(5)]

    async def all_wait():
        return await waiting_for_a_lock(database) == 4

    await until(all_wait)
    act.go.set()
    answers = await asyncio.gather(*requests)
    assert act.times == 1
    assert len({answer["id"] for answer in answers}) == 1


async def test_when_the_first_rolls_back_the_second_acts(database, request_of):
    key, first, second = secrets.token_bytes(32), Act(), Act()
    first.go.clear()
    first.error = RuleError()
    refused = asyncio.create_task(request_of(key, first))

    async def first_acts():
        return first.times

    async def second_waits():
        return await waiting_for_a_lock(database)

    await until(first_acts)
    answered = asyncio.create_task(request_of(key, second))
    await until(second_waits)
    first.go.set()
    with pytest.raises(RuleError):
        await refused
    assert "id" in await answered
    assert (first.times, second.times) == (1, 1)


async def test_nothing_that_was_typed_is_kept_and_all_is_forgotten_after_a_day(database, request_of):
    """INVARIANT: neither the key nor the text can be read back."""
    key = secrets.token_bytes(32)
    await request_of(key, Act(), {"text": "a secret"})
    async with database.engine.connect() as connection:
        [row] = (await connection.execute(text("select * from idempotency_keys"))).all()
    assert key not in (row.key_hash, row.fingerprint)
    assert b"secret" not in row.key_hash + row.fingerprint
    for hours, left in ((23, 1), (25, 0)):
        begin = database.begin_at(timedelta(hours=hours))
        await ensure_recurring(begin, housekept({}))
        await run_due(begin, housekept({}))
        async with database.engine.connect() as connection:
            assert await connection.scalar(text("select count(*) from idempotency_keys")) == left

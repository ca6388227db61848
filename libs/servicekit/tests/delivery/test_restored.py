"""A publisher is restored to an earlier time, on a topic that has gone on: others know facts that it doesn't."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from contracts.info import ArticleWithdrawn
from servicekit import parked
from servicekit.deletions import Ledger
from servicekit.delivery.behind import TopicsForgotError, read_told
from servicekit.delivery.relay import Relay
from servicekit.restored import Report, UnknownKindError, ensure
from servicekit.service import Service
from sqlalchemy import text

from deploy.testing import Database, until
from deploy.testing.databases import opened

TOPIC = ArticleWithdrawn.topic


class Agency:
    """A publisher whose database is backed up and restored: a copy of the database takes its place."""

    def __init__(self, dsn: str, templates, kafka, articles, settings, running, folder) -> None:
        self._dsn, self._templates, self._kafka, self._articles = dsn, templates, kafka, articles
        self._settings, self._running, self._folder = settings, running, folder
        self.erased: list[UUID] = []

    def database(self):
        return opened("info", self._dsn)

    async def create(self, count: int) -> list[UUID]:
        async with self.database() as database:
            return await self._articles.create(database, count)

    async def tells(self, *ids: UUID, times: int = 1) -> None:
        async with self.database() as database:
            for article in ids:
                for _ in range(times):
                    async with database.begin() as uow:
                        await self._articles.withdraw(uow, article)

    async def relays(self, left: int = 0) -> None:
        """Until so many facts are left."""
        async with self.database() as database, self._running(Relay(self._where)):
            await until(lambda: _waits(database, left), seconds=60)

    async def is_backed_up(self) -> str:
        copy = f"backup_{uuid4().hex}"
        await self._templates._execute(f"create database {copy} template {self._dsn.rsplit('/', 1)[1]}")
        return copy

    async def is_restored(self, copy: str) -> None:
        self._dsn = self._templates.address(copy)
        async with self.database() as database, database.engine.begin() as connection:
            await connection.execute(text("update lineages set lineage = gen_random_uuid()::text"))

    async def starts(self) -> Report | None:
        return await ensure(self.service)

    @property
    def service(self) -> Service:
        where = self._where.model_copy(update={"deletions_dir": self._folder})
        return cast(Service, SimpleNamespace(name="info", settings=where, erasers={"article": self._erase}, handlers={}))

    async def decides(self, *words: str) -> list[dict[str, Any]]:
        asked = parked.parse("info", [*words, "--topic", TOPIC, "--by", "test", "--reason", "a test"])
        async with self.database() as database:
            return [line async for line in parked._do(self.service, database.begin, asked)]

    async def _erase(self, _uow: object, ids: list[UUID]) -> int:
        self.erased += ids
        return len(ids)

    @property
    def _where(self):
        return self._settings(self._dsn, self._kafka.access("info"))


async def _waits(database: Database, left: int) -> bool:
    async with database.engine.connect() as connection:
        return await connection.scalar(text("select count(*) from outbox")) == left


@pytest.fixture
async def agency(templates, prepare, kafka, articles, settings, running, tmp_path) -> AsyncIterator[Agency]:
    async with templates.copy("articles", prepare) as dsn:
        yield Agency(dsn, templates, kafka, articles, settings, running, tmp_path / "ledger")


@asynccontextmanager
async def gone_on(agency: Agency) -> AsyncIterator[tuple[UUID, UUID, UUID, UUID]]:
    """Four articles as a restore finds them: told further, as it was, told but not sent yet, and one that was new since."""
    further, same, unsent = await agency.create(3)
    await agency.starts()
    await agency.tells(further, same, times=2)
    await agency.relays()
    await agency.tells(unsent)
    copy = await agency.is_backed_up()
    [new] = await agency.create(1)
    await agency.tells(further, times=2)
    await agency.tells(new)
    await agency.relays()
    await agency.is_restored(copy)
    try:
        yield further, same, unsent, new
    finally:
        await agency._templates._execute(f"drop database {copy} with (force)")


def of_topic(report: Report | None) -> dict[str, list[int]]:
    return {key.key: key.sequences for key in report.unknown if key.topic == TOPIC} if report else {}


async def test_the_list_is_exact_and_its_keys_wait_while_others_flow(agency, log):
    """INVARIANT: no sequence is told twice with another meaning: a restored aggregate doesn't go on by itself."""
    async with gone_on(agency) as (further, same, unsent, new):
        report = await agency.starts()
        assert of_topic(report) == {str(further): [3, 4], str(new): [1]}
        assert await agency.starts() is None
        await agency.tells(further, same)
        await agency.relays(left=1)
        await until(lambda: log.has(same, [1, 2, 3]), seconds=60)
        assert (log.sequences[str(further)], log.sequences[str(unsent)]) == ([1, 2, 3, 4], [1])
        assert len({dict(record.headers)["ce_id"] for record in log.records}) == len(log.records)


async def test_a_person_lets_a_key_go_on_behind_what_others_know(agency, log):
    async with gone_on(agency) as (further, _, _, new):
        await agency.starts()
        await agency.tells(further)
        waiting = {line["key"]: line["events"] for line in await agency.decides("list")}
        assert (waiting[str(further)], waiting[str(new)]) == (2, 1)
        [outcome] = await agency.decides("retry", str(further))
        assert (outcome["applied"], outcome["skipped"], outcome["left"]) == (1, 0, 0)
        await agency.tells(further)
        await agency.relays()
        await until(lambda: log.has(further, [1, 2, 3, 4, 5, 6]), seconds=60)


async def test_a_person_leaves_out_what_waits(agency, log):
    async with gone_on(agency) as (further, _, _, _):
        await agency.starts()
        await agency.tells(further)
        [outcome] = await agency.decides("skip", str(further))
        assert (outcome["applied"], outcome["skipped"]) == (0, 1)
        await agency.tells(further)
        await agency.relays()
        await until(lambda: log.has(further, [1, 2, 3, 4, 5]), seconds=60)


async def test_all_keys_of_a_topic_at_once_and_a_second_restore(agency, log):
    async with gone_on(agency) as (further, _, _, new):
        await agency.starts()
        assert {line["key"] for line in await agency.decides("retry")} == {str(further), str(new)}
        await agency.tells(further)
        await agency.relays()
        copy = await agency.is_backed_up()
        await agency.tells(further, times=3)
        await agency.relays()
        await agency.is_restored(copy)
        assert of_topic(await agency.starts()) == {str(further): [6, 7, 8]}
        await agency.decides("retry", str(further))
        await agency.tells(further)
        await agency.relays()
        await until(lambda: log.has(further, [1, 2, 3, 4, 5, 6, 7, 8, 9]), seconds=60)
        await agency._templates._execute(f"drop database {copy} with (force)")


async def test_what_the_ledger_says_is_deleted_before_anything_else(agency):
    """INVARIANT: what was deleted doesn't come back with a restored database."""
    async with gone_on(agency):
        deleted = uuid4()
        Ledger(agency._folder).note({"article": [deleted]})
        report = await agency.starts()
        assert report is not None
        assert (report.read_back, report.deleted, agency.erased) == (1, 1, [deleted])


async def test_a_restored_database_waits_for_somebody_who_knows_what_the_ledger_means(agency):
    async with gone_on(agency):
        Ledger(agency._folder).note({"something new": [uuid4()]})
        with pytest.raises(UnknownKindError, match="something new"):
            await agency.starts()


async def test_a_topic_that_is_shorter_than_it_was_isnt_believed(agency):
    async with gone_on(agency):
        async with agency.database() as database, database.engine.begin() as connection:
            await connection.execute(text('update relayed set "offset" = 1000000000'))
        with pytest.raises(TopicsForgotError, match=TOPIC):
            await agency.starts()


async def test_a_relay_tells_nothing_on_a_history_that_nobody_accepted(agency, log):
    """INVARIANT: a database that is restored under a process that runs isn't told from."""
    async with gone_on(agency) as (further, _, unsent, _), agency.database() as database:
        async with agency._running(Relay(agency._where)):
            await until(lambda: log.has(further, [1, 2, 3, 4]), seconds=60)
            with pytest.raises(pytest.fail.Exception):
                await until(lambda: _waits(database, 0), seconds=3)
        assert await _waits(database, 1)
        assert str(unsent) in log.sequences  # sent before the disk died


async def test_who_owns_no_topic_has_told_nothing(kafka, settings, reader):
    """Reporting was restored too, and could never begin again: to stop what had just begun to read raised a cancellation."""
    async with reader.engine.connect() as connection:
        told = await read_told("reporting", settings(reader.dsn, kafka.access("reporting")), connection)
    assert (told.records, told.ends) == ([], {})

"""What helpjourney hears: every golden example twice, unknown types, and the copy of the register."""

from uuid import uuid4

import pytest
from contracts.catalogue import EVENTS, topics_read_by
from contracts.codes import Channel
from contracts.identity import SessionEnded, sessions_topic
from contracts.info import ServiceChanged, ServiceDelisted
from helpjourney.consumers import HANDLERS
from helpjourney.store.units import municipalities, unit_of, units_in
from helpjourney_givens import a_unit, listed
from servicekit import migrations
from servicekit.delivery.inbox import apply
from sqlalchemy import text

from deploy.testing import Database, GoldenExample, golden_examples, record_of

READ = topics_read_by("helpjourney")


@pytest.mark.parametrize("example", [one for one in golden_examples() if one.topic in READ], ids=str)
async def test_each_example_is_applied_once_however_often_it_comes(database: Database, example: GoldenExample) -> None:
    """INVARIANT: a message that the contract allows is never parked, and the second copy changes nothing."""
    for _ in range(2):
        await apply(database.begin, "helpjourney", [example.record(), example.record(1)], HANDLERS)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from parked_events")) == 0
        assert await connection.scalar(text("select count(*) from inbox")) == 1


def test_every_event_that_is_told_to_helpjourney_has_a_handler() -> None:
    told = {event for event in EVENTS.values() if event.topic in READ}
    assert set(HANDLERS) == told | {SessionEnded}
    assert sessions_topic("helpjourney") in READ


async def test_the_copy_of_the_register_holds_units_that_take_appointments(database: Database) -> None:
    near, far, chat, old = a_unit(), a_unit(municipality="4601", name="Ås"), a_unit(channels=(Channel.CHAT,)), a_unit(age_from=16)
    await listed(database, near, far, chat, old)
    async with database.engine.connect() as connection:
        assert [unit.service_id for unit in await units_in(connection, "0301", 15)] == [near.service.service_id]
        assert [code for code, _ in await municipalities(connection, 15)] == ["0301", "4601"]


async def test_a_unit_that_changes_or_leaves_is_no_longer_wished_for_but_still_known(database: Database) -> None:
    for told in (
        lambda unit: ServiceChanged(service=unit.service.model_copy(update={"channels": (Channel.CHAT,)})),
        lambda unit: ServiceDelisted(service_id=unit.service.service_id),
    ):
        unit = a_unit(municipality="5001")
        await listed(database, unit)
        record = record_of(told(unit), key=unit.service.service_id, sequence=2)
        await apply(database.begin, "helpjourney", [record], HANDLERS)
        async with database.engine.connect() as connection:
            assert await units_in(connection, "5001", 15) == []
            assert (await unit_of(connection, unit.service.service_id)).name == unit.service.name


async def test_a_delisting_of_an_unknown_unit_is_nothing(database: Database) -> None:
    service_id = uuid4()
    await apply(database.begin, "helpjourney", [record_of(ServiceDelisted(service_id=service_id), key=service_id, sequence=1)], HANDLERS)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from parked_events")) == 0


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    migrations.check("helpjourney", database.dsn)

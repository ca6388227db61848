"""Every golden example is counted once, however often and in whatever order it comes."""

import random
from uuid import uuid4

from contracts.catalogue import TOPICS
from reporting.consumers import HANDLERS
from reporting.store import counts, waits
from servicekit.delivery.inbox import apply
from sqlalchemy import select

from deploy.testing import golden_examples


def read_by_reporting():
    return [example for example in golden_examples() if "reporting" in TOPICS[example.topic].readers]


async def totals(database):
    async with database.engine.connect() as connection:
        counted = dict((await connection.execute(select(counts.c.step, counts.c.count))).all())
        waited = (await connection.execute(select(waits.c.wait, waits.c.band, waits.c.count))).all()
    return counted, sorted(waited)


async def test_every_example_counts_once_even_if_told_twice_and_shuffled(database):
    """INVARIANT: a duplicate changes nothing; no order holds between topics."""
    records = [example.record() for example in read_by_reporting()]
    await apply(database.begin, "reporting", records, HANDLERS)
    once = await totals(database)
    assert once[0]["handoffs_offered"] == 3
    assert once[0]["handoffs_claimed"] == 2
    assert once[0]["pages_read"] == 17
    again = random.Random(3).sample(records * 2, len(records) * 2)
    await apply(database.begin, "reporting", again, HANDLERS)
    assert await totals(database) == once


def test_every_fact_that_the_catalogue_lists_for_reporting_is_known():
    for example in read_by_reporting():
        assert any(event.type == example.type for event in HANDLERS) or example.type in {
            "info.article.published.v1", "info.article.withdrawn.v1", "info.answer.withdrawn.v1", "dialog.question.assigned.v1",
            "dialog.question.deleted.v1", "dialog.chat.queued.v1", "dialog.chat.deleted.v1", "helpjourney.journey.closed.v1",
            "helpjourney.appointment.moved.v1",
        }, example.type  # fmt: skip


async def test_what_is_open_follows_the_facts(database):
    from contracts.dialog import ProviderClosed, ProviderOpened
    from reporting.projections import on_provider_closed, on_provider_opened, on_service_listed
    from reporting.queries import open_services

    example = next(example for example in golden_examples() if example.type == "info.service.listed.v1")
    listed = example.event()
    async with database.begin() as uow:
        await on_provider_opened(ProviderOpened(service_id=listed.service.service_id), uow)
        await on_provider_opened(ProviderOpened(service_id=uuid4()), uow)
        assert await open_services(uow.connection) == []
        await on_service_listed(listed, uow)
        assert [service.name for service in await open_services(uow.connection)] == [listed.service.name]
        await on_provider_closed(ProviderClosed(service_id=listed.service.service_id), uow)
        assert await open_services(uow.connection) == []

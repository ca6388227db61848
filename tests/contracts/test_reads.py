"""Each reader states what it reads, and reads what it states."""

import asyncio
from importlib import import_module
from importlib.util import find_spec

import pytest
from contracts.catalogue import EVENTS, SERVICES, topics_read_by
from contracts.dialog import QueueMeasured
from servicekit import migrations

from deploy.releases.reads import reads_of, topmost
from deploy.testing.databases import opened
from deploy.testing.golden import golden_examples
from deploy.testing.reads import touched_by

READERS = [service for service in SERVICES if find_spec(f"{service}.consumers")]


async def migrate(service, dsn):
    await asyncio.to_thread(migrations.upgrade, service, dsn)


@pytest.mark.parametrize("service", READERS)
async def test_what_a_service_states_is_what_its_handlers_touch(service, templates):
    """INVARIANT: nobody can take away a field unseen that somebody reads, or is kept from it by one who doesn't."""
    handlers = import_module(f"{service}.consumers").HANDLERS
    async with templates.copy(service, lambda dsn: migrate(service, dsn)) as dsn, opened(service, dsn) as database:
        touched = await touched_by(handlers, database.begin, golden_examples())
    assert reads_of(service) == {type_: topmost(paths) for type_, paths in touched.items()}


@pytest.mark.parametrize("service", READERS)
def test_a_service_reads_what_the_catalogue_lists_for_it(service):
    topics = {EVENTS[type_].topic or f"identity.sessions-{service}.v1" for type_ in reads_of(service)}
    assert topics <= set(topics_read_by(service))


def test_services_without_consumers_state_nothing():
    assert {service: reads_of(service) for service in set(SERVICES) - set(READERS)} == {"identity": {}}


async def test_a_field_that_is_read_is_noticed_wherever_it_lies(templates):
    async def handler(event, uow):
        assert event.length or event.wait_minutes

    async with templates.copy("info", lambda dsn: migrate("info", dsn)) as dsn, opened("info", dsn) as database:
        touched = await touched_by({QueueMeasured: handler}, database.begin, golden_examples(QueueMeasured.type))
    assert touched == {QueueMeasured.type: {"length"}}

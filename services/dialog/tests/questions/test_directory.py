"""Dialog's own copy of the register, read from the golden examples of its owner."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from contracts.catalogue import topics_read_by
from contracts.identity import SessionEnded, sessions_topic
from contracts.info import HelpService, ServiceChanged, ServiceDelisted, ServiceListed
from dialog.consumers import HANDLERS
from dialog.queries.directory import all_help_services, help_service, help_services_of
from servicekit.delivery.inbox import apply
from sqlalchemy import text

from deploy.local.journey.browser import Browser
from deploy.testing import Database, golden_examples, record_of

OWNER = "999999901"


def an_entry(name: str = "Chatten", owner: str = OWNER) -> HelpService:
    return HelpService(service_id=uuid4(), name=name, kind="chat_service", owner_name="Prøveetaten", owner_number=owner)


async def test_an_entry_is_listed_changed_and_delisted(database: Database) -> None:
    entry = an_entry()
    changed = entry.model_copy(update={"name": "Nattchatten"})
    events = [ServiceListed(service=entry), ServiceChanged(service=changed), ServiceDelisted(service_id=entry.service_id)]
    records = [record_of(event, key=entry.service_id, sequence=number) for number, event in enumerate(events, 1)]
    for record, expected in zip(records, (entry, changed, None), strict=True):
        for _ in range(2):
            await apply(database.begin, "dialog", [record], HANDLERS)
            async with database.begin() as uow:
                assert await help_service(uow.connection, entry.service_id) == expected


async def test_entries_are_found_by_their_owner_in_the_order_of_their_names(database: Database) -> None:
    entries = [an_entry("Ørnen"), an_entry("Anker"), an_entry("Bølgen", "999999902")]
    records = [record_of(ServiceListed(service=entry), key=entry.service_id, sequence=1) for entry in entries]
    await apply(database.begin, "dialog", records, HANDLERS)
    async with database.begin() as uow:
        assert [entry.name for entry in await help_services_of(uow.connection, OWNER)] == ["Anker", "Ørnen"]
        assert [entry.name for entry in await all_help_services(uow.connection)] == ["Anker", "Bølgen", "Ørnen"]


async def test_every_golden_example_of_the_topics_that_dialog_reads_is_taken_twice(database: Database) -> None:
    """INVARIANT: what was released once can be read for ever, and a duplicate changes nothing."""
    read = [example for example in golden_examples() if example.topic in topics_read_by("dialog")]
    assert {"info.service.listed.v1", "info.service.delisted.v1"} <= {example.type for example in read}
    for _ in range(2):
        for example in read:
            await apply(database.begin, "dialog", [example.record()], HANDLERS)
    async with database.begin() as uow:
        parked = (await uow.connection.exec_driver_sql("select reason from parked_events")).all()
    assert parked == []


async def test_a_login_that_ends_elsewhere_ends_here(database: Database, staff_browser: Callable[..., Awaitable[Browser]]) -> None:
    """INVARIANT: who has logged out reads no more questions."""
    staff = await staff_browser()
    queue = "http://snakk.localhost:8080/ansatt/sporsmal"
    assert (await staff.get(queue)).url == queue
    async with database.begin() as uow:
        sid = await uow.connection.scalar(text("select sid from browser_sessions"))
    record = record_of(SessionEnded(session_id=sid), key=sid, sequence=1, topic=sessions_topic("dialog"))
    await apply(database.begin, "dialog", [record], HANDLERS)
    assert (await staff.get(queue)).url != queue

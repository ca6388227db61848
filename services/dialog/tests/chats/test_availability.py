"""Services open and close with their helpers, and tell how long their queue is."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from dialog.domain.availability import UnknownServiceError
from dialog.domain.retention import Retention
from dialog.handlers.availability import GoOnDuty, SetRetention, TakeBreak, go_on_duty, measure_services, set_retention, take_break
from dialog.queries.availability import chat_services


async def test_a_service_opens_with_its_first_helper_and_closes_with_its_last(centre: Any, database: Any) -> None:
    """INVARIANT: facts about a service are told once per change, numbered without a gap."""
    helpers = [await centre.open_with(), await centre.open_with()]
    for helper in (*helpers, helpers[0]):
        async with database.begin() as uow:
            await take_break(TakeBreak(helper), uow)
    facts = await centre.told()
    assert [(fact.type.split(".")[2], fact.sequence, fact.key) for fact in facts] == [
        ("opened", 1, centre.service_id),
        ("closed", 2, centre.service_id),
    ]


async def test_a_helper_works_for_the_own_organisation_only(centre: Any, database: Any) -> None:
    for service_id in (centre.other_service_id, uuid4()):
        with pytest.raises(UnknownServiceError):
            async with database.begin() as uow:
                await go_on_duty(GoOnDuty(uuid4(), "999999901", service_id, 3), uow)
    assert await centre.told() == []


async def test_a_queue_is_measured_when_it_changed(centre: Any) -> None:
    await centre.open_with(capacity=1)
    for _ in range(2):
        await centre.later(measure_services)
    await centre.ask()
    await centre.later(measure_services)
    measured = await centre.told("queue.measured")
    assert [(fact.sequence, fact.data["length"], fact.data["wait_minutes"]) for fact in measured] == [(2, 0, 1), (3, 1, 42)]


async def test_a_helper_whose_desk_is_silent_is_off_duty(centre: Any, database: Any) -> None:
    """INVARIANT: a closed browser doesn't keep a service open."""
    await centre.open_with()
    await centre.open_with(begin=database.begin_at(timedelta(minutes=10)))
    await centre.later(measure_services, minutes=16)
    assert await centre.told("provider.closed") == []
    await centre.later(measure_services, minutes=26)
    assert len(await centre.told("provider.closed")) == 1


async def test_the_list_shows_first_what_takes_chats(centre: Any, database: Any) -> None:
    await centre.open_with()
    async with database.engine.connect() as connection:
        found = await chat_services(connection)
    assert [(service.entry.name, service.takes_chats, service.wait_minutes) for service in found] == [
        ("Rød chat", True, 1),
        ("Blå chat", False, None),
    ]


async def test_a_new_promise_holds_for_chats_asked_for_from_then_on(centre: Any, database: Any) -> None:
    """INVARIANT: what the youth was promised before she wrote isn't changed afterwards."""
    await centre.open_with()
    before = await centre.ask()
    async with database.begin() as uow:
        await set_retention(SetRetention("999999901", centre.service_id, Retention.END_OF_CHAT), uow)
    after = await centre.ask()
    assert [(await centre.read(chat.id)).retention for chat in (before, after)] == [Retention.HOURS_72, Retention.END_OF_CHAT]
    with pytest.raises(UnknownServiceError):
        async with database.begin() as uow:
            await set_retention(SetRetention("999999902", centre.service_id, Retention.DAYS_7), uow)

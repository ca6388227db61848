"""What time does to chats, with the clock moved."""

from datetime import timedelta
from typing import Any

import pytest
from dialog.domain.chats import ChatNotFoundError, ChatState
from dialog.domain.retention import Retention
from dialog.handlers.availability import SetRetention, TakeBreak, measure_services, set_retention, take_break
from dialog.handlers.chats import EndChat, delete_overdue, end_chat, end_deserted, give_up_waiting
from dialog.handlers.handoffs import GoAndLogIn, go_and_log_in
from dialog.handlers.presence import note_presence
from dialog.timers.chats import timers
from servicekit.timers import ensure_recurring, run_due
from sqlalchemy import text


async def test_a_wait_in_vain_is_told_honestly(centre: Any) -> None:
    await centre.open_with()
    chat = await centre.ask()
    await centre.later(give_up_waiting, minutes=59)
    assert (await centre.read(chat.id)).state is ChatState.WAITING
    await centre.later(give_up_waiting, minutes=61)
    assert (await centre.read(chat.id)).state is ChatState.UNANSWERED
    (fact,) = await centre.told("chat.unanswered")
    assert 3600 <= fact.data["waited_seconds"] < 3700


async def test_a_service_that_closes_lets_nobody_wait(centre: Any, database: Any) -> None:
    helper = await centre.open_with()
    chat = await centre.ask()
    async with database.begin() as uow:
        await take_break(TakeBreak(helper), uow)
    await centre.later(give_up_waiting, seconds=30)
    assert (await centre.read(chat.id)).state is ChatState.WAITING
    await centre.later(give_up_waiting, seconds=70)
    assert (await centre.read(chat.id)).state is ChatState.UNANSWERED


async def test_a_chat_whose_youth_is_gone_ends(centre: Any) -> None:
    chat, _ = await centre.talk()
    await centre.later(end_deserted, minutes=19)
    assert (await centre.read(chat.id)).state is ChatState.ACTIVE
    await centre.later(end_deserted, minutes=21)
    (fact,) = await centre.told("chat.ended")
    assert (fact.data["outcome"], fact.data["lasted_minutes"]) == ("timed_out", 21)


async def test_a_youth_who_left_the_waiting_page_leaves_the_queue(centre: Any) -> None:
    await centre.open_with()
    chat = await centre.ask()
    await centre.later(end_deserted, minutes=21)
    assert (await centre.read(chat.id)).state is ChatState.ABANDONED


async def test_a_youth_who_reads_without_writing_is_not_gone(centre: Any, database: Any) -> None:
    chat, _ = await centre.talk()
    async with database.begin_at(timedelta(minutes=15))() as uow:
        await note_presence(chat.id, uow)
    await centre.later(end_deserted, minutes=30)
    assert (await centre.read(chat.id)).state is ChatState.ACTIVE


async def test_a_youth_who_logs_in_may_come_back_for_two_hours(centre: Any, database: Any) -> None:
    chat, _ = await centre.talk()
    async with database.begin() as uow:
        await go_and_log_in(GoAndLogIn(chat.id), uow)
    await centre.later(end_deserted, minutes=119)
    assert (await centre.read(chat.id)).logging_in
    await centre.later(end_deserted, minutes=121)
    assert (await centre.read(chat.id)).state is ChatState.ENDED


@pytest.mark.parametrize(
    ("retention", "kept", "gone"),
    [
        (Retention.END_OF_CHAT, None, {"seconds": 1}),
        (Retention.HOURS_72, {"hours": 71}, {"hours": 72, "seconds": 5}),
        (Retention.DAYS_7, {"days": 6}, {"days": 7, "seconds": 5}),
    ],
)
async def test_text_is_destroyed_when_its_time_is_up(
    centre: Any, database: Any, retention: Retention, kept: dict[str, float] | None, gone: dict[str, float]
) -> None:
    """INVARIANT: no message, key or row of a chat is left after the provider's time."""
    async with database.begin() as uow:
        await set_retention(SetRetention("999999901", centre.service_id, retention), uow)
    chat, helper = await centre.talk()
    await centre.say(chat, "skal bort")
    async with database.begin() as uow:
        await end_chat(EndChat(chat.id, helper), uow)
    if kept:
        await centre.later(delete_overdue, **kept)
        assert (await centre.read(chat.id)).messages == 1
    await centre.later(delete_overdue, **gone)
    with pytest.raises(ChatNotFoundError):
        await centre.read(chat.id)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select (select count(*) from chats) + (select count(*) from chat_messages)")) == 0
    assert [fact.sequence for fact in await centre.told("chat.ended", "chat.deleted")] == [4, 5]


async def test_even_a_chat_that_nobody_ended_is_destroyed(centre: Any) -> None:
    """INVARIANT: no text is kept because somebody forgot to end the chat."""
    chat, _ = await centre.talk()
    waiting = await centre.ask()
    await centre.later(delete_overdue, hours=24 + 72, minutes=1)
    for gone in (chat, waiting):
        with pytest.raises(ChatNotFoundError):
            await centre.read(gone.id)
    assert len(await centre.told("chat.deleted")) == 2
    assert len(await centre.told("chat.ended", "chat.unanswered")) == 2


async def test_the_timers_run_all_of_it(centre: Any, database: Any) -> None:
    """INVARIANT: after downtime the work is done once, at the next look."""
    await centre.open_with()
    chat = await centre.ask()
    begin, table = database.begin_at(timedelta(days=5)), timers(3600)
    await ensure_recurring(begin, table)
    while await run_due(begin, table):
        pass
    with pytest.raises(ChatNotFoundError):
        await centre.read(chat.id)
    await centre.later(measure_services, days=5)
    assert len(await centre.told("provider.closed")) == 1

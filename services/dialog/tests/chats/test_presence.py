"""Who is there: a helper who is lost is noticed in time, a colleague goes on, one wins; leaving at once leaves nobody waiting."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from contracts.codes import ChatOutcome
from dialog.domain.availability import NoFreePlaceError, NotOnDutyError
from dialog.domain.chats import Author, ChatClosedError, ChatNotFoundError, ChatState, HelperPresentError
from dialog.domain.presence import ASKS_EVERY, FRAME_HOLDS, LOOKS_EVERY, STREAM_HOLDS, TOLD_WITHIN, UNKNOWN, Presence
from dialog.handlers.chats import DeleteChat, RateChat, delete_chat_now, leave_at_once, rate_chat
from dialog.handlers.presence import TakeOverChat, TypeInChat, note_helper, note_presence, note_reading, take_over_chat, type_in_chat
from dialog.queries.presence import lost_chats, own_talks, standing
from dialog.store.chats import lock_chat
from dialog.store.presence import presence_of, stop_typing
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

RED, BLUE = "999999901", "999999902"
BLOCKED = 20
"""Seconds after which a test says that nothing goes on."""


def test_being_away_is_told_in_time() -> None:
    """INVARIANT: the last sign of a lost side plus the other's next look is at most the promise, with script and without."""
    assert max(STREAM_HOLDS, FRAME_HOLDS) + max(LOOKS_EVERY, ASKS_EVERY) <= TOLD_WITHIN
    assert FRAME_HOLDS > ASKS_EVERY
    assert STREAM_HOLDS > 2 * LOOKS_EVERY


def test_without_a_sign_nobody_is_called_away() -> None:
    now = datetime.now(UTC)
    assert not UNKNOWN.is_away(now)
    assert Presence(present_until=now).is_away(now)
    assert not Presence(present_until=now, typing_until=now + timedelta(seconds=5)).is_typing(now)


async def lose_helper(centre: Any, chat: Any, helper: UUID) -> None:
    """The helper's last sign was a while ago."""
    async with centre.database.begin_at(-2 * STREAM_HOLDS)() as uow:
        await note_helper(helper, uow, STREAM_HOLDS)
    assert (await centre.read(chat.id)).helper == helper


async def take_over(centre: Any, chat: Any, helper: UUID, organisation: str = RED) -> None:
    async with centre.database.begin() as uow:
        await take_over_chat(TakeOverChat(chat.id, helper, organisation), uow)


async def test_a_colleague_takes_over_when_the_helper_is_gone(centre: Any) -> None:
    chat, helper = await centre.talk()
    await centre.say(chat, "er du der?")
    await lose_helper(centre, chat, helper)
    colleague = await centre.open_with()
    async with centre.database.begin() as uow:
        assert [lost.id for lost in await lost_chats(uow.connection, RED, await uow.now())] == [chat.id]
        assert await lost_chats(uow.connection, BLUE, await uow.now()) == []
    before = len(await centre.told())
    await take_over(centre, chat, colleague)
    assert (await centre.read(chat.id)).helper == colleague
    async with centre.database.begin() as uow:
        assert await lost_chats(uow.connection, RED, await uow.now()) == []
        (talk,) = await own_talks(uow.connection, colleague, await uow.now())
        assert talk.unread == 1
    assert len(await centre.told()) == before
    with pytest.raises(ChatNotFoundError):
        await centre.say(chat, "jeg er tilbake", helper)


async def test_ten_colleagues_take_over_and_one_gets_it(centre: Any) -> None:
    """INVARIANT: one winner; the others learn that the chat has its helper again."""
    chat, helper = await centre.talk()
    await lose_helper(centre, chat, helper)
    colleagues = [await centre.open_with() for _ in range(10)]
    outcomes = await asyncio.gather(*(take_over(centre, chat, each) for each in colleagues), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [HelperPresentError] * 9
    assert (await centre.read(chat.id)).helper == colleagues[outcomes.index(None)]


async def test_nobody_takes_over_what_is_not_theirs_to_take(centre: Any) -> None:
    """INVARIANT: not from a helper who is there, nor for another organisation, off duty, without a free place, or after the end."""
    chat, helper = await centre.talk()
    colleague = await centre.open_with(capacity=1)
    with pytest.raises(HelperPresentError):  # no sign on record: not known to be gone
        await take_over(centre, chat, colleague)
    async with centre.database.begin() as uow:
        await note_helper(helper, uow)
    with pytest.raises(HelperPresentError):
        await take_over(centre, chat, colleague)
    await lose_helper(centre, chat, helper)
    with pytest.raises(ChatNotFoundError):
        await take_over(centre, chat, colleague, BLUE)
    with pytest.raises(NotOnDutyError):
        await take_over(centre, chat, uuid4())
    busy = await centre.ask()
    await centre.take(busy, colleague)
    with pytest.raises(NoFreePlaceError):
        await take_over(centre, chat, colleague)
    async with centre.database.begin() as uow:
        await leave_at_once(chat.id, uow)
    with pytest.raises(ChatClosedError):
        await take_over(centre, chat, await centre.open_with())


async def test_each_side_learns_what_the_other_has_before_them(centre: Any) -> None:
    chat, helper = await centre.talk()
    await centre.say(chat, "hei")
    async with centre.database.begin() as uow:
        await note_reading(chat.id, uow, 1)
        await note_presence(chat.id, uow, 1)
        await type_in_chat(TypeInChat(chat.id, Author.HELPER), uow)
        await note_reading(chat.id, uow, 0)  # an older page of the same helper doesn't take it back
    async with centre.database.begin() as uow:
        now = await uow.now()
        seen = await standing(uow.connection, chat, Author.YOUTH, now)
        assert (seen.other_away, seen.other_typing, seen.delivered_to) == (False, True, 1)
        later = await standing(uow.connection, chat, Author.YOUTH, now + timedelta(minutes=1))
        assert (later.other_away, later.other_typing) == (True, False)
        (talk,) = await own_talks(uow.connection, helper, now)
        assert (talk.unread, talk.unanswered_since is not None, talk.youth_away) == (0, True, False)


async def test_a_sign_does_not_wait_for_what_is_being_said_nor_hinder_it(centre: Any) -> None:
    """INVARIANT: who sends a message while her browser tells that she writes loses neither (they held each other up: a deadlock)."""
    chat, _ = await centre.talk()
    async with centre.database.begin() as uow:
        await note_presence(chat.id, uow)
    async with asyncio.timeout(BLOCKED), centre.database.begin() as says:
        await lock_chat(says.connection, chat.id)
        async with centre.database.begin() as types:
            await type_in_chat(TypeInChat(chat.id, Author.YOUTH), types)
        await stop_typing(says.connection, chat.id, Author.YOUTH)


async def test_a_chat_is_deleted_while_its_helper_gives_a_sign(centre: Any) -> None:
    """INVARIANT: her wish to delete doesn't fail because the helper's page tells of itself twice in one transaction."""
    chat, helper = await centre.talk()
    async with centre.database.begin() as uow:
        await note_helper(helper, uow)
    async with asyncio.timeout(BLOCKED), asyncio.TaskGroup() as beside, centre.database.begin() as sign:
        await note_helper(helper, sign)
        beside.create_task(delete(centre, chat))
        await until_somebody_waits(sign.connection)
        await note_reading(chat.id, sign, 1)
    with pytest.raises(ChatNotFoundError):
        await centre.read(chat.id)


async def delete(centre: Any, chat: Any) -> None:
    async with centre.database.begin() as uow:
        await delete_chat_now(DeleteChat(chat.id), uow)


async def until_somebody_waits(connection: AsyncConnection) -> None:
    """For a row that another transaction holds."""
    waiting = text("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
    while not await connection.scalar(waiting):
        await asyncio.sleep(0.05)
        await connection.execute(text("select pg_stat_clear_snapshot()"))


async def test_a_sign_for_a_deleted_chat_is_nothing(centre: Any) -> None:
    async with centre.database.begin() as uow:
        await note_presence(uuid4(), uow)
        assert await presence_of(uow.connection, uuid4(), Author.YOUTH) == UNKNOWN


async def test_signs_of_life_go_with_the_chat_and_are_not_logged_by_the_database(centre: Any, database: Any) -> None:
    """INVARIANT: when somebody was there, to the second, is in no backup and outlives no chat."""
    async with database.engine.connect() as connection:
        kind = await connection.scalar(text("select relpersistence::text from pg_class where relname = 'presences'"))
    assert kind == "u"


async def test_leaving_at_once_ends_what_is_open(centre: Any) -> None:
    """INVARIANT: after the quick exit nobody waits for her, and nothing says why she left."""
    chat, _ = await centre.talk()
    waiting = await centre.ask()
    for each in (chat, waiting):
        async with centre.database.begin() as uow:
            await leave_at_once(each.id, uow)
    assert (await centre.read(chat.id)).state is ChatState.ENDED
    assert (await centre.read(chat.id)).outcome is ChatOutcome.ENDED_BY_YOUTH
    assert (await centre.read(waiting.id)).state is ChatState.ABANDONED
    assert len(await centre.told("chat.ended", "chat.abandoned")) == 2


async def test_she_says_once_whether_it_helped_and_only_the_count_stays(centre: Any, database: Any) -> None:
    """INVARIANT: an answer can't be led back to a chat, and isn't counted twice."""
    chat, _ = await centre.talk()
    with pytest.raises(ChatClosedError):
        await rate(centre, chat)
    async with centre.database.begin() as uow:
        await leave_at_once(chat.id, uow)
    await rate(centre, chat)
    with pytest.raises(ChatClosedError):
        await rate(centre, chat)
    async with database.engine.connect() as connection:
        rows = (await connection.execute(text("select * from chat_ratings"))).all()
    assert [tuple(row) for row in rows] == [(centre.service_id, True, 1)]


async def rate(centre: Any, chat: Any) -> None:
    async with centre.database.begin() as uow:
        await rate_chat(RateChat(chat.id, helpful=True), uow)

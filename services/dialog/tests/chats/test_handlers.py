"""What happens to a chat, on a real database."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from contracts.codes import AgeBand, Language, TopicCode, Urgency
from dialog.domain.availability import (
    NoFreePlaceError,
    NotOnDutyError,
    QueueFullError,
    ServiceClosedError,
    UnknownServiceError,
)
from dialog.domain.chats import ChatClosedError, ChatNotFoundError, ChatState, ChatTakenError, OpenChatError
from dialog.handlers.availability import TakeBreak, take_break
from dialog.handlers.chats import (
    DeleteChat,
    EndChat,
    LeaveQueue,
    RequestChat,
    delete_chat_now,
    end_chat,
    leave_queue,
    request_chat,
)
from dialog.queries.chats import messages_after, place_in_queue, wait_of
from servicekit.idempotency import fingerprint, once
from sqlalchemy import text


async def test_a_request_is_told_with_its_place_in_the_queue(centre: Any) -> None:
    await centre.open_with(capacity=1)
    first, second = await centre.ask(), await centre.ask()
    facts = await centre.told("chat.requested", "chat.queued")
    assert [(fact.key, fact.sequence) for fact in facts] == [(first.id, 1), (first.id, 2), (second.id, 1), (second.id, 2)]
    assert [fact.data["position"] for fact in facts if "queued" in fact.type] == [1, 2]
    assert facts[0].data["language"] == "nn"


async def test_who_is_in_a_hurry_comes_first_then_who_waited_longest(centre: Any, database: Any) -> None:
    await centre.open_with()
    chats = [await centre.ask(urgency=urgency) for urgency in (Urgency.ROUTINE, Urgency.TODAY, Urgency.ROUTINE, Urgency.SOON)]
    async with database.engine.connect() as connection:
        assert [await place_in_queue(connection, chat) for chat in chats] == [3, 1, 4, 2]


async def test_a_browser_has_one_open_chat_also_when_it_asks_twice_at_once(centre: Any) -> None:
    """INVARIANT: one open chat request per browser session."""
    await centre.open_with()
    outcomes = await asyncio.gather(*(centre.ask(browser=b"same") for _ in range(8)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Chat", *["OpenChatError"] * 7]
    assert len(await centre.told("chat.requested")) == 1
    with pytest.raises(OpenChatError):
        await centre.ask(browser=b"same")


async def test_a_browser_may_ask_again_when_its_chat_is_over(centre: Any, database: Any) -> None:
    await centre.open_with()
    chat = await centre.ask(browser=b"same")
    async with database.begin() as uow:
        await leave_queue(LeaveQueue(chat.id), uow)
    assert (await centre.ask(browser=b"same")).id != chat.id


async def test_nobody_waits_where_nobody_is_or_too_many_wait(centre: Any) -> None:
    with pytest.raises(ServiceClosedError):
        await centre.ask()
    await centre.open_with(capacity=1)
    with pytest.raises(UnknownServiceError):
        await centre.ask(service_id=uuid4())
    outcomes = await asyncio.gather(*(centre.ask() for _ in range(5)), return_exceptions=True)
    assert sorted(type(outcome) is QueueFullError for outcome in outcomes) == [False, False, True, True, True]


async def test_of_twenty_helpers_who_take_a_chat_at_once_one_gets_it(centre: Any) -> None:
    """INVARIANT: a chat has one winner; the others learn that it's taken, not by whom."""
    helpers = [await centre.open_with() for _ in range(20)]
    chat = await centre.ask()
    outcomes = await asyncio.gather(*(centre.take(chat, helper) for helper in helpers), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [*["ChatTakenError"] * 19, "NoneType"]
    assert len(await centre.told("chat.accepted")) == 1
    assert (await centre.read(chat.id)).helper == helpers[outcomes.index(None)]


async def test_only_a_helper_on_duty_with_a_free_place_takes_a_chat(centre: Any, database: Any) -> None:
    helper = await centre.open_with(capacity=1)
    first, second = await centre.ask(), await centre.ask()
    with pytest.raises(NotOnDutyError):
        await centre.take(first, uuid4())
    await centre.take(first, helper)
    with pytest.raises(NoFreePlaceError):
        await centre.take(second, helper)


async def test_a_helper_of_another_organisation_finds_no_chat(centre: Any) -> None:
    """INVARIANT: an organisation's chats don't exist for another's helpers."""
    helper = await centre.open_with()
    chat = await centre.ask()
    with pytest.raises(ChatNotFoundError):
        await centre.take(chat, helper, organisation="999999902")
    await centre.take(chat, helper)
    with pytest.raises(ChatNotFoundError):
        await centre.say(chat, "hei", helper=uuid4())
    assert (await centre.read(chat.id)).messages == 0


async def test_messages_keep_the_order_in_which_they_were_written(centre: Any, database: Any) -> None:
    """INVARIANT: messages of a chat have consecutive numbers, also when both write at once."""
    chat, helper = await centre.talk()
    await asyncio.gather(*(centre.say(chat, f"m{number}", helper if number % 2 else None) for number in range(12)))
    async with database.engine.connect() as connection:
        messages = await messages_after(connection, chat.id, 0, centre.vault)
        assert [message.number for message in messages] == list(range(1, 13))
        assert {message.text for message in messages} == {f"m{number}" for number in range(12)}
        assert [message.number for message in await messages_after(connection, chat.id, 9, centre.vault)] == [10, 11, 12]


async def test_a_message_is_never_stored_in_clear(centre: Any, database: Any) -> None:
    """INVARIANT: free text lies encrypted under the chat's own key."""
    chat, _ = await centre.talk()
    await centre.say(chat, "kanarifugl")
    async with database.engine.connect() as connection:
        rows = (await connection.execute(text("select m.*, c.* from chat_messages m join chats c on c.id = m.chat_id"))).all()
    assert b"kanarifugl" not in b"".join(bytes(value) for row in rows for value in row if isinstance(value, bytes))
    assert "kanarifugl" not in str(rows)


async def test_a_request_that_comes_twice_makes_one_chat(centre: Any, database: Any) -> None:
    """INVARIANT: a repeated command changes nothing."""
    await centre.open_with()
    command = RequestChat(b"browser", centre.service_id, TopicCode.OTHER, AgeBand.UNKNOWN, Language.BOKMAL, Urgency.ROUTINE)
    outcomes = []
    for _ in range(2):
        async with database.begin() as uow:

            async def act() -> dict[str, str]:
                return {"chat": str((await request_chat(command, uow, centre.vault)).id)}

            outcomes.append(await once(uow, b"k" * 32, fingerprint(b"k" * 32, {}), act))
    assert outcomes[0] == outcomes[1]
    assert len(await centre.told("chat.requested")) == 1


async def test_who_left_the_queue_is_gone_from_it(centre: Any, database: Any) -> None:
    helper = await centre.open_with()
    chat = await centre.ask()
    async with database.begin() as uow:
        await leave_queue(LeaveQueue(chat.id), uow)
    with pytest.raises(ChatTakenError):
        await centre.take(chat, helper)
    assert [fact.sequence for fact in await centre.told("chat.abandoned")] == [3]


async def test_either_of_the_two_may_end_a_chat_once(centre: Any, database: Any) -> None:
    for by_helper, outcome in ((True, "ended_by_helper"), (False, "ended_by_youth")):
        chat, helper = await centre.talk()
        async with database.begin() as uow:
            await end_chat(EndChat(chat.id, helper if by_helper else None), uow)
        assert (await centre.told("chat.ended"))[-1].data["outcome"] == outcome
        with pytest.raises(ChatClosedError):
            await centre.say(chat, "for sent")


async def test_a_youth_deletes_at_once_whatever_the_state(centre: Any, database: Any) -> None:
    """INVARIANT: her deletion destroys row, key and text, and closes first what was open."""
    await centre.open_with()
    waiting = await centre.ask()
    active, _ = await centre.talk()
    await centre.say(active, "bort med det")
    for chat in (waiting, active):
        async with database.begin() as uow:
            await delete_chat_now(DeleteChat(chat.id), uow)
        with pytest.raises(ChatNotFoundError):
            await centre.read(chat.id)
    facts = [(fact.type.split(".")[2], fact.sequence) for fact in await centre.told("chat.abandoned", "chat.ended", "chat.deleted")]
    assert facts == [("abandoned", 3), ("deleted", 4), ("ended", 4), ("deleted", 5)]
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select count(*) from chat_messages")) == 0


async def test_a_break_takes_no_chat_away(centre: Any, database: Any) -> None:
    chat, helper = await centre.talk()
    async with database.begin() as uow:
        await take_break(TakeBreak(helper), uow)
    assert (await centre.say(chat, "jeg er her", helper)).state is ChatState.ACTIVE


async def test_the_waiting_page_knows_place_and_time(centre: Any, database: Any) -> None:
    await centre.open_with(capacity=1)
    chats = [await centre.ask() for _ in range(2)]
    async with database.engine.connect() as connection:
        waits = [await wait_of(connection, chat) for chat in chats]
    assert [(wait.position, wait.minutes) for wait in waits] == [(1, 1), (2, 42)]

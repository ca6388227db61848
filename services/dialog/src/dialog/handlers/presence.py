"""Signs of life in a chat: who is there, who is writing, and who goes on when a helper was lost."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork

from dialog.domain.availability import NoFreePlaceError
from dialog.domain.chats import Author, ChatNotFoundError, HelperPresentError
from dialog.domain.presence import FRAME_HOLDS, STREAM_HOLDS, TYPING_HOLDS
from dialog.store.availability import count_active, lock_duty
from dialog.store.chats import lock_chat, ring, save_chat, see_youth
from dialog.store.presence import forget_side, note_typing, presence_of, sign_of, sign_of_helper


async def note_presence(chat_id: UUID, uow: UnitOfWork, read_to: int = 0, holds: timedelta = FRAME_HOLDS) -> None:
    """The youth has the chat before her, with messages up to `read_to`. Its row keeps the minute, the sign of life the second."""
    now = await uow.now()
    await see_youth(uow.connection, chat_id, now)
    await sign_of(uow.connection, chat_id, Author.YOUTH, now + holds, read_to)


async def note_helper(helper: UUID, uow: UnitOfWork, holds: timedelta = FRAME_HOLDS) -> None:
    """The helper is at the desk, and so there for all chats that are theirs."""
    await sign_of_helper(uow.connection, helper, await uow.now() + holds)


async def note_reading(chat_id: UUID, uow: UnitOfWork, read_to: int, holds: timedelta = FRAME_HOLDS) -> None:
    """The helper has this chat before them, with messages up to `read_to`."""
    await sign_of(uow.connection, chat_id, Author.HELPER, await uow.now() + holds, read_to)


@dataclass(frozen=True, slots=True)
class TypeInChat:
    chat_id: UUID
    side: Author


async def type_in_chat(command: TypeInChat, uow: UnitOfWork) -> None:
    """Somebody is writing; nothing of what."""
    now = await uow.now()
    await note_typing(uow.connection, command.chat_id, command.side, now + TYPING_HOLDS, now + STREAM_HOLDS)


@dataclass(frozen=True, slots=True)
class TakeOverChat:
    chat_id: UUID
    helper: UUID
    organisation: str


async def take_over_chat(command: TakeOverChat, uow: UnitOfWork) -> None:
    """A colleague goes on in a chat whose helper is gone; one wins, since from then on its helper is there again.

    Raises NotOnDutyError, NoFreePlaceError, ChatNotFoundError, ChatClosedError, HelperPresentError, ChatTakenError.
    """
    capacity = await lock_duty(uow.connection, command.helper)
    if await count_active(uow.connection, command.helper) >= capacity:
        raise NoFreePlaceError
    chat = await lock_chat(uow.connection, command.chat_id)
    if chat.organisation != command.organisation:
        raise ChatNotFoundError
    taken = chat.take_over(command.helper)
    now = await uow.now()
    if not (await presence_of(uow.connection, chat.id, Author.HELPER)).is_away(now):
        raise HelperPresentError
    await save_chat(uow.connection, taken)
    await forget_side(uow.connection, chat.id, Author.HELPER)
    await sign_of(uow.connection, chat.id, Author.HELPER, now + FRAME_HOLDS)
    await ring(uow.connection, chat.service_id)

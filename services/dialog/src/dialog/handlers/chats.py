"""What happens to a chat: asked for, taken, written in, ended, deleted. The youth's and the helper's acts and what time does."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from contracts.codes import AgeBand, ChatOutcome, Language, TopicCode, Urgency
from contracts.dialog import ChatAbandoned, ChatAccepted, ChatDeleted, ChatEnded, ChatQueued, ChatRequested, ChatUnanswered
from servicekit.crypto import Vault
from servicekit.delivery.outbox import UnitOfWork

from dialog.domain.availability import NoFreePlaceError
from dialog.domain.chats import OUTCOME_OF, Author, Chat, ChatNotFoundError, ChatState, checked_message, last_day
from dialog.handlers.availability import chat_service
from dialog.queries.chats import place_in_queue
from dialog.store.availability import count_active, load_of, lock_duty, lock_provider, save_provider
from dialog.store.chats import (
    add_chat,
    add_message,
    count_rating,
    data_key_of,
    delete_chat,
    lock_chat,
    ring,
    save_chat,
    text_context,
)
from dialog.store.due_chats import lock_deserted, lock_overdue, lock_waiting_in_vain
from dialog.store.presence import forget_sides, stop_typing

CHAT = "chat"
"""Kind in the ledger of deletions."""


@dataclass(frozen=True, slots=True)
class RequestChat:
    browser: bytes
    """Hash of the browser session: one open chat each."""
    service_id: UUID
    topic_code: TopicCode
    age_band: AgeBand
    language: Language
    urgency: Urgency


async def request_chat(command: RequestChat, uow: UnitOfWork, vault: Vault) -> Chat:
    """Ask for a talk and wait. Raises UnknownServiceError, ServiceClosedError, QueueFullError or OpenChatError."""
    service = await chat_service(uow, command.service_id)
    provider = await lock_provider(uow.connection, command.service_id)
    provider.admit(await load_of(uow.connection, command.service_id))
    now = await uow.now()
    chat = Chat(
        id=uuid4(),
        service_id=command.service_id,
        organisation=service.owner_number,
        topic_code=command.topic_code,
        age_band=command.age_band,
        language=command.language,
        urgency=command.urgency,
        retention=provider.retention,
        requested_at=now,
        seen_at=now,
        delete_after=last_day(provider.retention, now),
    ).queued()
    await add_chat(uow.connection, chat, command.browser, vault.new_key(text_context(chat.id)))
    await ring(uow.connection, chat.service_id)
    requested = ChatRequested(
        chat_id=chat.id, service_id=chat.service_id, topic_code=chat.topic_code, age_band=chat.age_band, language=chat.language
    )
    uow.tell(requested, key=chat.id, sequence=chat.sequence - 1)
    position = await place_in_queue(uow.connection, chat)
    uow.tell(ChatQueued(chat_id=chat.id, position=position), key=chat.id, sequence=chat.sequence)
    return chat


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    chat_id: UUID


async def leave_queue(command: LeaveQueue, uow: UnitOfWork) -> None:
    """The youth doesn't want to wait any longer. Raises ChatNotFoundError, ChatTakenError."""
    await _abandon(await lock_chat(uow.connection, command.chat_id), uow)


@dataclass(frozen=True, slots=True)
class TakeChat:
    chat_id: UUID
    helper: UUID
    organisation: str


async def take_chat(command: TakeChat, uow: UnitOfWork) -> None:
    """One helper wins. Raises NotOnDutyError, NoFreePlaceError, ChatNotFoundError, ChatTakenError."""
    capacity = await lock_duty(uow.connection, command.helper)
    if await count_active(uow.connection, command.helper) >= capacity:
        raise NoFreePlaceError
    waiting = await lock_chat(uow.connection, command.chat_id)
    if waiting.organisation != command.organisation:
        raise ChatNotFoundError
    now = await uow.now()
    chat = waiting.accept(command.helper, now)
    await save_chat(uow.connection, chat)
    await ring(uow.connection, chat.service_id)
    uow.tell(ChatAccepted(chat_id=chat.id, waited_seconds=chat.waited_seconds(now)), key=chat.id, sequence=chat.sequence)


@dataclass(frozen=True, slots=True)
class SayInChat:
    chat_id: UUID
    text: str
    helper: UUID | None = None
    """Who writes; None = the youth."""


async def say_in_chat(command: SayInChat, uow: UnitOfWork, vault: Vault) -> Chat:
    """Write one message. Raises EmptyMessageError, MessageTooLongError, ChatNotFoundError, ChatClosedError."""
    text = checked_message(command.text)
    now = await uow.now()
    chat, author = await _lock_as(command.helper, command.chat_id, uow)
    chat = chat.say(author, now)
    key = await data_key_of(uow.connection, chat.id)
    sealed = vault.encrypt(key, text, text_context(chat.id))
    await add_message(uow.connection, chat.id, chat.messages, author, sealed, now)
    await stop_typing(uow.connection, chat.id, author)
    await save_chat(uow.connection, chat)
    return chat


@dataclass(frozen=True, slots=True)
class EndChat:
    chat_id: UUID
    helper: UUID | None = None
    """Who ends it; None = the youth."""


async def end_chat(command: EndChat, uow: UnitOfWork) -> None:
    """Either of the two ends the talk. Raises ChatNotFoundError, ChatClosedError."""
    chat, author = await _lock_as(command.helper, command.chat_id, uow)
    await _end(chat, OUTCOME_OF[author], uow)


@dataclass(frozen=True, slots=True)
class DeleteChat:
    chat_id: UUID


async def delete_chat_now(command: DeleteChat, uow: UnitOfWork) -> None:
    """The youth's wish, at any time: ends what is open, then destroys key and text. Raises ChatNotFoundError."""
    chat = await lock_chat(uow.connection, command.chat_id)
    if chat.state is ChatState.WAITING:
        chat = await _abandon(chat, uow)
    elif chat.state is ChatState.ACTIVE:
        chat = await _end(chat, ChatOutcome.ENDED_BY_YOUTH, uow)
    await _destroy(chat, uow)


async def leave_at_once(chat_id: UUID, uow: UnitOfWork) -> None:
    """The youth has left every page (quick exit): her place in the queue is free, an open talk is over. Raises ChatNotFoundError."""
    chat = await lock_chat(uow.connection, chat_id)
    if chat.state is ChatState.WAITING:
        await _abandon(chat, uow)
    elif chat.state is ChatState.ACTIVE:
        await _end(chat, ChatOutcome.ENDED_BY_YOUTH, uow)


@dataclass(frozen=True, slots=True)
class RateChat:
    chat_id: UUID
    helpful: bool


async def rate_chat(command: RateChat, uow: UnitOfWork) -> None:
    """Whether it helped, counted per service. Raises ChatNotFoundError, ChatClosedError (not over yet, or said before)."""
    chat = (await lock_chat(uow.connection, command.chat_id)).rate()
    await save_chat(uow.connection, chat)
    await count_rating(uow.connection, chat.service_id, helpful=command.helpful)


async def give_up_waiting(uow: UnitOfWork) -> None:
    """Nobody came within the longest wait, or the service has closed: say so."""
    now = await uow.now()
    for chat in await lock_waiting_in_vain(uow.connection, now):
        await _give_up(chat, uow)


async def end_deserted(uow: UnitOfWork) -> None:
    """The youth is gone: she leaves the queue, or the chat ends, so that the helper is free and the text gets its day."""
    for chat in await lock_deserted(uow.connection, await uow.now()):
        if chat.state is ChatState.WAITING:
            await _abandon(chat, uow)
        else:
            await _end(chat, ChatOutcome.TIMED_OUT, uow)


async def delete_overdue(uow: UnitOfWork) -> None:
    """The provider's time is up: the key is destroyed, whatever state the chat is in."""
    for found in await lock_overdue(uow.connection, await uow.now()):
        chat = found
        if chat.state is ChatState.ACTIVE:
            chat = await _end(chat, ChatOutcome.TIMED_OUT, uow)
        elif chat.state is ChatState.WAITING:
            chat = await _give_up(chat, uow)
        await _destroy(chat, uow)


async def _lock_as(helper: UUID | None, chat_id: UUID, uow: UnitOfWork) -> tuple[Chat, Author]:
    """The chat, held, for the youth or for the one helper whose it is. Raises ChatNotFoundError."""
    chat = await lock_chat(uow.connection, chat_id)
    if helper is not None and chat.helper != helper:
        raise ChatNotFoundError
    return chat, Author.YOUTH if helper is None else Author.HELPER


async def _abandon(chat: Chat, uow: UnitOfWork) -> Chat:
    now = await uow.now()
    abandoned = chat.abandon(now)
    await save_chat(uow.connection, abandoned)
    await ring(uow.connection, chat.service_id)
    uow.tell(ChatAbandoned(chat_id=chat.id, waited_seconds=chat.waited_seconds(now)), key=chat.id, sequence=abandoned.sequence)
    return abandoned


async def _give_up(chat: Chat, uow: UnitOfWork) -> Chat:
    now = await uow.now()
    unanswered = chat.give_up(now)
    await save_chat(uow.connection, unanswered)
    await ring(uow.connection, chat.service_id)
    uow.tell(ChatUnanswered(chat_id=chat.id, waited_seconds=chat.waited_seconds(now)), key=chat.id, sequence=unanswered.sequence)
    return unanswered


async def _end(chat: Chat, outcome: ChatOutcome, uow: UnitOfWork) -> Chat:
    now = await uow.now()
    ended = chat.end(now, outcome)
    await save_chat(uow.connection, ended)
    await ring(uow.connection, chat.service_id)
    lasted = ended.lasted_minutes(now)
    provider = await lock_provider(uow.connection, chat.service_id)
    await save_provider(uow.connection, provider.learn(lasted))
    uow.tell(ChatEnded(chat_id=chat.id, outcome=outcome, lasted_minutes=lasted), key=chat.id, sequence=ended.sequence)
    return ended


async def _destroy(chat: Chat, uow: UnitOfWork) -> None:
    await forget_sides(uow.connection, chat.id)
    await delete_chat(uow.connection, chat.id)
    uow.forget(CHAT, chat.id)
    uow.tell(ChatDeleted(chat_id=chat.id), key=chat.id, sequence=chat.deleted().sequence)

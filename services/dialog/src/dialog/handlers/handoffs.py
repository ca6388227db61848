"""The offer to go on logged in. Its making and the chat never meet in one transaction: not even a row version joins them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from contracts.codes import TopicCode, Urgency
from contracts.dialog import HandoffCount, HandoffOffered, HandoffsCounted, HandoffWithdrawn
from servicekit.claim_secret import TypedCode, lookup_hash, read_secret, write_secret
from servicekit.crypto import Vault, derive
from servicekit.delivery.outbox import UnitOfWork

from dialog.domain.chats import Chat, ChatNotFoundError
from dialog.domain.handoffs import (
    TEXT_VERSION,
    Device,
    Handoff,
    HandoffNotFoundError,
    Life,
    bucket_start,
    round_down,
    round_up,
    sentences_of,
    summary_of,
)
from dialog.store.chats import data_key_of, lock_chat, replace_proposal, save_chat, text_context
from dialog.store.handoffs import add_handoff, count, delete_expired, delete_handoff, lock_handoff, salts_of, take_counts

SALT_BYTES = 16
HANDOFF = "handoff"
"""Kind in the ledger of deletions."""

Seal = Callable[[str, bytes], str]
"""`(summary, secret)` -> the summary encrypted under the secret and then to the receiver."""


@dataclass(frozen=True, slots=True)
class ProposeHandoff:
    chat_id: UUID
    helper: UUID
    need: TopicCode
    urgency: Urgency
    summary: str
    """The helper's words; each sentence is shown to the youth by itself."""


async def propose_handoff(command: ProposeHandoff, uow: UnitOfWork, vault: Vault) -> Chat:
    """The helper proposes; nothing travels. Raises ChatNotFoundError, ChatClosedError, SummaryTooLongError."""
    sentences = sentences_of(command.summary)
    chat = await lock_chat(uow.connection, command.chat_id)
    if chat.helper != command.helper:
        raise ChatNotFoundError
    chat.require_talk()
    key = await data_key_of(uow.connection, chat.id)
    sealed = [vault.encrypt(key, sentence, text_context(chat.id)) for sentence in sentences]
    await replace_proposal(uow.connection, chat.id, command.need, command.urgency, sealed)
    await save_chat(uow.connection, chat)
    return chat


@dataclass(frozen=True, slots=True)
class ClaimSecret:
    """What the youth carries over the border, and what the offer is found and read by."""

    secret: bytes
    """256 bits."""
    locator: str | None = None
    salt: bytes | None = None


def shown_secret(service_key: bytes, request_key: bytes, device: Device) -> str:
    """What she sees: 43 base64url characters for the same device, a code to type for another. A repeated form shows the same."""
    if device is Device.SAME:
        return write_secret(derive(service_key, request_key, "claim secret"))
    return str(TypedCode.from_random(derive(service_key, request_key, "claim code")))


async def make_secret(service_key: bytes, request_key: bytes, device: Device) -> ClaimSecret:
    """The secret behind `shown_secret`. That of a typed code is stretched by argon2id, beside the event loop."""
    shown = shown_secret(service_key, request_key, device)
    if device is Device.SAME:
        return ClaimSecret(read_secret(shown))
    code = TypedCode.read(shown)
    salt = derive(service_key, request_key, "claim code salt", SALT_BYTES)
    return ClaimSecret(await asyncio.to_thread(code.stretched, salt), code.locator, salt)


@dataclass(frozen=True, slots=True)
class OfferHandoff:
    """Knows neither chat nor browser."""

    secret: ClaimSecret
    need: TopicCode
    urgency: Urgency
    life: Life
    sentences: tuple[str, ...]
    """What the youth chose to send; empty = nothing but need and urgency."""


async def offer_handoff(command: OfferHandoff, uow: UnitOfWork, seal: Seal, bucket_seconds: int) -> Handoff:
    """The youth's own act of sending."""
    now = await uow.now()
    secret = command.secret
    handoff = Handoff(
        id=uuid4(),
        need=command.need,
        urgency=command.urgency,
        expires_at=round_up(now + command.life.length),
        lookup_hash=lookup_hash(secret.secret),
        text_version=TEXT_VERSION,
        agreed_at=round_down(now),
        locator=secret.locator,
        salt=secret.salt,
    )
    await add_handoff(uow.connection, handoff)
    await count(uow.connection, bucket_start(now, bucket_seconds), bucket_seconds, handoff.need, offered=1)
    offered = HandoffOffered(
        handoff_id=handoff.id,
        need=handoff.need,
        urgency=handoff.urgency,
        expires_at=handoff.expires_at,
        lookup_hash=handoff.lookup_hash,
        locator=handoff.locator,
        salt=handoff.salt.hex() if handoff.salt else None,
        sealed_summary=seal(summary_of(command.sentences), secret.secret) if command.sentences else None,
    )
    uow.tell(offered, key=handoff.id, sequence=handoff.sequence)
    return handoff


@dataclass(frozen=True, slots=True)
class GoAndLogIn:
    chat_id: UUID


async def go_and_log_in(command: GoAndLogIn, uow: UnitOfWork) -> None:
    """The helper sees that the youth tries to log in, and nothing else. Raises ChatNotFoundError, ChatClosedError."""
    chat = (await lock_chat(uow.connection, command.chat_id)).go_and_log_in()
    await save_chat(uow.connection, chat)


@dataclass(frozen=True, slots=True)
class WithdrawHandoff:
    shown: str
    """The secret or the typed code, as the youth has it."""


async def withdraw_handoff(command: WithdrawHandoff, uow: UnitOfWork, bucket_seconds: int) -> None:
    """Whoever has the secret may take the offer back. Raises MalformedSecretError, HandoffNotFoundError."""
    now = await uow.now()
    handoff = await _lock_by(command.shown, uow)
    await take_back(handoff, uow)
    await count(uow.connection, bucket_start(now, bucket_seconds), bucket_seconds, handoff.need, withdrawn=1)


async def take_back(handoff: Handoff, uow: UnitOfWork) -> None:
    """The offer goes, here and at the receiver's."""
    withdrawn = replace(handoff, sequence=2)
    await delete_handoff(uow.connection, withdrawn.id)
    uow.forget(HANDOFF, withdrawn.id)
    uow.tell(HandoffWithdrawn(handoff_id=withdrawn.id), key=withdrawn.id, sequence=withdrawn.sequence)


async def _lock_by(shown: str, uow: UnitOfWork) -> Handoff:
    now = await uow.now()
    if len(shown) > 40:
        return await lock_handoff(uow.connection, lookup_hash(read_secret(shown)), now)
    code = TypedCode.read(shown)
    for salt in await salts_of(uow.connection, code.locator, now):
        try:
            return await lock_handoff(uow.connection, lookup_hash(await asyncio.to_thread(code.stretched, salt)), now)
        except HandoffNotFoundError:
            continue
    raise HandoffNotFoundError


async def drop_expired(uow: UnitOfWork) -> None:
    """An offer that nobody claimed is forgotten; nobody is told, the receiver has the same clock."""
    await delete_expired(uow.connection, await uow.now())


async def count_handoffs(uow: UnitOfWork) -> None:
    """Tell every bucket that is over, once. What came late into a bucket is told as a further count of that bucket."""
    buckets: dict[tuple[object, ...], list[HandoffCount]] = {}
    for row in await take_counts(uow.connection, await uow.now()):
        counted = HandoffCount(need=row.need, offered=row.offered, withdrawn=row.withdrawn)
        buckets.setdefault((row.bucket_start, row.bucket_seconds), []).append(counted)
    for (start, seconds), counts in sorted(buckets.items(), key=str):
        told = HandoffsCounted(bucket_id=uuid4(), bucket_start=start, bucket_seconds=seconds, counts=tuple(counts))
        uow.tell(told, key=told.bucket_id, sequence=1)

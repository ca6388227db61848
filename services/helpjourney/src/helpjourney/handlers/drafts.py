"""A form that came after the session was over is kept, so that she finds what she wrote when she has logged in again.

Only the browser that sent it has the key, and only who owns the journey that it was written for is shown it: neither the
database nor the next person at the same machine can read it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from servicekit.crypto import CannotOpenError, decrypt, encrypt, hkdf
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.store.drafts import draft_of, drop_draft, save_draft

LIFE = timedelta(minutes=120)
"""How long a draft waits for its writer."""


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """`token` is the browser's new key, 32 random bytes; `fields` what the form held."""

    token: bytes
    journey_id: UUID
    fields: Mapping[str, Sequence[str]]


async def keep_draft(command: KeepDraft, uow: UnitOfWork) -> None:
    """Whether the journey exists or whose it is, isn't asked: nobody is logged in."""
    written = json.dumps({name: list(values) for name, values in command.fields.items()}).encode()
    sealed = encrypt(_key(command.token), written, command.journey_id.bytes)
    await save_draft(uow.connection, _id(command.token), sealed, await uow.now() + LIFE)


async def open_draft(token: bytes, journey_id: UUID, uow: UnitOfWork) -> dict[str, tuple[str, ...]] | None:
    """What this browser's last form for this journey held. Ask only for a journey that the reader owns."""
    sealed = await draft_of(uow.connection, _id(token), await uow.now())
    if sealed is None:
        return None
    try:
        written = json.loads(decrypt(_key(token), sealed, journey_id.bytes))
    except CannotOpenError:
        return None
    return {name: tuple(values) for name, values in written.items()}


async def forget_draft(token: bytes, uow: UnitOfWork) -> None:
    """It has served."""
    await drop_draft(uow.connection, _id(token))


def _id(token: bytes) -> bytes:
    return sha256(token).digest()


def _key(token: bytes) -> bytes:
    return hkdf(token, "draft")

"""A request that comes twice acts once and is answered twice."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import text

from servicekit.crypto import keyed_hash
from servicekit.delivery.outbox import UnitOfWork

KEPT = timedelta(hours=24)
"""How long an outcome can be asked for again."""

_TAKE = text(
    """insert into idempotency_keys (key_hash, fingerprint, outcome, created_at) values (:key_hash, :fingerprint, '{}', :now)
    on conflict do nothing returning key_hash"""
)
_RECALL = text("select fingerprint, outcome from idempotency_keys where key_hash = :key_hash")
_STORE = text("update idempotency_keys set outcome = cast(cast(:outcome as text) as jsonb) where key_hash = :key_hash")


class KeyReusedError(Exception):
    """The key was used before, for another command."""


async def once(uow: UnitOfWork, key: bytes, fingerprint: bytes, act: Callable[[], Awaitable[dict[str, str]]]) -> dict[str, str]:
    """The outcome of `act`, which runs at the first use of `key` only.

    The outcome holds ids only, never text; it is stored under SHA-256(key) in the transaction of the act itself and kept 24 h.
    A duplicate that comes at the same time waits for the first; does the first roll back, the second acts. Raises KeyReusedError.
    """
    key_hash = sha256(key).digest()
    taken = await uow.connection.execute(_TAKE, {"key_hash": key_hash, "fingerprint": fingerprint, "now": await uow.now()})
    if taken.first() is None:
        used_for, outcome = (await uow.connection.execute(_RECALL, {"key_hash": key_hash})).one()
        if used_for != fingerprint:
            raise KeyReusedError
        return dict(json.loads(outcome) if isinstance(outcome, str) else outcome)
    acted = await act()
    await uow.connection.execute(_STORE, {"key_hash": key_hash, "outcome": json.dumps(acted)})
    return acted


async def is_used(uow: UnitOfWork, key: bytes, fingerprint: bytes) -> bool:
    """Whether this very command was done under this key within `KEPT`."""
    found = (await uow.connection.execute(_RECALL, {"key_hash": sha256(key).digest()})).first()
    return found is not None and found.fingerprint == fingerprint


def fingerprint(key: bytes, fields: Mapping[str, str]) -> bytes:
    """HMAC-SHA-256 under `key` of a command's fields in a fixed order: says whether two requests ask the same, and nothing else."""
    parts = [part.encode() for item in sorted(fields.items()) for part in item]
    return keyed_hash(key, *parts)

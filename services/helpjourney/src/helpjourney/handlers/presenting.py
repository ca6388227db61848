"""A browser presents a secret or a typed code and holds it for two hours. This gives no authority: only a fresh login binds.

The secret is needed once more, to open the summary when the youth says yes. Until then it is kept encrypted under a key that only
the browser has (a cookie of its own, 256 random bits; the table knows its hash): whoever takes the database, with the service's
private key in hand too, can read nothing.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from servicekit.claim_secret import TypedCode, lookup_hash
from servicekit.crypto import decrypt, encrypt, hkdf
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.claims import (
    FETCHING,
    HOLD,
    LoginTooOldError,
    OfferGoneError,
    OfferState,
    Standing,
    TooManyCodesError,
    must_be_fresh,
    must_be_open,
)
from helpjourney.store.claims import (
    HolderRow,
    OfferRow,
    add_holder,
    drop_holder,
    holder_of,
    is_spent,
    lock_tries,
    offer_of,
    offers_at,
    save_holder,
    save_tries,
)

HOLDER_BYTES = 32
"""Of a browser's holder key."""
LOGIN_TRIES = "login:"
LOCATOR_TRIES = "locator:"
_at_once = asyncio.Semaphore(2)  # argon2id takes 64 MiB and a core each


@dataclass(frozen=True, slots=True)
class PresentSecret:
    """`token` is the browser's new holder key, 32 random bytes; `secret` the 256 bits that dialog made."""

    token: bytes
    secret: bytes


async def present_secret(command: PresentSecret, uow: UnitOfWork) -> None:
    """The browser holds the secret, whether its offer is here, on its way or unknown."""
    now, id_hash = await uow.now(), holder_id(command.token)
    sealed = _seal(command.token, command.secret)
    await add_holder(uow.connection, HolderRow(id_hash, lookup_hash(command.secret), None, (), sealed, now), now + HOLD)


@dataclass(frozen=True, slots=True)
class PresentCode:
    """`login` identifies the login that types, if there is one: wrong codes count for it too."""

    token: bytes
    code: TypedCode
    login: str | None = None


async def present_code(command: PresentCode, uow: UnitOfWork) -> None:
    """The browser holds the code. Raises TooManyCodesError when its locator or the login is closed."""
    now = await uow.now()
    sealed = _seal(command.token, command.code.secret.encode())
    holder = HolderRow(holder_id(command.token), None, command.code.locator, (), sealed, now)
    await add_holder(uow.connection, holder, now + HOLD)
    await recognise(command.token, holder, command.login, uow)


def holder_id(token: bytes) -> bytes:
    """What the table knows of a browser's holder key."""
    return sha256(token).digest()


def secret_of(token: bytes, holder: HolderRow) -> bytes:
    """The secret that a recognised holder presented. Raises servicekit.crypto.CannotOpenError."""
    return decrypt(hkdf(token, "holder"), holder.sealed_secret, b"holders")


async def recognise(token: bytes, holder: HolderRow, login: str | None, uow: UnitOfWork) -> HolderRow:
    """Try a typed code on the offers with its locator that it wasn't tried on; each offer is tried once per holder.

    Raises TooManyCodesError. A wrong code counts only where there was something to open, so that a late offer harms nobody.
    """
    if holder.lookup_hash is not None or holder.locator is None:
        return holder
    untried = [offer for offer in await offers_at(uow.connection, holder.locator) if offer.handoff_id not in holder.tried]
    if not untried:
        return holder
    code = TypedCode(holder.locator, secret_of(token, holder).decode())
    offer, secret = await try_code(code, untried, login, uow)
    if offer is None or secret is None:
        known = replace(holder, tried=(*holder.tried, *(one.handoff_id for one in untried)))
    else:
        known = replace(holder, lookup_hash=offer.lookup_hash, sealed_secret=_seal(token, secret), tried=())
    await save_holder(uow.connection, known)
    return known


async def try_code(
    code: TypedCode, candidates: list[OfferRow], login: str | None, uow: UnitOfWork
) -> tuple[OfferRow, bytes] | tuple[None, None]:
    """The offer that a code opens, and the secret; or nothing, and one more wrong code. Raises TooManyCodesError."""
    now = await uow.now()
    subjects = [LOCATOR_TRIES + code.locator, *([LOGIN_TRIES + login] if login else [])]
    counted = {subject: await lock_tries(uow.connection, subject, now) for subject in subjects}
    if any(tries.is_closed(now) for tries in counted.values()):
        raise TooManyCodesError
    for offer in candidates:
        if offer.salt is not None:
            async with _at_once:
                secret = await asyncio.to_thread(code.stretched, offer.salt)
            if lookup_hash(secret) == offer.lookup_hash:
                return offer, secret
    for subject, tries in counted.items():
        await save_tries(uow.connection, subject, tries.after_wrong(now), now)
    return None, None


@dataclass(frozen=True, slots=True)
class LookAgain:
    """Has the offer come? Asked by the page that renews itself, and before each binding."""

    token: bytes
    login: str | None = None
    auth_time: datetime | None = None
    """When somebody logged in, if anybody has."""


async def look_again(command: LookAgain, uow: UnitOfWork) -> Standing:
    """What the browser is told. Only bookkeeping of its own holder changes. Raises TooManyCodesError."""
    now = await uow.now()
    holder = await holder_of(uow.connection, holder_id(command.token), now, lock=True)
    if holder is None:
        return Standing.NOTHING
    holder = await recognise(command.token, holder, command.login, uow)
    standing = await _standing(holder, now, uow)
    return _after_login(standing, command.auth_time, holder.presented_at)


def _after_login(standing: Standing, auth_time: datetime | None, presented_at: datetime) -> Standing:
    if standing is Standing.READY and auth_time is not None:
        try:
            must_be_fresh(auth_time, presented_at)
        except LoginTooOldError:
            return Standing.LOGIN_AGAIN
    return standing


async def _standing(holder: HolderRow, now: datetime, uow: UnitOfWork) -> Standing:
    if holder.lookup_hash is not None:
        if offer := await offer_of(uow.connection, holder.lookup_hash):
            try:
                must_be_open(offer.state, offer.expires_at, holder.presented_at)
            except OfferGoneError as gone:
                return Standing.WITHDRAWN if gone.state is OfferState.WITHDRAWN else Standing.EXPIRED
            return Standing.READY
        if await is_spent(uow.connection, holder.lookup_hash):
            return Standing.CLAIMED
    return Standing.FETCHING if now < holder.presented_at + FETCHING else Standing.NOT_FOUND


@dataclass(frozen=True, slots=True)
class LetGo:
    """Not hers ("dette er ikke mitt"): this browser holds nothing more; the offer stays as it is."""

    token: bytes


async def let_go(command: LetGo, uow: UnitOfWork) -> None:
    await drop_holder(uow.connection, holder_id(command.token))


def _seal(token: bytes, secret: bytes) -> bytes:
    return encrypt(hkdf(token, "holder"), secret, b"holders")

"""The yes: in one transaction an offer becomes a journey with a new random id, and the way back is gone.

Whoever's transaction first deletes the offer has won; the others wait at its row, find it gone and the secret spent.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from contracts.codes import AgeBand, Entry
from joserfc.jwk import ECKey
from servicekit.claim_secret import open_summary
from servicekit.crypto import CannotOpenError, Vault
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.ages import day_in_oslo, received
from helpjourney.domain.claims import AlreadyClaimedError, NotArrivedError, NotHeldError, OfferState, must_be_fresh, must_be_open
from helpjourney.domain.journeys import Keeping
from helpjourney.handlers.journeys import Beginning, Brought, Clinician, begin_journey
from helpjourney.handlers.presenting import holder_id, secret_of
from helpjourney.store.claims import HolderRow, OfferRow, drop_holder, holder_of, is_spent, offer_of, spend
from helpjourney.store.units import rules_of_age


@dataclass(frozen=True, slots=True)
class Opener:
    """What opens a summary and locks it again: our private keys (the secret is the other half) and the vault of data keys."""

    own: tuple[ECKey, ...]
    vault: Vault


@dataclass(frozen=True, slots=True)
class BindOffer:
    """`token` is the browser's holder key; `auth_time` and `born` come from the login that she said yes to."""

    token: bytes
    subject: UUID
    auth_time: datetime
    born: date
    bucket_seconds: int
    keeping: Keeping


async def bind_offer(command: BindOffer, opener: Opener, uow: UnitOfWork) -> UUID:
    """The new journey's id.

    Raises NotHeldError, LoginTooOldError, NotForThisAgeError, NotArrivedError, AlreadyClaimedError, OfferGoneError; the offer
    is then unread and as valid as before.
    """
    now = await uow.now()
    holder = await _held(command.token, now, uow)
    must_be_fresh(command.auth_time, holder.presented_at)
    band = received(await rules_of_age(uow.connection), command.born, day_in_oslo(now))
    offer = await _take(holder, uow)
    brought = _open(command.token, holder, offer, opener)
    beginning = Beginning(command.subject, Entry.HANDOFF, band, brought, command.bucket_seconds, command.keeping)
    return await begin_journey(beginning, opener.vault, uow)


@dataclass(frozen=True, slots=True)
class ClaimWithClinician:
    """No eID: a clinician types the code in the youth's presence. The journey begins without a subject, at her unit."""

    token: bytes
    by: Clinician
    bucket_seconds: int
    keeping: Keeping


async def claim_with_clinician(command: ClaimWithClinician, opener: Opener, uow: UnitOfWork) -> UUID:
    """The new journey's id. Raises NotHeldError, NotArrivedError, AlreadyClaimedError, OfferGoneError."""
    holder = await _held(command.token, await uow.now(), uow)
    brought = _open(command.token, holder, await _take(holder, uow), opener)
    beginning = Beginning(
        None, Entry.WITH_CLINICIAN, AgeBand.UNKNOWN.value, brought, command.bucket_seconds, command.keeping, command.by.service_id
    )
    return await begin_journey(beginning, opener.vault, uow)


async def _held(token: bytes, now: datetime, uow: UnitOfWork) -> HolderRow:
    holder = await holder_of(uow.connection, holder_id(token), now, lock=True)
    if holder is None:
        raise NotHeldError
    return holder


async def _take(holder: HolderRow, uow: UnitOfWork) -> OfferRow:
    """Decide the race: from here on nobody else can have the offer, unless this transaction fails."""
    if holder.lookup_hash is None:
        raise NotArrivedError
    offer = await offer_of(uow.connection, holder.lookup_hash, lock=True)
    if offer is None:
        raise AlreadyClaimedError if await is_spent(uow.connection, holder.lookup_hash) else NotArrivedError
    must_be_open(offer.state, offer.expires_at, holder.presented_at)
    await spend(uow.connection, offer)
    await drop_holder(uow.connection, holder.id_hash)
    return offer


def _open(token: bytes, holder: HolderRow, offer: OfferRow, opener: Opener) -> Brought:
    """A text that can't be opened must not stop her: the rest is bound, and the page says so."""
    if offer.sealed_summary is None:  # presented in the very moment in which it expired: the text is gone already
        return Brought(offer.need, offer.urgency, None, was_unreadable=offer.state is OfferState.EXPIRED)
    try:
        summary = open_summary(offer.sealed_summary, secret_of(token, holder), *opener.own)
    except CannotOpenError:
        return Brought(offer.need, offer.urgency, None, was_unreadable=True)
    return Brought(offer.need, offer.urgency, summary)

"""Hears of handoffs: an offer waits until it is claimed, withdrawn or its time is up."""

from datetime import timedelta

from contracts.dialog import HandoffOffered, HandoffWithdrawn
from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.claims import OfferState
from helpjourney.store.claims import OfferRow, add_offer, close_offer, expired_offers, is_over, remember_withdrawal

OFFER = "offer"
"""Kind in the ledger of deletions. A claimed offer isn't noted: nothing of it may be kept beside its journey."""
REASON_KEPT = timedelta(days=7)
"""How long a page can still say that an offer was withdrawn or expired. No text is kept."""
EARLY_KEPT = timedelta(days=15)
"""Longer than the longest life of an offer (14 days): a late or repeated offer stays withdrawn."""


async def on_handoff_offered(event: HandoffOffered, uow: UnitOfWork) -> None:
    """The offer waits, unread. What was withdrawn or spent before stays so."""
    if await is_over(uow.connection, event.handoff_id, event.lookup_hash):
        return
    offer = OfferRow(
        handoff_id=event.handoff_id,
        lookup_hash=event.lookup_hash,
        need=event.need,
        urgency=event.urgency,
        expires_at=event.expires_at,
        locator=event.locator,
        salt=bytes.fromhex(event.salt) if event.salt else None,
        sealed_summary=event.sealed_summary,
        state=OfferState.OPEN,
    )
    await add_offer(uow.connection, offer, event.expires_at + REASON_KEPT)


async def on_handoff_withdrawn(event: HandoffWithdrawn, uow: UnitOfWork) -> None:
    """What travelled is destroyed. Comes it after a claim, nothing changes for the one who claimed."""
    now = await uow.now()
    uow.forget(OFFER, event.handoff_id)
    if not await close_offer(uow.connection, event.handoff_id, OfferState.WITHDRAWN, now + REASON_KEPT):
        await remember_withdrawal(uow.connection, event.handoff_id, now + EARLY_KEPT)


async def expire_offers(uow: UnitOfWork) -> None:
    """Destroy what nobody presented in time."""
    now = await uow.now()
    for handoff_id in await expired_offers(uow.connection, now):
        await close_offer(uow.connection, handoff_id, OfferState.EXPIRED, now + REASON_KEPT)

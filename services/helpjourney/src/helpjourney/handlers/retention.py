"""Deletes what has served its time, and again what a restore brought back: offers, holders, texts with their keys, journeys."""

from collections.abc import Collection
from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork

from helpjourney.domain.claims import OfferState
from helpjourney.handlers.journeys import JOURNEY, SUMMARY, close_journeys, destroy_texts
from helpjourney.handlers.notices import SENT_KEPT
from helpjourney.handlers.offers import OFFER, REASON_KEPT, expire_offers
from helpjourney.store.appointments import delete_old_notices, destroy_notes, overdue_notes
from helpjourney.store.claims import close_offer, delete_overdue_claims
from helpjourney.store.drafts import delete_overdue_drafts
from helpjourney.store.journeys import journeys_among, overdue_journeys, overdue_summaries

NOTE = "note"
"""Kind in the ledger of deletions: what a youth wrote with a wish, by its appointment."""


async def delete_overdue(uow: UnitOfWork) -> None:
    """One round, by the database's clock."""
    now = await uow.now()
    await expire_offers(uow)
    await delete_overdue_claims(uow.connection, now)
    await delete_overdue_drafts(uow.connection, now)
    await destroy_texts(uow, await overdue_summaries(uow.connection, now))
    await erase_notes(uow, await overdue_notes(uow.connection, now))
    await delete_old_notices(uow.connection, now - SENT_KEPT)
    await close_journeys(uow, await overdue_journeys(uow.connection, now))


async def erase_notes(uow: UnitOfWork, ids: Collection[UUID]) -> int:
    for appointment_id in ids:
        uow.forget(NOTE, appointment_id)
    return await destroy_notes(uow.connection, ids)


async def erase_journeys(uow: UnitOfWork, ids: Collection[UUID]) -> int:
    found = await journeys_among(uow.connection, ids)
    await close_journeys(uow, found)
    return len(found)


async def erase_offers(uow: UnitOfWork, ids: Collection[UUID]) -> int:
    """The giver took them back."""
    until = await uow.now() + REASON_KEPT
    return sum([await close_offer(uow.connection, handoff_id, OfferState.WITHDRAWN, until) for handoff_id in sorted(ids)])


ERASERS = {JOURNEY: erase_journeys, SUMMARY: destroy_texts, NOTE: erase_notes, OFFER: erase_offers}
"""By kind in the ledger."""

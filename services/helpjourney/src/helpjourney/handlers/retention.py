"""Deletes what has served its time: offers, holders, texts with their keys, old reminders, journeys."""

from servicekit.delivery.outbox import UnitOfWork

from helpjourney.handlers.journeys import close_overdue
from helpjourney.handlers.notices import SENT_KEPT
from helpjourney.handlers.offers import expire_offers
from helpjourney.store.appointments import delete_old_notices, destroy_overdue_notes
from helpjourney.store.claims import delete_overdue_claims
from helpjourney.store.drafts import delete_overdue_drafts
from helpjourney.store.journeys import destroy_overdue_summaries, overdue_journeys


async def delete_overdue(uow: UnitOfWork) -> None:
    """One round, by the database's clock."""
    now = await uow.now()
    await expire_offers(uow)
    await delete_overdue_claims(uow.connection, now)
    await delete_overdue_drafts(uow.connection, now)
    await destroy_overdue_summaries(uow.connection, now)
    await destroy_overdue_notes(uow.connection, now)
    await delete_old_notices(uow.connection, now - SENT_KEPT)
    await close_overdue(uow, await overdue_journeys(uow.connection, now))

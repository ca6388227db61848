"""Due work of questions: deletion when their time is up, and forgetting who tried what."""

from datetime import timedelta
from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork
from servicekit.timers import Every, Timers

from dialog.handlers.questions import delete_overdue_questions
from dialog.store.tries import forget_tries

TRIES_KEPT = timedelta(hours=1)


async def delete_overdue(uow: UnitOfWork, _: UUID | None) -> None:
    """As many as there are, up to a sweep; the next round takes the rest."""
    await delete_overdue_questions(uow)


async def forget_old_tries(uow: UnitOfWork, _: UUID | None) -> None:
    """What the abuse floor no longer counts, nobody needs to know."""
    await forget_tries(uow.connection, await uow.now() - TRIES_KEPT)


TIMERS: Timers = {
    "questions.delete_overdue": Every(60, delete_overdue),
    "tries.forget": Every(60, forget_old_tries),
}

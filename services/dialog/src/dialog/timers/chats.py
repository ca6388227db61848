"""Due work of chats, availability and handoffs."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork
from servicekit.timers import Every, TimerHandler, Timers

from dialog.handlers.availability import measure_services
from dialog.handlers.chats import delete_overdue, end_deserted, give_up_waiting
from dialog.handlers.handoffs import count_handoffs, drop_expired


def timers(border_bucket_seconds: int) -> Timers:
    """Each looks at what is due by the rows themselves, so that downtime only delays."""
    return {
        "availability.measure": Every(3, _always(measure_services)),
        "chats.unanswered": Every(5, _always(give_up_waiting)),
        "chats.deserted": Every(30, _always(end_deserted)),
        "chats.delete": Every(30, _always(delete_overdue)),
        "handoffs.expire": Every(60, _always(drop_expired)),
        "handoffs.count": Every(min(60.0, border_bucket_seconds / 2), _always(count_handoffs)),
    }


def _always(work: Callable[[UnitOfWork], Awaitable[None]]) -> TimerHandler:
    async def run(uow: UnitOfWork, subject: UUID | None) -> None:  # noqa: ARG001 - these have none
        await work(uow)

    return run

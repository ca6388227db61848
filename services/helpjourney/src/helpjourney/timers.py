"""Work that falls due: buckets at the border close, reminders are sent, what has served is deleted."""

from uuid import UUID

from servicekit.delivery.outbox import UnitOfWork
from servicekit.timers import Every, Timers

from helpjourney.handlers.border import CLOSE_BUCKET, SETTLE, close_bucket, settle
from helpjourney.handlers.notices import NEWS, REMIND, Send, send_news, send_reminder
from helpjourney.handlers.retention import delete_overdue

RETENTION_SECONDS = 60


def timers(send: Send) -> Timers:
    """What is due when; `send` is the door that reminders leave by."""

    async def remind(uow: UnitOfWork, appointment_id: UUID | None) -> None:
        if appointment_id is not None:
            await send_reminder(uow, appointment_id, send)

    async def tell_news(uow: UnitOfWork, appointment_id: UUID | None) -> None:
        if appointment_id is not None:
            await send_news(uow, appointment_id, send)

    async def close(uow: UnitOfWork, bucket_id: UUID | None) -> None:
        if bucket_id is not None:
            await close_bucket(uow, bucket_id)

    async def settle_bucket(uow: UnitOfWork, bucket_id: UUID | None) -> None:  # noqa: ARG001 - all that is unsettled goes together
        await settle(uow)

    async def retain(uow: UnitOfWork, subject: UUID | None) -> None:  # noqa: ARG001 - a recurring timer has no subject
        await delete_overdue(uow)

    return {CLOSE_BUCKET: close, SETTLE: settle_bucket, REMIND: remind, NEWS: tell_news, "retention": Every(RETENTION_SECONDS, retain)}

"""What reporting counts when it hears something. Facts of different topics may come in any order: counts only add up."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from contracts import dialog, helpjourney, identity, info
from contracts.codes import LoginOutcome, PageClass
from contracts.event import Event
from servicekit.delivery.outbox import UnitOfWork

from reporting.domain import Step, Wait, band_of
from reporting.store import add_counts, add_waits, delist_service, list_service, open_provider, set_queue

ONE_STEP: Mapping[type[Event], Step] = {
    dialog.QuestionAsked: Step.QUESTIONS_ASKED,
    dialog.QuestionFlaggedAcute: Step.QUESTIONS_ACUTE,
    dialog.QuestionWithdrawn: Step.QUESTIONS_WITHDRAWN,
    info.AnswerPublished: Step.ANSWERS_PUBLISHED,
    dialog.ChatRequested: Step.CHATS_REQUESTED,
    dialog.ChatEnded: Step.CHATS_ENDED,
    dialog.ChatAbandoned: Step.CHATS_ABANDONED,
    dialog.ChatUnanswered: Step.CHATS_UNANSWERED,
    helpjourney.JourneyStarted: Step.JOURNEYS_STARTED,
    helpjourney.CareStarted: Step.CARE_STARTED,
    helpjourney.AppointmentWished: Step.APPOINTMENTS_WISHED,
    helpjourney.AppointmentBooked: Step.APPOINTMENTS_BOOKED,
    helpjourney.AppointmentCancelled: Step.APPOINTMENTS_CANCELLED,
    helpjourney.AppointmentReminded: Step.APPOINTMENTS_REMINDED,
    helpjourney.AppointmentAttended: Step.APPOINTMENTS_ATTENDED,
    helpjourney.AppointmentNoShow: Step.APPOINTMENTS_NO_SHOW,
}
"""Facts that count as one of a step, and nothing more."""


def _told_at(uow: UnitOfWork) -> datetime:
    if uow.received is None:
        raise RuntimeError("a projection runs on a received event")
    return uow.received.time


def _count(uow: UnitOfWork, step: Step, instant: datetime, number: int) -> None:
    if number:
        uow.add_up(add_counts, (step, _hour(instant)), number)


def _wait(uow: UnitOfWork, wait: Wait, instant: datetime, band: int) -> None:
    uow.add_up(add_waits, (wait, _hour(instant), band), 1)


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def one(step: Step) -> Any:
    """The projection that adds one to `step`."""

    async def project(_event: Event, uow: UnitOfWork) -> None:
        _count(uow, step, _told_at(uow), 1)

    return project


async def on_usage_counted(event: info.UsageCounted, uow: UnitOfWork) -> None:
    empty = sum(row.count for row in event.counts if row.page_class == PageClass.SEARCH_EMPTY)
    _count(uow, Step.PAGES_READ, event.bucket_start, sum(row.count for row in event.counts))
    _count(uow, Step.SEARCHES_EMPTY, event.bucket_start, empty)


async def on_question_answered(event: dialog.QuestionAnswered, uow: UnitOfWork) -> None:
    _count(uow, Step.QUESTIONS_ANSWERED, _told_at(uow), 1)
    _wait(uow, Wait.QUESTION, _told_at(uow), band_of(event.waited_minutes))


async def on_chat_accepted(event: dialog.ChatAccepted, uow: UnitOfWork) -> None:
    _count(uow, Step.CHATS_ACCEPTED, _told_at(uow), 1)
    _wait(uow, Wait.CHAT, _told_at(uow), band_of(event.waited_seconds / 60))


async def on_appointment_offered(event: helpjourney.AppointmentOffered, uow: UnitOfWork) -> None:
    _count(uow, Step.APPOINTMENTS_OFFERED, _told_at(uow), 1)
    _wait(uow, Wait.APPOINTMENT_OFFER, _told_at(uow), band_of(event.waited_minutes))


async def on_handoffs_counted(event: dialog.HandoffsCounted, uow: UnitOfWork) -> None:
    _count(uow, Step.HANDOFFS_OFFERED, event.bucket_start, sum(row.offered for row in event.counts))
    _count(uow, Step.HANDOFFS_WITHDRAWN, event.bucket_start, sum(row.withdrawn for row in event.counts))


async def on_claims_counted(event: helpjourney.ClaimsCounted, uow: UnitOfWork) -> None:
    _count(uow, Step.HANDOFFS_CLAIMED, event.bucket_start, sum(row.claimed for row in event.counts))


async def on_logins_counted(event: identity.LoginsCounted, uow: UnitOfWork) -> None:
    completed = sum(row.count for row in event.counts if row.outcome == LoginOutcome.COMPLETED)
    _count(uow, Step.LOGINS_COMPLETED, event.bucket_start, completed)
    _count(uow, Step.LOGINS_FAILED, event.bucket_start, sum(row.count for row in event.counts) - completed)


async def on_service_listed(event: info.ServiceListed | info.ServiceChanged, uow: UnitOfWork) -> None:
    await list_service(uow.connection, event.service.service_id, event.service.name, event.service.owner_name)


async def on_service_delisted(event: info.ServiceDelisted, uow: UnitOfWork) -> None:
    await delist_service(uow.connection, event.service_id)


async def on_provider_opened(event: dialog.ProviderOpened, uow: UnitOfWork) -> None:
    await open_provider(uow.connection, event.service_id, is_open=True)


async def on_provider_closed(event: dialog.ProviderClosed, uow: UnitOfWork) -> None:
    await open_provider(uow.connection, event.service_id, is_open=False)


async def on_queue_measured(event: dialog.QueueMeasured, uow: UnitOfWork) -> None:
    await set_queue(uow.connection, event.service_id, event.length, event.wait_minutes)

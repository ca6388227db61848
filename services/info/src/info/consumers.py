"""What info does when it hears something. The topics are those that the catalogue lists for it."""

from contracts.dialog import AnswerApproved, AnswerRecalled, ProviderClosed, ProviderOpened, QueueMeasured
from contracts.identity import SessionEnded
from servicekit.delivery.inbox import Handlers
from servicekit.web.sessions import on_session_ended

from info import handlers

HANDLERS: Handlers = {
    AnswerApproved: handlers.on_answer_approved,
    AnswerRecalled: handlers.on_answer_recalled,
    ProviderOpened: handlers.on_provider_opened,
    ProviderClosed: handlers.on_provider_closed,
    QueueMeasured: handlers.on_queue_measured,
    SessionEnded: on_session_ended,
}

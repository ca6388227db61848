"""Which projection runs for which event. The topics are those that the catalogue lists for reporting."""

from contracts import dialog, helpjourney, identity, info
from servicekit.delivery.inbox import Handlers
from servicekit.web.sessions import on_session_ended

from reporting import projections

HANDLERS: Handlers = {
    **{event: projections.one(step) for event, step in projections.ONE_STEP.items()},
    info.UsageCounted: projections.on_usage_counted,
    info.ServiceListed: projections.on_service_listed,
    info.ServiceChanged: projections.on_service_listed,
    info.ServiceDelisted: projections.on_service_delisted,
    dialog.QuestionAnswered: projections.on_question_answered,
    dialog.ChatAccepted: projections.on_chat_accepted,
    dialog.HandoffsCounted: projections.on_handoffs_counted,
    dialog.ProviderOpened: projections.on_provider_opened,
    dialog.ProviderClosed: projections.on_provider_closed,
    dialog.QueueMeasured: projections.on_queue_measured,
    helpjourney.ClaimsCounted: projections.on_claims_counted,
    helpjourney.AppointmentOffered: projections.on_appointment_offered,
    identity.LoginsCounted: projections.on_logins_counted,
    identity.SessionEnded: on_session_ended,
}

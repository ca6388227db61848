"""What helpjourney does when it hears something: event type to handler. The catalogue names the topics."""

from contracts.dialog import HandoffOffered, HandoffWithdrawn
from contracts.identity import SessionEnded
from contracts.info import ServiceChanged, ServiceDelisted, ServiceListed
from servicekit.delivery.inbox import Handlers
from servicekit.web.sessions import on_session_ended

from helpjourney.handlers.directory import on_service_changed, on_service_delisted, on_service_listed
from helpjourney.handlers.offers import on_handoff_offered, on_handoff_withdrawn

HANDLERS: Handlers = {
    HandoffOffered: on_handoff_offered,
    HandoffWithdrawn: on_handoff_withdrawn,
    ServiceListed: on_service_listed,
    ServiceChanged: on_service_changed,
    ServiceDelisted: on_service_delisted,
    SessionEnded: on_session_ended,
}

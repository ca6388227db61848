"""A journey as a line of time: what has happened, what is now, what comes. Codes; the page has the words."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from helpjourney.domain.appointments import State
from helpjourney.queries.journeys import AppointmentView, JourneyView

_PLACES = {"done": 0, "off": 0, "now": 1, "next": 2}


@dataclass(frozen=True, slots=True)
class Happening:
    """One point on the line."""

    kind: str
    """began, brought, wished, waiting, offered, booked, passed, other_time, attended, no_show, cancelled, wish_cancelled, care, referred,
    ended, wish."""
    place: str
    """done, off (it won't be), now or next."""
    at: datetime | None = None
    """When it happened; of an appointment, its time."""
    unit_name: str = ""
    target: str = ""
    appointment_id: UUID | None = None
    off_at: datetime | None = None
    """When it was called off."""


def happenings(journey: JourneyView, now: datetime) -> list[Happening]:
    """What is over comes first, in the order of time; then what she or the unit has to do; then what is to come."""
    found = [Happening("brought" if journey.need else "began", "done", journey.started_at)]
    if journey.care_started_at:
        found.append(Happening("care", "done", journey.care_started_at, journey.care_unit_name or ""))
    found += [Happening("referred", "done", one.at, one.unit_name, one.target) for one in journey.referrals]
    found += [Happening("ended", "done", one.at, one.unit_name) for one in journey.closings]
    for appointment in journey.appointments:
        found += _of(appointment, now)
    if not journey.ahead(now):
        found.append(Happening("wish", "next"))
    return sorted(found, key=lambda one: (_PLACES[one.place], one.off_at or one.at or now))


def _of(one: AppointmentView, now: datetime) -> list[Happening]:
    wished = Happening("wished", "done", one.wished_at, one.unit_name, appointment_id=one.id)
    match one.state:
        case State.WISHED:
            last = Happening("waiting", "now", None, one.unit_name, appointment_id=one.id)
        case State.OFFERED:
            last = Happening("offered", "now", None, one.unit_name, appointment_id=one.id)
        case State.BOOKED if one.starts_at is not None and one.starts_at <= now:
            last = Happening("passed", "done", one.starts_at, one.unit_name, appointment_id=one.id)
        case State.BOOKED:
            last = Happening("other_time" if one.has_other_time else "booked", "now", one.starts_at, one.unit_name, appointment_id=one.id)
        case State.CANCELLED:
            kind = "cancelled" if one.starts_at else "wish_cancelled"
            last = Happening(kind, "off", one.starts_at or one.ended_at, one.unit_name, appointment_id=one.id, off_at=one.ended_at)
        case over:
            last = Happening(over.value, "done", one.starts_at or one.ended_at or one.wished_at, one.unit_name, appointment_id=one.id)
    return [wished, last]

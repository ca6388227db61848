"""What helpjourney (level 3, known) tells the world: counts of claims, journeys and appointments; never a person."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.event import AnyAgeBand, AnyCancelledBy, AnyEntry, AnyTopic, Count, Event, Time

CLAIMS = "helpjourney.claims.v1"
JOURNEYS = "helpjourney.journeys.v1"
APPOINTMENTS = "helpjourney.appointments.v1"


class ClaimCount(BaseModel):
    """How many handoffs of one need were claimed."""

    model_config = ConfigDict(frozen=True)
    need: AnyTopic
    claimed: Count


class ClaimsCounted(Event):
    """Claims in one bucket of time, by need. The only trace that a claim leaves outside this service."""

    type: ClassVar[str] = "helpjourney.claims.counted.v1"
    topic: ClassVar[str] = CLAIMS
    bucket_id: UUID
    bucket_start: Time
    bucket_seconds: Annotated[int, Field(gt=0)]
    counts: tuple[ClaimCount, ...]


class JourneyStarted(Event):
    """A youth's journey began; told at the end of its bucket, shuffled with the others of that bucket."""

    type: ClassVar[str] = "helpjourney.journey.started.v1"
    topic: ClassVar[str] = JOURNEYS
    journey_id: UUID = Field(description="New and random; unrelated to a handoff")
    entry: AnyEntry
    age_band: AnyAgeBand


class CareStarted(Event):
    """An identified clinician of a responsible unit took up health care (helsepersonelloven § 3, § 39)."""

    type: ClassVar[str] = "helpjourney.care.started.v1"
    topic: ClassVar[str] = JOURNEYS
    journey_id: UUID
    service_id: UUID = Field(description="The unit; a public id from the register")


class JourneyClosed(Event):
    """The journey is over."""

    type: ClassVar[str] = "helpjourney.journey.closed.v1"
    topic: ClassVar[str] = JOURNEYS
    journey_id: UUID


class AppointmentWished(Event):
    """A youth wishes an appointment at a unit."""

    type: ClassVar[str] = "helpjourney.appointment.wished.v1"
    topic: ClassVar[str] = APPOINTMENTS
    appointment_id: UUID
    service_id: UUID = Field(description="The unit; a public id from the register")


class AppointmentOffered(Event):
    """The unit offered one or more times."""

    type: ClassVar[str] = "helpjourney.appointment.offered.v1"
    topic: ClassVar[str] = APPOINTMENTS
    appointment_id: UUID
    waited_minutes: Count = Field(description="From wished to offered")


class AppointmentBooked(Event):
    """The youth accepted a time."""

    type: ClassVar[str] = "helpjourney.appointment.booked.v1"
    topic: ClassVar[str] = APPOINTMENTS
    appointment_id: UUID


class AppointmentMoved(Event):
    """The appointment has another time."""

    type: ClassVar[str] = "helpjourney.appointment.moved.v1"
    topic: ClassVar[str] = APPOINTMENTS
    appointment_id: UUID


class AppointmentCancelled(Event):
    """The appointment will not be held."""

    type: ClassVar[str] = "helpjourney.appointment.cancelled.v1"
    topic: ClassVar[str] = APPOINTMENTS
    appointment_id: UUID
    cancelled_by: AnyCancelledBy


class AppointmentReminded(Event):
    """A neutral reminder was handed to the sender."""

    type: ClassVar[str] = "helpjourney.appointment.reminded.v1"
    topic: ClassVar[str] = APPOINTMENTS
    appointment_id: UUID


class AppointmentAttended(Event):
    """The youth came."""

    type: ClassVar[str] = "helpjourney.appointment.attended.v1"
    topic: ClassVar[str] = APPOINTMENTS
    appointment_id: UUID


class AppointmentNoShow(Event):
    """The youth didn't come ("ikke møtt")."""

    type: ClassVar[str] = "helpjourney.appointment.no_show.v1"
    topic: ClassVar[str] = APPOINTMENTS
    appointment_id: UUID

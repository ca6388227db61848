"""The envelope of every event (CloudEvents 1.0, Kafka binary mode) and what all events have in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NamedTuple, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import core_schema

from contracts import codes
from contracts.topic import FIRST_VERSION

SPEC_VERSION = "1.0"
SCHEMA_PREFIX = "urn:stegvis:event:"

read_id = TypeAdapter(UUID).validate_python
"""Reads an id in a third of the time that UUID takes: two are read for each event. Raises ValueError."""


class Event(BaseModel):
    """A fact, told once, never changed. Unknown fields are ignored, so that a producer may ship first."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    type: ClassVar[str]
    """`<service>.<subject>.<past>.v<major>`, the value of `ce_type`."""
    topic: ClassVar[str]
    """The topic that the event is told on; empty where each reader has one of its own."""
    since: ClassVar[str] = FIRST_VERSION
    """Version of the contracts that the type first stood in."""
    until: ClassVar[date | None] = None
    """Last day on which it's told; None = no end is known."""


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


CODE_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9_\-]{0,39}$"
"""What any code looks like, known or not: short, without spaces, so that no free text fits in."""

Time = Annotated[AwareDatetime, AfterValidator(_utc)]
"""An instant, in UTC on the wire."""
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Listed:
    """Marks a field that holds a code of a list, or a newer code that this version keeps without knowing it."""

    codes: type[StrEnum]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        members = {member.value: member for member in self.codes}
        return core_schema.no_info_after_validator_function(
            lambda value: members.get(value, value), core_schema.str_schema(pattern=CODE_PATTERN)
        )

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "x-known-codes": sorted(member.value for member in self.codes)}


AnyTopic = Annotated[str, Listed(codes.TopicCode)]
AnyUrgency = Annotated[str, Listed(codes.Urgency)]
AnyAgeBand = Annotated[str, Listed(codes.AgeBand)]
AnyLanguage = Annotated[str, Listed(codes.Language)]
AnyPageClass = Annotated[str, Listed(codes.PageClass)]
AnyChatOutcome = Annotated[str, Listed(codes.ChatOutcome)]
AnyEntry = Annotated[str, Listed(codes.Entry)]
AnyLoginOutcome = Annotated[str, Listed(codes.LoginOutcome)]
AnyLevel = Annotated[str, Listed(codes.LevelOfAssurance)]
AnyCancelledBy = Annotated[str, Listed(codes.CancelledBy)]
AnyChannel = Annotated[str, Listed(codes.Channel)]
AnyServiceKind = Annotated[str, Listed(codes.ServiceKind)]


class MalformedEnvelopeError(ValueError):
    """A record without the headers that every event has."""


class Envelope(NamedTuple):
    """What stands around the data of an event, as `ce_*` headers of a Kafka record."""

    id: UUID
    """Random, made in the transaction that made the fact true; never derived from a person, host or time."""
    type: str
    source: str
    """The owner of the topic, as in the catalogue."""
    time: datetime
    """UTC, rounded down to the precision of the topic; the record's own timestamp has the same value."""
    sequence: int
    """1, 2, 3 ... per key."""
    causation_id: UUID | None = None
    """The event that led to this one; only within one zone."""

    def headers(self) -> dict[str, str]:
        headers = {
            "ce_specversion": SPEC_VERSION,
            "ce_id": str(self.id),
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_time": self.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "ce_dataschema": SCHEMA_PREFIX + self.type,
            "ce_sequence": str(self.sequence),
            "content-type": "application/json",
        }
        return headers | ({"ce_causationid": str(self.causation_id)} if self.causation_id else {})

    @classmethod
    def of(cls, headers: dict[str, str] | Iterable[tuple[str, bytes | None]]) -> Self:
        """Read headers as Kafka hands them out; one without a value is as good as none. Raises MalformedEnvelopeError."""
        try:
            pairs = headers.items() if isinstance(headers, dict) else headers
            text = {name: value.decode() if isinstance(value, bytes) else value for name, value in pairs if value is not None}
            cause = text.get("ce_causationid")
            time = datetime.fromisoformat(text["ce_time"])
            if text["ce_specversion"] != SPEC_VERSION or time.tzinfo is None:
                raise MalformedEnvelopeError
            return cls(
                read_id(text["ce_id"]),
                text["ce_type"],
                text["ce_source"],
                time,
                int(text["ce_sequence"]),
                read_id(cause) if cause else None,
            )
        except (KeyError, ValueError, AttributeError) as error:
            raise MalformedEnvelopeError from error

"""Every topic: who owns it, who may read it, its key, partitions, retention and how exact its times may be."""

from dataclasses import dataclass
from enum import IntEnum
from types import ModuleType

from contracts import dialog, helpjourney, identity, info, reporting
from contracts.codes import Zone
from contracts.event import Event

ZONES = {
    "info": Zone.OPEN,
    "dialog": Zone.ANONYMOUS,
    "identity": Zone.KNOWN,
    "helpjourney": Zone.KNOWN,
    "reporting": Zone.REPORTING,
}
SERVICES = tuple(ZONES)

PUBLIC_ID_FIELDS = frozenset({"service_id", "publication_id"})
"""Ids of public things (entries of the register, publications): the only ids that topics of levels 2 and 3 may share."""


class Precision(IntEnum):
    """To how many seconds a topic's times are rounded down, by how sensitive the topic is."""

    PUBLIC = 1
    SENSITIVE = 60
    BORDER = 300


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the catalogue."""

    name: str
    owner: str
    readers: frozenset[str]
    key: str
    precision: Precision
    partitions: int = 3
    """Fixed for the life of a topic version: more would break the order of a key."""
    retention_days: int = 7

    @property
    def stays_in_zone(self) -> bool:
        """Every reader is in the owner's zone: only then may a trace or causation id travel along."""
        return all(ZONES[reader] is ZONES[self.owner] for reader in self.readers)


def _topic(name: str, readers: str, key: str, precision: Precision) -> Topic:
    return Topic(name, name.split(".")[0], frozenset(readers.split()), key, precision)


_ROWS = (
    _topic(info.PUBLICATIONS, "dialog reporting", "publication_id", Precision.PUBLIC),
    _topic(info.DIRECTORY, "dialog helpjourney reporting", "service_id", Precision.PUBLIC),
    _topic(info.USAGE, "reporting", "bucket_id", Precision.SENSITIVE),
    _topic(dialog.QUESTIONS, "reporting", "question_id", Precision.SENSITIVE),
    _topic(dialog.PUBLICATIONS, "info", "publication_id", Precision.BORDER),
    _topic(dialog.CHATS, "reporting", "chat_id", Precision.SENSITIVE),
    _topic(dialog.AVAILABILITY, "info reporting", "service_id", Precision.PUBLIC),
    _topic(dialog.HANDOFFS, "helpjourney", "handoff_id", Precision.BORDER),
    _topic(dialog.HANDOFF_COUNTS, "reporting", "bucket_id", Precision.SENSITIVE),
    _topic(helpjourney.CLAIMS, "reporting", "bucket_id", Precision.SENSITIVE),
    _topic(helpjourney.JOURNEYS, "reporting", "journey_id", Precision.SENSITIVE),
    _topic(helpjourney.APPOINTMENTS, "reporting", "appointment_id", Precision.SENSITIVE),
    _topic(identity.LOGINS, "reporting", "bucket_id", Precision.SENSITIVE),
    *(_topic(identity.sessions_topic(reader), reader, "session_id", Precision.PUBLIC) for reader in identity.READERS),
)

TOPICS: dict[str, Topic] = {topic.name: topic for topic in _ROWS}


def _events(module: ModuleType) -> list[type[Event]]:
    return [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Event) and value is not Event]


EVENTS: dict[str, type[Event]] = {
    event.type: event for module in (info, dialog, helpjourney, identity, reporting) for event in _events(module)
}
"""Every event type of the platform, by its name on the wire."""


def topics_read_by(service: str) -> list[str]:
    """The topics that the catalogue lists for one reader, in the catalogue's order."""
    return [topic.name for topic in TOPICS.values() if service in topic.readers]

"""Every topic: who owns it, who may read it, its key, partitions, retention and how exact its times may be."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from contracts import dialog, helpjourney, identity, info, joined, reporting
from contracts.codes import Zone
from contracts.event import Event
from contracts.topic import Owner, Precision, Topic

__all__ = ["EVENTS", "OWNERS", "PUBLIC_ID_FIELDS", "SERVICES", "TOPICS", "ZONES", "Precision", "Topic", "topics_of", "topics_read_by"]

_JOINED = [import_module(f"{joined.__name__}.{module.name}") for module in iter_modules(joined.__path__)]

OWNERS: dict[str, Owner] = {
    owner.name: owner
    for owner in (
        Owner("info", "Bufdir", Zone.OPEN),
        Owner("dialog", "Helsedirektoratet and the chat network", Zone.ANONYMOUS),
        Owner("identity", "Digdir's role", Zone.KNOWN),
        Owner("helpjourney", "the municipal health service", Zone.KNOWN),
        Owner("reporting", "the DigiUng secretariat", Zone.REPORTING),
        *(module.OWNER for module in _JOINED),
    )
}
ZONES = {name: owner.zone for name, owner in OWNERS.items()}
SERVICES = tuple(OWNERS)

PUBLIC_ID_FIELDS = frozenset({"service_id", "publication_id"})
"""Ids of public things (entries of the register, publications): the only ids that topics of levels 2 and 3 may share."""


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


def _card(topic: Topic) -> Topic:
    """The topic with those who joined as its readers, and whether all of these are in its zone."""
    readers = topic.readers | {module.OWNER.name for module in _JOINED if topic.name in module.READS}
    inside = bool(readers) and all(ZONES[reader] is ZONES[topic.owner] for reader in readers)
    return replace(topic, readers=frozenset(readers), stays_in_zone=inside)


TOPICS: dict[str, Topic] = {topic.name: _card(topic) for topic in (*_ROWS, *(topic for module in _JOINED for topic in module.TOPICS))}


def _events(module: ModuleType) -> Iterator[type[Event]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Event) and value is not Event and value.__module__ == module.__name__:
            yield value


EVENTS: dict[str, type[Event]] = {
    event.type: event for module in (info, dialog, helpjourney, identity, reporting, *_JOINED) for event in _events(module)
}
"""Every event type of the platform, by its name on the wire."""


def topics_read_by(service: str) -> list[str]:
    """The topics that the catalogue lists for one reader, in the catalogue's order."""
    return [topic.name for topic in TOPICS.values() if service in topic.readers]


def topics_of(event: type[Event]) -> list[Topic]:
    """Where an event is told: its topic, or, when each reader has one of its own, all of these."""
    if event.topic:
        return [TOPICS[event.topic]]
    owner, subject = event.type.split(".")[:2]
    return [topic for name, topic in TOPICS.items() if name.startswith(f"{owner}.{subject}s-")]


def topics_owned_by(service: str) -> list[str]:
    """The topics that the catalogue lets one service write, in the catalogue's order."""
    return [topic.name for topic in TOPICS.values() if topic.owner == service]

"""The catalogue as AsyncAPI 3 documents: one for the platform, one for each service, for readers in any language."""

import json
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from contracts.catalogue import EVENTS, OWNERS, SERVICES, TOPICS, topics_of
from contracts.event import SCHEMA_PREFIX, SPEC_VERSION, Event
from contracts.topic import Topic

EXAMPLES = Path(__file__).parents[2] / "examples"
DAY_MS = 24 * 60 * 60 * 1000
BINDING = "0.5.0"
"""Version of the Kafka bindings of AsyncAPI."""
UUID_TEXT = {"type": "string", "format": "uuid"}

Json = dict[str, Any]


def documents() -> dict[str, str]:
    """File name -> text of every document."""
    return {
        "platform.asyncapi.json": _text(document("platform", SERVICES)),
        **{f"{name}.asyncapi.json": _text(document(name, [name])) for name in SERVICES},
    }


def _text(content: Json) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def document(title: str, services: Iterable[str]) -> Json:
    """What these services write and read."""
    chosen = set(services)
    topics = [topic for topic in TOPICS.values() if topic.owner in chosen or topic.readers & chosen]
    events = [event for event in EVENTS.values() if set(topics_of(event)) & set(topics)]
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:stegvis:{title}",
        "info": {
            "title": f"Stegvis: {title}",
            "version": metadata.version("contracts"),
            "description": _described(title),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {name: operation for topic in topics for name, operation in _operations(topic, chosen)},
        "components": {
            "messages": {event.type: _message(event) for event in events},
            "schemas": {"Envelope": envelope(), **_schemas(events)},
            "securitySchemes": {"principal": {"type": "scramSha256", "description": "Each agency has a principal of its own"}},
        },
    }


def _described(title: str) -> str:
    if title not in OWNERS:
        return "Everything that the services tell each other."
    return f"What {title} writes and reads. Owner: {OWNERS[title].agency}. Zone: {OWNERS[title].zone}."


def _server() -> Json:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka-secure",
        "variables": {"bootstrap": {"default": "localhost:9092", "description": "Address of the platform's Apache Kafka"}},
        "security": [{"$ref": "#/components/securitySchemes/principal"}],
    }


def _told_on(topic: Topic) -> list[type[Event]]:
    return [event for event in EVENTS.values() if topic in topics_of(event)]


def _channel(topic: Topic) -> Json:
    retention = {"retention.ms": topic.retention_days * DAY_MS}
    return {
        "address": topic.name,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {event.type: {"$ref": f"#/components/messages/{event.type}"} for event in _told_on(topic)},
        "bindings": {"kafka": {"partitions": topic.partitions, "topicConfiguration": retention, "bindingVersion": BINDING}},
        "x-owner": {"service": topic.owner, "agency": OWNERS[topic.owner].agency},
        "x-readers": [name for name in SERVICES if name in topic.readers],
        "x-key": topic.key,
        "x-sensitivity": topic.sensitivity,
        "x-times-rounded-down-to-seconds": int(topic.precision),
        "x-since": topic.since,
        "x-until": _day(topic),
    }


def _operations(topic: Topic, services: set[str]) -> Iterable[tuple[str, Json]]:
    channel = {"$ref": f"#/channels/{topic.name}"}
    if topic.owner in services:
        yield f"{topic.owner}.writes.{topic.name}", {"action": "send", "channel": channel, "x-service": topic.owner}
    for reader in SERVICES:
        if reader in topic.readers & services:
            yield f"{reader}.reads.{topic.name}", {"action": "receive", "channel": channel, "x-service": reader}


def _message(event: type[Event]) -> Json:
    typed = {"type": "object", "properties": {"ce_type": {"const": event.type}, "ce_dataschema": {"const": SCHEMA_PREFIX + event.type}}}
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": event.__doc__ or "",
        "contentType": "application/json",
        "headers": {"allOf": [{"$ref": "#/components/schemas/Envelope"}, typed]},
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {"kafka": {"key": UUID_TEXT, "bindingVersion": BINDING}},
        "examples": [{"name": name, "headers": golden["headers"], "payload": golden["data"]} for name, golden in examples_of(event)],
        "x-since": event.since,
        "x-until": _day(event),
    }


def _day(card: Topic | type[Event]) -> str | None:
    return card.until.isoformat() if card.until else None


def examples_of(event: type[Event]) -> list[tuple[str, Json]]:
    """The golden messages of an event, by name."""
    return [(file.stem, json.loads(file.read_text())) for file in sorted((EXAMPLES / event.type).glob("*.json"))]


def envelope() -> Json:
    """Kafka headers of every record: CloudEvents 1.0, binary mode."""
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in Kafka headers. A reader applies each `ce_id` once, and those of a key in `ce_sequence` order.",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_dataschema", "ce_sequence", "content-type"],
        "properties": {
            "ce_specversion": {"const": SPEC_VERSION},
            "ce_id": {**UUID_TEXT, "description": "New and random for each event"},
            "ce_type": {**text, "description": "Which event it is"},
            "ce_source": {"type": "string", "description": "The topic's owner"},
            "ce_time": {"type": "string", "format": "date-time", "description": "Rounded down as the topic says"},
            "ce_dataschema": {**text, "description": f"`{SCHEMA_PREFIX}` and the type"},
            "ce_sequence": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "1, 2, 3 ... per key"},
            "ce_causationid": {**UUID_TEXT, "description": "Only on topics that stay in one zone"},
            "content-type": {"const": "application/json"},
        },
    }


def _schemas(events: list[type[Event]]) -> Json:
    _, schemas = models_json_schema([(event, "validation") for event in events], ref_template="#/components/schemas/{model}")
    named: Json = _with_local_times(schemas.get("$defs", {}))
    return named


def _with_local_times(node: Any) -> Any:
    """Our times of day have no offset, so they aren't what RFC 3339, and hence a strict reader, means by `time`."""
    if isinstance(node, list):
        return [_with_local_times(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {name: "local-time" if (name, value) == ("format", "time") else _with_local_times(value) for name, value in node.items()}

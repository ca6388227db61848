"""Runs inside a release's own environment: prints what its `contracts` say, `{"topics": {...}, "events": {...}}`. Standard library only."""

import json
import sys
from typing import Any


def told_on(catalogue: Any, event: Any) -> list[str]:
    """Names of the topics of an event; one without a topic of its own is told on one for each reader."""
    if event.topic:
        return [event.topic]
    owner, subject = event.type.split(".")[:2]
    return [name for name in catalogue.TOPICS if name.startswith(f"{owner}.{subject}s-")]


def main() -> None:
    """Reads nothing, writes one document. Releases from before there were cards have no `since` and `until`."""
    from contracts import catalogue

    topics = {
        name: {
            "owner": topic.owner,
            "readers": sorted(topic.readers),
            "key": topic.key,
            "seconds": int(topic.precision),
            "partitions": topic.partitions,
            "retention_days": topic.retention_days,
            "since": getattr(topic, "since", ""),
            "until": str(getattr(topic, "until", None) or ""),
        }
        for name, topic in catalogue.TOPICS.items()
    }
    events = {
        name: {
            "topics": told_on(catalogue, event),
            "schema": event.model_json_schema(),
            "since": getattr(event, "since", ""),
            "until": str(getattr(event, "until", None) or ""),
        }
        for name, event in catalogue.EVENTS.items()
    }
    json.dump({"topics": topics, "events": events}, sys.stdout)


if __name__ == "__main__":
    main()

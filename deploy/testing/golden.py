"""The golden examples of the contracts: messages as they were released, for readers to be tried on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contracts.event import Event
    from servicekit.delivery.record import Record


@dataclass(frozen=True, slots=True)
class GoldenExample:
    """One message of `libs/contracts/examples/<type>/<name>.json`."""

    type: str
    name: str
    topic: str
    key: str
    headers: Mapping[str, str]
    data: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.type}/{self.name}"

    def event(self) -> "Event":
        """The example as the current model reads it."""
        from contracts.catalogue import EVENTS

        return EVENTS[self.type].model_validate(self.data)

    def record(self, offset: int = 0) -> "Record":
        """The example as a consumer gets it."""
        from deploy.testing.records import record_from

        return record_from(self.topic, self.key, self.headers, json.dumps(self.data).encode(), offset=offset)


def golden_examples(*types: str) -> list[GoldenExample]:
    """All examples, or those of some event types, sorted by type and name."""
    import contracts

    root = Path(contracts.__file__).parents[2] / "examples"
    files = sorted(root.glob("*/*.json"))
    return [_read(file) for file in files if not types or file.parent.name in types]


def _read(file: Path) -> GoldenExample:
    content = json.loads(file.read_text())
    return GoldenExample(file.parent.name, file.stem, content["topic"], content["key"], content["headers"], content["data"])

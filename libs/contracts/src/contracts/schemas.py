"""Writes the JSON Schema of every event to `schemas/`, or checks the committed ones: `python -m contracts.schemas [--check]`."""

import json
import sys
from pathlib import Path

from contracts.catalogue import EVENTS
from contracts.event import SCHEMA_PREFIX, Event

SCHEMAS = Path(__file__).parents[2] / "schemas"


def schema_of(event: type[Event]) -> str:
    """The schema as it is committed: JSON Schema 2020-12, identified as `ce_dataschema` names it."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_PREFIX + event.type}
    return json.dumps(head | event.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def differences(directory: Path = SCHEMAS) -> list[str]:
    """Names of schema files that are missing, outdated or left over."""
    wanted = {f"{name}.json": schema_of(event) for name, event in EVENTS.items()}
    found = {path.name: path.read_text() for path in directory.glob("*.json")}
    return sorted(name for name in wanted | found if wanted.get(name) != found.get(name))


def write(directory: Path = SCHEMAS) -> None:
    """Make the directory say what the models say."""
    directory.mkdir(exist_ok=True)
    for name in differences(directory):
        event = EVENTS.get(name.removesuffix(".json"))
        if event is None:
            (directory / name).unlink()
        else:
            (directory / name).write_text(schema_of(event))


if __name__ == "__main__":
    if "--check" in sys.argv:
        if outdated := differences():
            sys.exit(f"schemas differ from the models: {', '.join(outdated)}. Run `make schemas` and commit what it writes.")
    else:
        write()

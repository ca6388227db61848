"""Writes what is published, or checks what is committed: `python -m contracts.schemas [--check]`.

`schemas/`: the JSON Schema of every event. `catalogue/`: AsyncAPI documents and the page for people.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from contracts.asyncapi import documents
from contracts.catalogue import EVENTS
from contracts.event import SCHEMA_PREFIX, Event
from contracts.page import page

SCHEMAS = Path(__file__).parents[2] / "schemas"
CATALOGUE = SCHEMAS.with_name("catalogue")
BY_HAND = {"catalogue.css"}
"""Files of the catalogue that nothing is generated into."""


def schema_of(event: type[Event]) -> str:
    """The schema as it is committed: JSON Schema 2020-12, identified as `ce_dataschema` names it."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_PREFIX + event.type}
    return json.dumps(head | event.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def published() -> dict[Path, dict[str, str]]:
    """Folder -> file name -> text of everything that is generated."""
    return {
        SCHEMAS: {f"{name}.json": schema_of(event) for name, event in EVENTS.items()},
        CATALOGUE: {**documents(), "index.html": page()},
    }


def differences(directory: Path, wanted: Mapping[str, str]) -> list[str]:
    """Names of files that are missing, outdated or left over."""
    found = {path.name: path.read_text() for path in directory.glob("*") if path.name not in BY_HAND}
    return sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))


def write(directory: Path, wanted: Mapping[str, str]) -> None:
    """Make the directory hold what is wanted and nothing else."""
    directory.mkdir(exist_ok=True)
    for name in differences(directory, wanted):
        if name in wanted:
            (directory / name).write_text(wanted[name])
        else:
            (directory / name).unlink()


def main() -> None:
    """Writes, or checks and names what differs."""
    for directory, wanted in published().items():
        if "--check" not in sys.argv:
            write(directory, wanted)
        elif outdated := differences(directory, wanted):
            named = ", ".join(outdated[:8]) + (f" and {len(outdated) - 8} more" if len(outdated) > 8 else "")
            sys.exit(f"{directory.name}: {named} differ from the models. Run `make schemas` and commit what it writes.")


if __name__ == "__main__":
    main()

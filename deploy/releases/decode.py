"""Runs inside a release's own environment, with nothing but the standard library and that release's `contracts`.

Reads jobs from standard input, `[{"edits": [[file, old text, new text], ...], "type": event type, "documents": [...]}, ...]`; for each,
patches a copy of the package, imports it and writes the event's schema and what decoding each document said (null = read).
"""

import importlib
import importlib.util
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any


def package() -> Path:
    """The source of the `contracts` that is installed here."""
    spec = importlib.util.find_spec("contracts")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def edited(source: Path, edits: list[list[str]], folder: Path) -> Path:
    """A copy of the package with the edits made. Raises ValueError for a text that isn't there exactly once."""
    copy = folder / "contracts"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in edits:
        text = (copy / name).read_text()
        if text.count(old) != 1:
            raise ValueError(f"{name} holds {old!r} {text.count(old)} times, not once")
        (copy / name).write_text(text.replace(old, new))
    return folder


def imported(folder: Path) -> Any:
    """The catalogue of the package in a folder, imported afresh."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "contracts"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("contracts.catalogue")
    finally:
        sys.path.remove(str(folder))


def said(event: Any, document: object) -> str | None:
    """None when the reader understands; else the kind of its first error. As the inbox reads: from JSON text."""
    from pydantic import ValidationError

    try:
        event.model_validate_json(json.dumps(document))
    except ValidationError as error:
        return str(error.errors()[0]["type"])
    return None


def main() -> None:
    """Answers all jobs in one go."""
    source = package()
    answers = []
    for job in json.load(sys.stdin):
        with tempfile.TemporaryDirectory() as folder:
            event = imported(edited(source, job["edits"], Path(folder))).EVENTS[job["type"]]
            answers.append({"schema": event.model_json_schema(), "said": [said(event, document) for document in job["documents"]]})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()

"""Golden examples stay as they were released: they are what others test their readers with."""

from collections.abc import Iterator
from pathlib import Path

from deploy.releases.changes import Change
from deploy.releases.record import ROOT

FOLDER = Path("libs") / "contracts" / "examples"


def thawed(before: Path, here: Path = ROOT) -> Iterator[Change]:
    """Those of a release's tree that are changed or gone here, though their type is still told."""
    for file in sorted((before / FOLDER).glob("*/*.json")):
        name = file.parent.name
        now = here / FOLDER / name / file.name
        if now.parent.is_dir() and (not now.is_file() or now.read_bytes() != file.read_bytes()):
            said = f"its golden example {file.name} is {'changed' if now.is_file() else 'gone'}, and was released"
            yield Change(name, True, said, "put it back; what is new has an example of its own beside it")

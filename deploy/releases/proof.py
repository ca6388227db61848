"""Proves the gate: makes every edit, reads old documents with the edited model and new ones with the released, each in its own process."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.releases.compatibility import Schema, Verdict, verdict
from deploy.releases.edits import EDITS, GONE, Edit
from deploy.releases.record import ROOT, Release, releases
from deploy.releases.trees import python_of, tree

DECODE = Path(__file__).with_name("decode.py")


@dataclass(frozen=True, slots=True)
class Proven:
    """One edit: what the gate says of it and what reading says."""

    edit: Edit
    schemas: tuple[Schema, Schema]
    """As released, and as edited."""
    backward: bool
    forward: bool
    unsound: tuple[str, ...]
    """Documents that their own writer's model refuses: they would prove nothing."""

    @property
    def said(self) -> Verdict:
        """What the gate says."""
        return verdict(*self.schemas)

    @property
    def right(self) -> bool:
        known, said = (self.edit.backward, self.edit.forward), self.said
        return not self.unsound and known == (said.backward, said.forward) == (self.backward, self.forward)

    def __str__(self) -> str:
        shown = f"known {self.edit.backward, self.edit.forward}, read {self.backward, self.forward}"
        return f"{'right' if self.right else 'WRONG'}  {self.edit.what}: {self.said} ({shown}){'; '.join(('', *self.unsound))}"


def first_contracts() -> Release:
    """The release that the edits are made in: the first, since its text stays as it was."""
    return next(release for release in releases() if release.name == "contracts")


def prove(edits: Sequence[Edit] = EDITS) -> list[Proven]:
    """Every edit with what was found."""
    release = first_contracts()
    golden = {edit.type: _golden(tree(release), edit.type) for edit in edits}
    written = [([*golden[edit.type], *_laid(golden, edit, edit.old)], _laid(golden, edit, edit.new)) for edit in edits]
    both = [[*old, *new] for old, new in written]
    with ThreadPoolExecutor(2) as pool:
        released = pool.submit(
            _read, release, python_of(release), [(edit.type, (), documents) for edit, documents in zip(edits, both, strict=True)]
        )
        edited = pool.submit(
            _read, release, python_of(release), [(edit.type, edit.edits, documents) for edit, documents in zip(edits, both, strict=True)]
        )
        answers = list(zip(edits, written, released.result(), edited.result(), strict=True))
    return [_proven(edit, len(old), before, after) for edit, (old, _), before, after in answers]


def _proven(edit: Edit, old: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> Proven:
    unsound = [f"old document refused by the old model: {why}" for why in before["said"][:old] if why]
    unsound += [f"new document refused by the new model: {why}" for why in after["said"][old:] if why]
    backward, forward = not any(after["said"][:old]), not any(before["said"][old:])
    return Proven(edit, (before["schema"], after["schema"]), backward, forward, tuple(unsound))


def _golden(root: Path, type_: str) -> list[dict[str, Any]]:
    files = sorted((root / "libs" / "contracts" / "examples" / type_).glob("*.json"))
    return [json.loads(file.read_text())["data"] for file in files]


def _laid(golden: Mapping[str, list[dict[str, Any]]], edit: Edit, overlays: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_over(golden[edit.type][0], overlay) for overlay in overlays]


def _over(document: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the fields of the overlay, inside objects too."""
    laid = dict(document)
    for name, value in overlay.items():
        if value == GONE:
            laid.pop(name, None)
        else:
            laid[name] = _over(laid[name], value) if isinstance(value, Mapping) and isinstance(laid.get(name), Mapping) else value
    return laid


def misread() -> list[str]:
    """Golden examples that some other released version, or the one here, can't read. `from -> to: type: error`."""
    versions: dict[str, tuple[Path, Path]] = {"here": (Path(sys.executable), ROOT)}
    versions |= {str(release): (python_of(release), tree(release)) for release in releases() if release.name == "contracts"}
    wrong = []
    for reader, (python, _) in versions.items():
        for writer, (_, root) in versions.items():
            golden = {type_: _golden(root, type_) for type_ in sorted(_types(root) & _types(versions[reader][1]))}
            answers = _read(reader, python, [(type_, (), documents) for type_, documents in golden.items()])
            for type_, answer in zip(golden, answers, strict=True):
                wrong += [f"{writer} -> {reader}: {type_}: {error}" for error in answer["said"] if error]
    return wrong


def _types(root: Path) -> set[str]:
    return {folder.name for folder in (root / "libs" / "contracts" / "examples").iterdir()}


def _read(
    reader: object, python: Path, jobs: Sequence[tuple[str, Sequence[tuple[str, str, str]], list[dict[str, Any]]]]
) -> list[dict[str, Any]]:
    """Has a version read documents in an environment of its own. Raises RuntimeError with what it said when it can't."""
    asked = json.dumps([{"type": type_, "edits": edits, "documents": documents} for type_, edits, documents in jobs])
    done = subprocess.run([str(python), "-I", str(DECODE)], input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{reader} can't read: {done.stderr[-800:]}")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers

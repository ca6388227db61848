"""What is inside an image, without starting it: files with modes and hashes, and what layers hold."""

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.images.engine import Engine

APPLICATION = "app"
"""The folder that a build fills; the same commit fills it with the same bytes."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One file, folder or link."""

    path: str
    mode: int
    sha256: str
    """Of a file's bytes or a link's target; empty for a folder."""


def _root(engine: Engine, image: str) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Everything in the file system that a container of the image would see."""
    container = engine.run("create", image)
    try:
        with tempfile.TemporaryFile() as file:
            subprocess.run([engine.name, "export", container], env=engine.environment, stdout=file, check=True)
            file.seek(0)
            with tarfile.open(fileobj=file) as archive:
                for member in archive:
                    yield archive, member
    finally:
        engine.run("rm", container)


def files_of(engine: Engine, image: str, folder: str = APPLICATION) -> list[Entry]:
    """Everything below one folder, sorted."""
    found = []
    for archive, member in _root(engine, image):
        path = member.name.removeprefix("./")
        if path == folder or path.startswith(f"{folder}/"):
            content = archive.extractfile(member) if member.isreg() else None
            told = member.linkname.encode() if member.issym() or member.islnk() else content.read() if content else b""
            found.append(Entry(path, member.mode, hashlib.sha256(told).hexdigest() if told else ""))
    return sorted(found)


def paths_of(engine: Engine, image: str) -> set[str]:
    """The path of everything in the image, without a leading slash."""
    return {member.name.removeprefix("./") for _, member in _root(engine, image)}


def layers_holding(engine: Engine, image: str, needles: dict[str, bytes]) -> list[str]:
    """Which of the needles (name -> bytes) lie in any layer or in the configuration, also where a later layer hides them."""
    found = []
    with tempfile.TemporaryDirectory(prefix="stegvis-image-") as folder:
        archive = Path(folder) / "image.tar"
        engine.run("save", "--output", archive, image)
        with tarfile.open(archive) as outer:
            for member in outer:
                content = outer.extractfile(member) if member.isreg() else None
                if content is None:
                    continue
                told = content.read()
                found += [f"{name} in {member.name}" for name, needle in needles.items() if needle in told]
                found += _in_layer(member.name, told, needles)
    return found


def _in_layer(layer: str, told: bytes, needles: dict[str, bytes]) -> list[str]:
    try:
        with tarfile.open(fileobj=io.BytesIO(told)) as inner:
            contents = {member.name: content.read() for member in inner if member.isreg() and (content := inner.extractfile(member))}
    except tarfile.ReadError:
        return []
    return [f"{name} in {layer}: {path}" for path, content in contents.items() for name, needle in needles.items() if needle in content]


def configuration(engine: Engine, image: str) -> dict[str, object]:
    """What the image says about itself: user, labels, health check, variables."""
    inspected = json.loads(engine.run("image", "inspect", image))[0]
    return {**inspected["Config"], "Healthcheck": inspected["Config"].get("Healthcheck") or inspected.get("Healthcheck")}

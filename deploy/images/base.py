"""The base images under their public names: fetched, or made from Debian packages and this project's locks where no registry answers."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.images.engine import Engine, install
from deploy.local.node import node

PYTHON = "docker.io/library/python:3.11-slim-bookworm"
NODE = "docker.io/library/node:24-bookworm-slim"
UV = "ghcr.io/astral-sh/uv:0.13.9"
"""The version of the Makefile's UV_VERSION."""
INCLUDE = "ca-certificates,python3"
NEEDLESS = ("var/cache/apt", "var/lib/apt/lists", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/doc", "var/log")
TOOL_UV = Path(__file__).parents[2] / ".tools" / "bin" / "uv"

Progress = Callable[[str], None]


class NoBaseError(RuntimeError):
    """A base image can neither be fetched nor made."""


def ensure(engine: Engine, progress: Progress, names: Sequence[str] = (PYTHON, UV, NODE)) -> list[str]:
    """Makes sure that base images are here; returns the names of those that stand in for the public ones."""
    makers = {PYTHON: make_python, UV: make_uv, NODE: make_node}
    missing = [name for name in names if not engine.has(name)]
    made = []
    for name in missing:
        if not engine.pulls(name):
            progress(f"{name}: no registry answers, making what stands in for it")
            makers[name](engine)
            made.append(name)
    return made


def make_python(engine: Engine) -> None:
    """Debian 12 with its own Python and no pip, no compiler. Takes root, debootstrap and about 40 s."""
    if not shutil.which("debootstrap"):
        install(("debootstrap",))
    if not shutil.which("debootstrap"):
        raise NoBaseError("needs the package debootstrap to make a base image: apt-get install debootstrap, as root")
    with tempfile.TemporaryDirectory(prefix="stegvis-base-") as folder:
        root = Path(folder) / "root"
        command = ["debootstrap", "--variant=minbase", f"--include={INCLUDE}", "bookworm", str(root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoBaseError(f"debootstrap failed:\n{done.stdout[-1500:]}{done.stderr[-500:]}")
        for name in NEEDLESS:
            shutil.rmtree(root / name, ignore_errors=True)
            (root / name).mkdir(parents=True)
        _import(
            engine, root, PYTHON, "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "ENV LANG=C.UTF-8", "CMD python3"
        )


def make_uv(engine: Engine) -> None:
    """The one program, in an image of its own."""
    with tempfile.TemporaryDirectory(prefix="stegvis-uv-") as folder:
        shutil.copy2(TOOL_UV, Path(folder) / "uv")
        _import(engine, Path(folder), UV)


def make_node(engine: Engine) -> None:
    """The same Debian, with the Node of the locked wheel."""
    with tempfile.TemporaryDirectory(prefix="stegvis-node-") as folder:
        shutil.copy2(node(), Path(folder) / "node")
        (Path(folder) / "Dockerfile").write_text(f"FROM {PYTHON}\nCOPY node /usr/local/bin/node\n")
        engine.run("build", "--quiet", "--tag", NODE, folder)


def _import(engine: Engine, root: Path, name: str, *changes: str) -> None:
    """A folder as an image of one layer."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        subprocess.run(["tar", "--numeric-owner", "-C", str(root), "-cf", archive.name, "."], check=True)
        options = [part for change in changes for part in ("--change", change)]
        engine.run("import", *options, archive.name, name)

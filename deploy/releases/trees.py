"""The files of a recorded commit beside ours, and environments of their own for what is in them.

`python -m deploy.releases.trees SERVICE [VERSION]` makes that of a release, the last one by default, and prints its interpreter.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.catalogue import SERVICES

from deploy.checks import INDEX_SETTINGS
from deploy.local.node import install
from deploy.releases.record import ROOT, HistoryError, Release, check_history, latest, releases

SHELF = ROOT / ".local" / "releases"
UV = ROOT / ".tools" / "bin" / "uv"
NODE_MODULES = Path("libs/webkit/node_modules")


def tree(release: Release) -> Path:
    """The whole repository as it was at a release. Raises HistoryError."""
    folder = SHELF / release.commit[:12]
    with _alone(folder):
        if not folder.exists():
            check_history([release])
            half = folder.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(parents=True)
            archive = subprocess.run(["git", "archive", release.commit], cwd=ROOT, capture_output=True, check=True).stdout
            subprocess.run(["tar", "-x"], cwd=half, input=archive, check=True)
            half.rename(folder)
    return folder


def python_of(release: Release) -> Path:
    """The interpreter of an environment with this release alone, as its own lock says; a service comes with its assets."""
    root = tree(release)
    place = root / ".venvs" / release.name
    python = place / "bin" / "python"
    with _alone(place):
        if not python.exists():
            _sync(root, release.name, place)
            if (root / "services" / release.name).is_dir():
                _make_assets(root, python)
    return python


def _sync(root: Path, package: str, place: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in {*INDEX_SETTINGS, "VIRTUAL_ENV"}}
    environment |= {"UV_PROJECT_ENVIRONMENT": str(place), "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    command = [str(UV), "sync", "--frozen", "--quiet", "--no-dev", "--package", package]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(place, ignore_errors=True)
        raise HistoryError(f"the environment of {package} in {root} can't be made: {done.stderr.strip()[-500:]}")


def _make_assets(root: Path, python: Path) -> None:
    with _alone(root / NODE_MODULES):
        if (root / "libs/webkit/src/webkit/static/vendor/manifest.json").exists():
            return
        if _same_lock(root):
            shutil.copytree(ROOT / NODE_MODULES, root / NODE_MODULES, symlinks=True, dirs_exist_ok=True)
        else:
            install(root / NODE_MODULES.parent)
        subprocess.run([str(python), "-m", "webkit.assets"], cwd=root, check=True, capture_output=True)


def _same_lock(root: Path) -> bool:
    lock = NODE_MODULES.with_name("package-lock.json")
    return (ROOT / NODE_MODULES).is_dir() and (root / lock).read_bytes() == (ROOT / lock).read_bytes()


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One process at a time makes a place."""
    lock = SHELF / ("." + "-".join(place.parts[-3:]) + ".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Exit code 1 with one line where there is no such release."""
    name, version = (*sys.argv[1:3], "", "")[:2]
    try:
        if not name:
            raise HistoryError(f"which one? SERVICE= one of {', '.join(SERVICES)}")
        found = latest(name, [release for release in releases() if version in ("", release.version)])
        if found is None:
            there = ", ".join(release.version for release in releases() if release.name == name)
            named = f"VERSION= one of {there}" if there else f"SERVICE= one of {', '.join(SERVICES)}"
            raise HistoryError(f"releases.toml has no {name} {version}".rstrip() + f"; {named}")
        print(python_of(found))
    except HistoryError as error:
        print(f"released: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

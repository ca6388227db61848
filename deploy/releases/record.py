"""What `releases.toml` says: which version of what was released from which commit, and whether the history still holds it."""

import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RELEASES = ROOT / "releases.toml"


class HistoryError(Exception):
    """A recorded release can't be built from this repository. The message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """One version of one service or library."""

    name: str
    version: str
    commit: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def releases(file: Path = RELEASES) -> list[Release]:
    """Everything that was released, oldest first. Raises HistoryError, e.g. where a merge left its marks."""
    try:
        return [Release(row["name"], row["version"], row["commit"]) for row in tomllib.loads(file.read_text())["release"]]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        blocks = "each release is a [[release]] with name, version and commit; after a merge, both sides' stay"
        raise HistoryError(f"{file.name} can't be read, {error}: {blocks}") from error


def latest(name: str, recorded: Iterable[Release] | None = None) -> Release | None:
    """The last release of one service or library; None before its first."""
    own = [release for release in (releases() if recorded is None else recorded) if release.name == name]
    return own[-1] if own else None


def project(name: str, root: Path = ROOT) -> Path:
    """The folder of a service or library."""
    for group in ("services", "libs"):
        if (root / group / name / "pyproject.toml").is_file():
            return root / group / name
    raise LookupError(f"no service or library {name!r}")


def version_of(name: str, root: Path = ROOT) -> str:
    """The version that a service or library has in this tree."""
    return str(tomllib.loads((project(name, root) / "pyproject.toml").read_text())["project"]["version"])


def check_history(recorded: Iterable[Release], root: Path = ROOT) -> None:
    """Raises HistoryError when a recorded commit is missing, or isn't an ancestor of what is checked out."""
    shallow = _git(root, "rev-parse", "--is-shallow-repository").stdout.strip() == "true"
    for release in recorded:
        if _git(root, "cat-file", "-e", f"{release.commit}^{{commit}}").returncode:
            if shallow:
                raise HistoryError(f"the history of {release} is missing, this is a shallow clone: run `git fetch --unshallow`")
            raise HistoryError(f"{_named(release)}, which this repository doesn't have: run `git fetch --all`, or have it pushed")
        if _git(root, "merge-base", "--is-ancestor", release.commit, "HEAD").returncode:
            back = f"run `git merge -s ours {release.commit[:12]}`, which changes no file"
            raise HistoryError(f"{_named(release)}, which is no ancestor of HEAD: was it rebased or squashed since, {back}; else pull")


def _named(release: Release) -> str:
    return f"releases.toml: {release} names commit {release.commit[:12]}"


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)

"""`python -m tests.upgrade.rehearsal` (`make rehearsal`): the README's lines of a release and of the way back, in a clone of its own.

One agency's process runs on its own PostgreSQL and Kafka while its lines are followed as they stand; facts come in all the time. Each line
must do what is said behind it, and in the end every fact is counted once.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from deploy.images.build import image_of
from deploy.images.engine import NoEngineError, engine
from deploy.local.scratch import keep, kept_on_error, scratch
from deploy.releases.record import Release, latest, releases
from tests.upgrade.agency import Agency
from tests.upgrade.readme import SERVICE, Line, lines

SEEN_SECONDS = 1800.0
KNOW_RELEASES = ("tests/contracts/test_gate.py", "tests/contracts/test_cut.py", "tests/upgrade/test_readme.py")
"""Tests that read releases.toml: a release leaves them green."""


class UnseenError(AssertionError):
    """A line didn't do what is said behind it."""


def demand(true: object, what: str) -> None:
    """Raises UnseenError."""
    if not true:
        raise UnseenError(what)


@dataclass
class Clone:
    """A repository that one agency works in, and the one that it pushes to."""

    folder: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    )

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    def make(self, root: Path) -> str:
        """Of what is committed at `root`, with something new in the changelog, as a release needs it; the commit."""
        self._git(self.folder, "clone", "--quiet", "--bare", str(root), "origin.git")
        self._git(self.folder, "clone", "--quiet", "origin.git", "tree")
        for name, value in (("user.name", "rehearsal"), ("user.email", "rehearsal@example.no")):
            self.git("config", name, value)
        commit = self.git("rev-parse", "--short", "HEAD")
        changelog = self.tree / "services" / SERVICE / "CHANGELOG.md"
        changelog.write_text(changelog.read_text().replace("(not released)\n", "(not released)\n\n- Rehearsed.", 1))
        self.git("commit", "--quiet", "--all", "--message", "Something new")
        return commit

    def git(self, *words: str) -> str:
        return self._git(self.tree, *words)

    def _git(self, where: Path, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=where, capture_output=True, text=True, check=True).stdout.strip()

    def follow(self, command: str) -> str:
        """Runs a line to its end; what it said. Raises UnseenError."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.tree,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SEEN_SECONDS,
        )
        demand(done.returncode == 0, f"`{command}` ended with {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout

    def answer(self, command: str) -> str:
        """What `$(command)` puts into a variable. Raises UnseenError."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.tree, env=self.environment, capture_output=True, text=True, check=False, timeout=SEEN_SECONDS
        )
        said = done.stdout.rstrip("\n")
        demand(done.returncode == 0, f"`{command}` ended with {done.returncode}:\n{done.stderr[-3000:]}")
        demand(said and "\n" not in said, f"`{command}` is to print one line, not {said!r}")
        return said

    def recorded(self) -> Release:
        """The last release of the service."""
        found = latest(SERVICE, releases(self.tree / "releases.toml"))
        if found is None:
            raise UnseenError(f"{SERVICE} was never released")
        return found


class Rehearsal:
    """The lines, one after the other, and what each must have done."""

    def __init__(self, clone: Clone, agency: Agency, *, image: bool) -> None:
        self.clone, self.agency, self.image = clone, agency, image
        self.before = clone.recorded()
        self.done = 0
        self.checks: dict[str, Callable[[str], None]] = {
            "make contracts": self._contracts,
            "make can-i-deploy": self._may_go,
            "make release ": self._released,
            "git push": self._pushed,
        }

    def run(self, followed: list[Line]) -> None:
        """Raises UnseenError."""
        python = self.clone.answer(f"make released SERVICE={SERVICE}")
        self.agency.replace([python, "-m", SERVICE, "run", "--migrate"], self.before.version)
        self.agency.hears()
        for line in followed:
            began = time.monotonic()
            self._follow(line)
            self.done += 1
            print(f"  {line.command:<54}{time.monotonic() - began:6.1f} s", flush=True)
        self.agency.hears()

    def _follow(self, line: Line) -> None:
        if line.stays:
            python, *words = self._filled(line.command).split()
            self.agency.replace([python, *words], self._version_of(python))
            self.agency.hears()
        elif line.variable:
            self.clone.environment[line.variable] = self.clone.answer(line.inner)
        elif line.command.endswith(" migrate"):
            self._migrates(line.command)
        else:
            said = self.clone.follow(line.command)
            [check] = [check for begins, check in self.checks.items() if line.command.startswith(begins)]
            check(said)

    def _filled(self, command: str) -> str:
        """The line with what was put into its variables."""
        return Template(command).substitute(self.clone.environment)

    def _version_of(self, python: str) -> str:
        asked = f"from importlib.metadata import version; print(version({SERVICE!r}))"
        return subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()

    def _contracts(self, said: str) -> None:
        demand("breaking=0" in said.splitlines()[-1], said)

    def _may_go(self, said: str) -> None:
        demand(said.splitlines()[-1].endswith(" yes"), said)

    def _released(self, said: str) -> None:
        new = self.clone.recorded()
        demand(new.version != self.before.version and f"{SERVICE} {new.version} is recorded" in said, said[-2000:])
        there = self.clone.git("show", f"{new.commit}:services/{SERVICE}/pyproject.toml")
        demand(f'version = "{new.version}"' in there, there)
        demand(f"## {new.version} (20" in self.clone.git("show", f"{new.commit}:services/{SERVICE}/CHANGELOG.md"), "no heading")
        demand(f"newTag: {new.version}" in self.clone.git("show", f"{new.commit}:deploy/k8s/base/{SERVICE}/kustomization.yaml"), "no tag")
        demand(self.clone.git("status", "--porcelain") == "", "something is left that isn't committed")
        self.clone.follow(f".venv/bin/python -m pytest -q {' '.join(KNOW_RELEASES)}")
        if self.image:
            demand(engine().has(image_of(SERVICE, new.version)), f"there is no image {image_of(SERVICE, new.version)}")
            demand(list((self.clone.tree / ".local" / "images").rglob(f"{SERVICE}*.json")), "there is no list of parts")

    def _pushed(self, _said: str) -> None:
        demand(self.clone.git("ls-remote", "origin", "HEAD").startswith(self.clone.git("rev-parse", "HEAD")), "nothing came to origin")

    def _migrates(self, command: str) -> None:
        """The release before goes on meanwhile, and afterwards."""
        environment = self.agency.settings(self.clone.environment)
        done = subprocess.run(["bash", "-c", command], cwd=self.clone.tree, env=environment, capture_output=True, text=True, check=False)
        demand(done.returncode == 0, done.stderr)
        demand(self.agency.is_ready(), "the release before is no longer ready")
        self.agency.hears()

    def forget_image(self) -> None:
        """Of a release that never was."""
        made = image_of(SERVICE, self.clone.recorded().version)
        if self.image and made != image_of(SERVICE, self.before.version):
            subprocess.run([engine().name, "rmi", "--force", made], capture_output=True, check=False)


def rehearse(folder: Path, root: Path) -> int:
    """The whole of it; exit code."""
    began = time.monotonic()
    clone = Clone(folder)
    print(f"rehearsal: of {clone.make(root)}, in {folder}", flush=True)
    image = has_engine()
    if not image:
        print("rehearsal: no container engine can be had here, so no image is built", flush=True)
        clone.environment["IMAGE"] = "no"
    followed = lines()
    with Agency(folder / "agency") as agency:
        rehearsal = Rehearsal(clone, agency, image=image)
        try:
            rehearsal.run(followed)
            lost, doubled = asyncio.run(agency.counted())
        except (UnseenError, subprocess.CalledProcessError) as error:
            print(f"rehearsal: after {rehearsal.done} of {len(followed)} lines: {error}", file=sys.stderr)
            return 1
        finally:
            rehearsal.forget_image()
    way = " -> ".join(agency.versions)
    told = f"lines={rehearsal.done}/{len(followed)} image={'yes' if image else 'no'} lost={lost} doubled={doubled}"
    print(f"rehearsal: {SERVICE} {way} {told} minutes={(time.monotonic() - began) / 60:.1f}")
    return 0 if not lost and not doubled else 1


def has_engine() -> bool:
    """Whether images can be built."""
    try:
        engine()
    except NoEngineError:
        return False
    return True


def main() -> int:
    """0 when every line did what is said behind it and nothing was lost or doubled."""
    argparse.ArgumentParser(prog="python -m tests.upgrade.rehearsal", description=__doc__).parse_args()
    folder = scratch("rehearsal")
    with kept_on_error(folder):
        code = rehearse(folder, Path(__file__).parents[2])
    if code:
        keep(folder)
        print(f"logs and clone: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m deploy.releases.release SERVICE [VERSION] [--no-image]`: one service goes out alone, or is refused with the reason.

Nothing is left changed by a release that was refused: the tree is clean before, and is put back.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.catalogue import SERVICES
from packaging.version import InvalidVersion, Version

from deploy.releases.cut import record, refusal
from deploy.releases.record import ROOT, HistoryError, latest, project, version_of


class RefusedError(Exception):
    """Why the release can't be made, in one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Going:
    """A release on its way."""

    service: str
    version: str
    before: str
    """The commit to come back to."""


Step = Callable[[Going], None]


def main() -> int:
    """Exit code 0 when the release is recorded, 1 when it was refused, 2 for a question that makes no sense."""
    asked = [word for word in sys.argv[1:] if word != NO_IMAGE]
    service, wanted = (*asked[:2], "", "")[:2]
    if service not in SERVICES:
        print(
            f"release: which one? SERVICE= one of {', '.join(SERVICES)}; a library by `python -m deploy.releases.cut NAME`", file=sys.stderr
        )
        return 2
    try:
        going = Going(service, chosen(service, wanted), ready(service))
        _take(LOOKS, going)
        if ready(service) != going.before:
            raise RefusedError("somebody committed while it was tested: once more, with that in it")
        with undone_if_refused(going):
            _take(MAKES, going)
    except (RefusedError, HistoryError) as error:
        print(f"release: refused: {error}", file=sys.stderr)
        return 1
    print(
        f"release: {service} {going.version} is recorded; push, then roll out: `python -m {service} migrate`, and start what was released"
    )
    print("release: was somebody faster with a push, `git pull --no-rebase` and keep both records: a rebase would lose the recorded commit")
    return 0


def _take(steps: Mapping[str, Step], going: Going) -> None:
    for name, step in steps.items():
        if name == "image" and NO_IMAGE in sys.argv:
            print(f"release: {going.service} {going.version}: no image, as asked", flush=True)
            continue
        print(f"release: {going.service} {going.version}: {name}", flush=True)
        step(going)


@contextmanager
def undone_if_refused(going: Going) -> Iterator[None]:
    """Also when one presses Ctrl-C. What somebody does in the tree meanwhile stays. Raises RefusedError where it stands in the way."""
    try:
        yield
    except BaseException as error:
        try:
            if _git("rev-list", "--count", f"{going.before}..HEAD") == "1":
                _git("reset", "--quiet", "--keep", going.before)
        except RefusedError as why:
            yours = f"put your own changes away, then `git reset --keep {going.before[:12]}`"
            raise RefusedError(f"{error}; its commit stays, since you work on the same files: {yours} ({why})") from error
        raise


def chosen(service: str, wanted: str) -> str:
    """The version that goes out: the one asked for, or the one that the tree leads to. Raises RefusedError."""
    here, last = version_of(service), latest(service)
    try:
        version = Version(wanted or Version(here).base_version)
    except InvalidVersion as error:
        raise RefusedError(f"{wanted!r} is no version, e.g. VERSION={Version(here).base_version}") from error
    if version.is_prerelease:
        raise RefusedError(f"{version} is a version to work on, not one to release")
    if last and version <= Version(last.version):
        raise RefusedError(f"{service} {version} isn't newer than {last.version}")
    return str(version)


def ready(service: str) -> str:
    """The commit to come back to. Raises RefusedError for what must be settled first."""
    if changed := _git("status", "--porcelain").splitlines():
        named = changed[0].split(maxsplit=1)[1] + (f" and {len(changed) - 1} more" if len(changed) > 1 else "")
        raise RefusedError(f"there are changes that aren't committed, in {named}: commit or put them away")
    if _git("rev-parse", "--abbrev-ref", "HEAD") == "HEAD":
        raise RefusedError("HEAD is on no branch, so the record would be on none: `git switch main`")
    if behind := _git("for-each-ref", "--format=%(upstream:track,nobracket)", _git("symbolic-ref", "HEAD")).partition("behind ")[2]:
        raise RefusedError(f"others have pushed {behind} commits that aren't in it: `git pull`, then once more")
    if not re.search(UNRELEASED + r"\n+- ", _changelog(service), re.MULTILINE):
        raise RefusedError(f"say in services/{service}/CHANGELOG.md under `## version (not released)` what is new")
    return _git("rev-parse", "HEAD")


def gate(_going: Going) -> None:
    """Nothing that was released before is broken."""
    _run("the contracts break what others read (see above)", sys.executable, "-m", "deploy.releases.gate")


def can_i_deploy(going: Going) -> None:
    """It fits beside what the other four have released."""
    _run("it doesn't fit beside what others have released (see above)", sys.executable, "-m", "deploy.releases.deployable", going.service)


def tested(going: Going) -> None:
    """Its own tests, installed alone."""
    _run("its tests fail (see above)", sys.executable, "-m", "deploy.suites", "--only", f"services/{going.service}", "-q")


def versioned(going: Going) -> None:
    """Version, changelog and lock say so, in one commit."""
    with _committed(going.service, f"{going.service} {going.version}"):
        _set_version(going.service, going.version)
        heading = f"## {going.version} ({datetime.now(UTC):%Y-%m-%d})"
        text = re.sub(UNRELEASED, heading, _changelog(going.service), count=1, flags=re.MULTILINE)
        (project(going.service) / "CHANGELOG.md").write_text(text)


def imaged(going: Going) -> None:
    """The image of that commit, and what is in it as a CycloneDX list."""
    _run("the image can't be built (see above)", "make", "images", f"SERVICE={going.service}")


def recorded(going: Going) -> None:
    """The commit stands in releases.toml, and work goes on with the next version."""
    if _git("rev-parse", "HEAD~1") != going.before:
        made = f"{going.service} {going.version}"
        raise RefusedError(
            f"somebody committed on top of `{made}`: take that one out with `git rebase -i {going.before[:12]}`, and once more"
        )
    if why := refusal(going.service):
        raise RefusedError(why)
    parts = Version(going.version)
    coming = f"{parts.major}.{parts.minor}.{parts.micro + 1}"
    with _committed(going.service, f"Record {going.service} {going.version}; go on with {coming}"):
        record(going.service)
        _set_version(going.service, f"{coming}.dev0")
        title, _, rest = _changelog(going.service).partition("\n\n")
        (project(going.service) / "CHANGELOG.md").write_text(f"{title}\n\n## {coming} (not released)\n\n{rest}")


NO_IMAGE = "--no-image"
"""For an agency that runs its service without containers."""
UNRELEASED = r"^## \S+ \(not released\)$"
LOOKS: dict[str, Step] = {"contracts": gate, "beside the others": can_i_deploy, "tests": tested}
"""Steps that change nothing."""
MAKES: dict[str, Step] = {"version and changelog": versioned, "image": imaged, "record": recorded}


def _changelog(service: str) -> str:
    return (project(service) / "CHANGELOG.md").read_text()


def _set_version(service: str, version: str) -> None:
    file = project(service) / "pyproject.toml"
    file.write_text(re.sub(r'^version = ".*"$', f'version = "{version}"', file.read_text(), count=1, flags=re.MULTILINE))
    manifests = ROOT / "deploy" / "k8s" / "base" / service / "kustomization.yaml"
    manifests.write_text(re.sub(r"newTag: .*", f"newTag: {Version(version).base_version}", manifests.read_text()))
    _run("the lock can't be brought up to date", "make", "lock")


@contextmanager
def _committed(service: str, message: str) -> Iterator[None]:
    """One commit with a release's own files and no others; as they were when something fails on the way."""
    folder, manifests = project(service), ROOT / "deploy" / "k8s" / "base" / service / "kustomization.yaml"
    own = [str(file) for file in (folder / "pyproject.toml", folder / "CHANGELOG.md", manifests, ROOT / "uv.lock", ROOT / "releases.toml")]
    try:
        yield
        _git("commit", "--quiet", "--message", message, "--", *own)
    except BaseException:
        _git("checkout", "--quiet", "HEAD", "--", *own)
        raise


def _git(*arguments: str) -> str:
    plain = os.environ | {"LC_ALL": "C"}  # "behind" is read out of what it says
    done = subprocess.run(["git", *arguments], cwd=ROOT, env=plain, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"git {arguments[0]}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}")
    return done.stdout.strip()


def _run(otherwise: str, *command: str) -> None:
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise RefusedError(otherwise)


if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m deploy.releases.release SERVICE [VERSION] [--no-image]`: one service goes out alone, or is refused with the reason.

Nothing is left changed by a release that was refused: the tree is clean before, and is put back.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from contracts.catalogue import SERVICES
from packaging.version import InvalidVersion, Version

from deploy.releases.cut import record, refusal
from deploy.releases.record import ROOT, latest, project, version_of


class RefusedError(Exception):
    """Why the release can't be made, in one line that says what to do."""


def main() -> int:
    """Exit code 0 when the release is recorded, 1 when it was refused, 2 for a question that makes no sense."""
    asked = [word for word in sys.argv[1:] if word != NO_IMAGE]
    service, wanted = (*asked[:2], "", "")[:2]
    if service not in SERVICES:
        print(f"release: which one? SERVICE= one of {', '.join(SERVICES)}", file=sys.stderr)
        return 2
    try:
        version = chosen(service, wanted)
        before = ready(service)
        for name, step in STEPS.items():
            if name == "image" and NO_IMAGE in sys.argv:
                print(f"release: {service} {version}: no image, as asked", flush=True)
                continue
            print(f"release: {service} {version}: {name}", flush=True)
            try:
                step(service, version)
            except BaseException:  # also when one presses Ctrl-C
                _git("reset", "--hard", "--quiet", before)
                raise
    except RefusedError as error:
        print(f"release: refused: {error}", file=sys.stderr)
        return 1
    print(f"release: {service} {version} is recorded; push, then roll out: `python -m {service} migrate`, then the new image")
    return 0


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
    """The commit to come back to. Raises RefusedError for changes that aren't committed and a changelog that says nothing."""
    if _git("status", "--porcelain"):
        raise RefusedError("there are changes that aren't committed: commit or put them away")
    if not re.search(UNRELEASED + r"\n+- ", _changelog(service), re.MULTILINE):
        raise RefusedError(f"say in services/{service}/CHANGELOG.md under `## version (not released)` what is new")
    return _git("rev-parse", "HEAD")


def gate(_service: str, _version: str) -> None:
    """Nothing that was released before is broken."""
    _run("the contracts break what others read (see above)", sys.executable, "-m", "deploy.releases.gate")


def can_i_deploy(service: str, _version: str) -> None:
    """It fits beside what the other four have released."""
    _run("it doesn't fit beside what others have released (see above)", sys.executable, "-m", "deploy.releases.deployable", service)


def tested(service: str, _version: str) -> None:
    """Its own tests, installed alone."""
    _run("its tests fail (see above)", sys.executable, "-m", "deploy.suites", "--only", f"services/{service}", "-q")


def versioned(service: str, version: str) -> None:
    """Version, changelog and lock say so, in one commit."""
    _set_version(service, version)
    heading = f"## {version} ({datetime.now(UTC):%Y-%m-%d})"
    (project(service) / "CHANGELOG.md").write_text(re.sub(UNRELEASED, heading, _changelog(service), count=1, flags=re.MULTILINE))
    _commit(f"{service} {version}")


def imaged(service: str, _version: str) -> None:
    """The image of that commit, and what is in it as a CycloneDX list."""
    _run("the image can't be built (see above)", "make", "images", f"SERVICE={service}")


def recorded(service: str, version: str) -> None:
    """The commit stands in releases.toml, and work goes on with the next version."""
    if why := refusal(service):
        raise RefusedError(why)
    record(service)
    parts = Version(version)
    coming = f"{parts.major}.{parts.minor}.{parts.micro + 1}"
    _set_version(service, f"{coming}.dev0")
    title, _, rest = _changelog(service).partition("\n\n")
    (project(service) / "CHANGELOG.md").write_text(f"{title}\n\n## {coming} (not released)\n\n{rest}")
    _commit(f"Record {service} {version}; go on with {coming}")


NO_IMAGE = "--no-image"
"""For an agency that runs its service without containers."""
UNRELEASED = r"^## \S+ \(not released\)$"
STEPS: dict[str, Callable[[str, str], None]] = {
    "contracts": gate,
    "beside the others": can_i_deploy,
    "tests": tested,
    "version and changelog": versioned,
    "image": imaged,
    "record": recorded,
}


def _changelog(service: str) -> str:
    return (project(service) / "CHANGELOG.md").read_text()


def _set_version(service: str, version: str) -> None:
    file = project(service) / "pyproject.toml"
    file.write_text(re.sub(r'^version = ".*"$', f'version = "{version}"', file.read_text(), count=1, flags=re.MULTILINE))
    manifests = ROOT / "deploy" / "k8s" / "base" / service / "kustomization.yaml"
    manifests.write_text(re.sub(r"newTag: .*", f"newTag: {Version(version).base_version}", manifests.read_text()))
    _run("the lock can't be brought up to date", "make", "lock")


def _commit(message: str) -> None:
    _git("add", "--update")
    _git("commit", "--quiet", "--message", message)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"git {arguments[0]}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}")
    return done.stdout.strip()


def _run(otherwise: str, *command: str) -> None:
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise RefusedError(otherwise)


if __name__ == "__main__":
    raise SystemExit(main())

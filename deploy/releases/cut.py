"""`python -m deploy.releases.cut NAME`: records the commit that is checked out as a release of one service or library."""

import re
import subprocess
import sys
import tomllib

from packaging.version import Version

from deploy.releases.record import RELEASES, ROOT, HistoryError, latest, project, releases, version_of


def refusal(name: str) -> str | None:
    """Why this can't be released now, in one line; None when it can."""
    version, last = version_of(name), latest(name)
    if Version(version).is_devrelease:
        return f"{name} is {version}: set the version and the changelog's heading first, `make lock schemas`, and commit"
    if last and Version(version) <= Version(last.version):
        return f"{name} {version} isn't newer than {last.version}"
    heading = re.search(rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", (project(name) / "CHANGELOG.md").read_text(), re.MULTILINE)
    if not heading:
        return f"{name}'s CHANGELOG.md has no heading `## {version} (date)`"
    if subprocess.run(["git", "status", "--porcelain", "--untracked-files=no"], cwd=ROOT, capture_output=True, check=True).stdout:
        return "there are changes that aren't committed"
    return None


def record(name: str) -> str:
    """Appends the commit that is checked out to releases.toml as a release of `name`; returns it."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    text = RELEASES.read_text() + f'\n[[release]]\nname = "{name}"\nversion = "{version_of(name)}"\ncommit = "{commit}"\n'
    tomllib.loads(text)
    RELEASES.write_text(text)
    return commit


def main() -> int:
    """Appends to releases.toml; commit that afterwards."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    try:
        why = refusal(name)
    except HistoryError as error:
        why = str(error)
    except LookupError as error:
        why = f"{error}: one of {', '.join(dict.fromkeys(release.name for release in releases()))}"
    if why:
        print(f"cut: {why}", file=sys.stderr)
        return 1
    commit = record(name)
    print(f"cut: {name} {version_of(name)} from {commit[:12]}; commit releases.toml, then the next version (.dev0), `make lock schemas`")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

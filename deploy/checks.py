"""`python -m deploy.checks`: everything that can be said about the code without running it, in a few seconds."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from contracts.catalogue import SERVICES

ROOT = Path(__file__).parents[1]
PACKAGES = ("contracts", "servicekit", "webkit", *SERVICES, "deploy", "bench")
PUBLIC_HOSTS = {"pypi.org", "files.pythonhosted.org"}
"""The only hosts that uv.lock may name: a mirror's name would break everybody else's install."""
LONGEST_FILE = 400
GENERATED = "libs/contracts/catalogue/index.html"
"""Nobody reads it as code."""
INDEX_SETTINGS = ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL")
"""uv writes the index that these name into the lock."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended."""

    name: str
    seconds: float
    said: str
    """What it found; empty when all is well."""


def _uv() -> str:
    own = ROOT / ".tools" / "bin" / "uv"
    return str(own) if own.exists() else "uv"


def commands() -> dict[str, list[str]]:
    """The checks that are programs, by name."""
    tools = Path(sys.executable).parent
    types = [f"--package={name}" for name in PACKAGES]
    return {
        "types": [str(tools / "mypy"), "--no-error-summary", "--exclude", "/tests/", *types],
        "imports": [str(tools / "lint-imports"), "--no-logo"],
        "lint": [str(tools / "ruff"), "check", "--quiet", "."],
        "format": [str(tools / "ruff"), "format", "--check", "--quiet", "."],
        "rules": [sys.executable, "-m", "deploy.observability", "--check"],
        "schemas": [sys.executable, "-m", "contracts.schemas", "--check"],
        "texts": [
            sys.executable,
            "-m",
            "webkit.catalogue_check",
            str(ROOT / "deploy" / "local"),
            *(str(path) for path in sorted(ROOT.glob("services/*/src/*")) if path.is_dir()),
        ],
        "lock": [_uv(), "lock", "--check", "--quiet"],
    }


def run(name: str, command: Sequence[str]) -> Result:
    """Runs one program; what it printed counts only when it fails."""
    began = time.monotonic()
    environment = {key: value for key, value in os.environ.items() if key not in INDEX_SETTINGS}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip() or f"ended with code {done.returncode}"
    return Result(name, time.monotonic() - began, said if done.returncode else "")


def foreign_hosts(lock: str) -> set[str]:
    """Hosts in the text of a uv.lock that only some people can reach."""
    return set(re.findall(r'"https?://([^/"]+)', lock)) - PUBLIC_HOSTS


def foreign_addresses(lock: str) -> set[str]:
    """Addresses in the text of a package-lock.json: it should name packages and hashes only."""
    return set(re.findall(r'"resolved": "([^"]+)"', lock))


def too_long(files: Sequence[Path]) -> list[str]:
    """Files with more lines than anybody reads."""
    lengths = {file: len(file.read_text(errors="replace").splitlines()) for file in files}
    return [f"{file}: {length} lines, at most {LONGEST_FILE}" for file, length in lengths.items() if length > LONGEST_FILE]


def _tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def own_rules() -> Result:
    """Hosts in the locks, and the length of files."""
    began = time.monotonic()
    found = [f"uv.lock names {host}: lock again without an index setting" for host in sorted(foreign_hosts((ROOT / "uv.lock").read_text()))]
    for lock in _tracked("*package-lock.json"):
        found += [f"{lock.relative_to(ROOT)} names {address}" for address in sorted(foreign_addresses(lock.read_text()))]
    found += too_long(_tracked("*.py", "*.mjs", "*.js", "*.css", "*.html", "*.jinja", f":!{GENERATED}"))
    return Result("own rules", time.monotonic() - began, "\n".join(found))


def main() -> int:
    """Runs all checks side by side; prints a line for each, and what the failed ones said."""
    began = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = [*pool.map(lambda item: run(*item), commands().items()), own_rules()]
    for result in results:
        print(f"{'FAILED' if result.said else 'ok':<7}{result.name:<10}{result.seconds:5.1f} s")
    for result in results:
        if result.said:
            print(f"\n--- {result.name}\n{result.said}")
    failed = [result.name for result in results if result.said]
    print(f"check: {'failed: ' + ', '.join(failed) if failed else 'ok'} in {time.monotonic() - began:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The runbooks as programs: their blocks of commands, those that look and those that change something."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.checks import ROOT
from deploy.local.platform import Platform

FOLDER = ROOT / "docs" / "runbooks"
BLOCK = re.compile(r"^```(sh|sh run|sh start)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 60


class BookError(AssertionError):
    """A command of a runbook doesn't do what the page says."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines for a shell."""

    lines: str
    kind: str
    """`sh` looks, `sh run` changes something, `sh start` is a process that stays."""


def blocks(name: str) -> list[Block]:
    """All of one page, in order."""
    return [Block(lines, kind) for kind, lines in BLOCK.findall((FOLDER / name).read_text())]


def place(platform: Platform, service: str, prometheus: str, **more: str) -> dict[str, str]:
    """In which a page's commands run: the service's own environment, and where things are. `prometheus`: its address."""
    own = platform.services[service].environment
    where = {"SERVICE": service, "INTERNAL": platform.internal(service), "PROMETHEUS": prometheus}
    return own | {"PATH": f"{Path(sys.executable).parent}:{own['PATH']}"} | where | more


def follow(block: Block, environment: Mapping[str, str], folder: Path = ROOT) -> str:
    """What it printed. Raises BookError where it fails."""
    command = ["bash", "-euo", "pipefail", "-c", block.lines]
    ran = subprocess.run(command, env=dict(environment), cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    if ran.returncode != 0:
        raise BookError(f"{block.lines}\n{ran.stdout}{ran.stderr}")
    return ran.stdout

"""The program that builds and runs containers: Docker where its engine answers, else Podman, installed where that may be done."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SETTINGS = Path(__file__).with_name("containers.conf")
PACKAGES = ("podman", "buildah", "runc", "netavark", "aardvark-dns", "iptables", "catatonit", "debootstrap")
"""Of Debian: an engine without a daemon, networks with names, and what makes a base image where there is no registry."""
APT = ("apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=300")


class NoEngineError(RuntimeError):
    """Neither Docker nor Podman answers here and none can be installed. One line that says what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no container engine here ({why}): start Docker, or install Debian's packages {' '.join(PACKAGES)} as root")


class EngineError(RuntimeError):
    """The engine refused. The text is the command and the end of what it said."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine's command line."""

    name: str
    """`docker` or `podman`."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, *arguments: str | Path, said: bytes | None = None, seconds: float = 900, quiet: bool = True) -> str:
        """What the command prints, without the last line break. Raises EngineError. `said`: what it reads."""
        command = [self.name, *map(str, arguments)]
        try:
            done = subprocess.run(command, input=said, env=self.environment, capture_output=quiet, check=False, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"{' '.join(command)}: no end after {seconds:.0f} s") from error
        if done.returncode:
            told = ((done.stdout or b"") + (done.stderr or b"")).decode(errors="replace").strip()
            raise EngineError(f"{' '.join(command)} ended with {done.returncode}:\n{told[-3000:]}")
        return (done.stdout or b"").decode().strip()

    def has(self, image: str) -> bool:
        """Whether the image is here."""
        return self.succeeds("image", "inspect", image)

    def pulls(self, image: str) -> bool:
        """Fetches an image; False where its registry can't be reached."""
        return self.succeeds("pull", "--quiet", image, seconds=600)

    def succeeds(self, *arguments: str, seconds: float = 60) -> bool:
        """Whether the command ends well."""
        try:
            self.run(*arguments, seconds=seconds)
        except EngineError:
            return False
        return True


@cache
def engine() -> Engine:
    """The one that answers. Podman is installed first where this may be done. Raises NoEngineError."""
    for name in ("docker", "podman"):
        if found := _answering(name):
            return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoEngineError("Docker doesn't answer, and to install Podman takes root and apt")
    print("installing Podman from Debian's packages (once)", flush=True)
    install(PACKAGES)
    if found := _answering("podman"):
        return found
    raise NoEngineError("Podman was installed and doesn't answer")


def install(packages: Sequence[str]) -> None:
    """Debian's packages; what fails shows in what is missing afterwards."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["--no-install-recommends", "install", *packages]):
        subprocess.run([*APT, *arguments], check=False, stdout=subprocess.DEVNULL, env=environment)


def _answering(name: str) -> Engine | None:
    if not shutil.which(name):
        return None
    environment = dict(os.environ)
    if name == "podman":
        environment.setdefault("CONTAINERS_CONF", str(SETTINGS))
    made = Engine(name, environment)
    try:
        made.run("info", seconds=30)
    except EngineError:
        return None
    return made

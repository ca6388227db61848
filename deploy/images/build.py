"""`python -m deploy.images.build [--only dialog]` (`make images`): the images of the services and of what they run beside."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from contracts.catalogue import SERVICES

from deploy.commands import Command, part_of
from deploy.images import sbom
from deploy.images.base import PYTHON, NoBaseError, Progress, ensure
from deploy.images.engine import Engine, EngineError, NoEngineError, engine
from deploy.images.stand_ins import PARTS, stage
from deploy.local.processes import StartError
from deploy.observability.programs import NoPrometheusError, program
from deploy.releases.record import ROOT, version_of

OUTPUT = ROOT / ".local" / "images"
PREFIX = "localhost/stegvis"
CURRENT = "current"
"""The tag of what was built last from these files."""
MOST_MEGABYTES = 250
"""What a service may add to its base, MB of 10^6 bytes."""
SIDE_BY_SIDE = 2
"""Builds at once."""
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
"""Where a builder may say which authorities it trusts besides the usual ones."""


@dataclass(frozen=True, slots=True)
class Built:
    """One image."""

    name: str
    image: str
    megabytes: float
    """MB of 10^6 bytes, all layers."""
    seconds: float


def image_of(part: str, tag: str = CURRENT) -> str:
    """The name of an image that is built here."""
    return f"{PREFIX}/{part}:{tag}"


def megabytes(builder: Engine, image: str) -> float:
    """The size of all layers, MB of 10^6 bytes."""
    return int(builder.run("image", "inspect", "--format", "{{.Size}}", image)) / 1e6


def build_service(
    builder: Engine, service: str, root: Path = ROOT, *, version: str = "", commit: str = "", tag: str = CURRENT, anew: bool = False
) -> Built:
    """One service's image from the files in `root`, by the Dockerfile that is here; `anew`: nothing is taken from earlier builds.

    Raises EngineError.
    """
    version, commit = version or version_of(service, root), commit or _commit(root)
    options = ["--ignorefile", str(ROOT / ".dockerignore")] if builder.name == "podman" and root != ROOT else []
    options += ["--build-arg", f"VERSION={version}", "--build-arg", f"COMMIT={commit}", "--tag", image_of(service, version)]
    options += ["--no-cache"] if anew else []
    return _build(builder, service, ROOT / "services" / service / "Dockerfile", root, options, tag)


def build_part(builder: Engine, part: str) -> Built:
    """What stands in for an official image, or has none. Raises EngineError."""
    folder = stage(part, OUTPUT / "stage")
    return _build(builder, part, ROOT / "deploy" / "images" / part / "Dockerfile", folder, [], CURRENT)


def _build(builder: Engine, name: str, file: Path, context: Path, options: Sequence[str], tag: str) -> Built:
    began = time.monotonic()
    image = image_of(name, tag)
    own = ["--format", "docker", "--network", "host", "--layers"] if builder.name == "podman" else []
    for variable in CERTIFICATES:
        if authorities := os.environ.get(variable):
            own += ["--secret", f"id=ca,src={authorities}"]
            break
    builder.run("build", "--quiet", *own, *options, "--tag", image, "--file", file, context)
    return Built(name, image, megabytes(builder, image), time.monotonic() - began)


def _commit(root: Path) -> str:
    """The commit of the files, with `-dirty` where they differ from it."""
    done = subprocess.run(["git", "describe", "--always", "--abbrev=40", "--dirty"], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def build(only: str = "", progress: Progress = print) -> list[Built]:
    """All images, or those whose name contains `only`; a service's SBOM lies in .local/images afterwards."""
    builder = engine()
    progress(f"building with {builder.name}")
    ensure(builder, progress)
    base = megabytes(builder, PYTHON)
    chosen = [name for name in (*SERVICES, *PARTS) if only in name and _can_be_had(name, progress)]

    def make(name: str) -> Built:
        made = build_service(builder, name) if name in SERVICES else build_part(builder, name)
        added = made.megabytes - base if name in SERVICES else 0
        above = f", {added:.0f} MB above its base" if added else ""
        progress(f"{made.image}: {made.megabytes:.0f} MB{above}, {made.seconds:.1f} s")
        if added > MOST_MEGABYTES:
            raise EngineError(f"{made.image} adds {added:.0f} MB to its base: at most {MOST_MEGABYTES} may be")
        return made

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = list(pool.map(make, chosen))
        list(pool.map(lambda made: sbom.write(builder, made.name, made.image, OUTPUT), [made for made in found if made.name in SERVICES]))
    return found


def _can_be_had(part: str, progress: Progress) -> bool:
    """Whether what the image is built from can be had: only Prometheus comes by a package, and nothing here needs it."""
    if part != "prometheus":
        return True
    try:
        program(part)
    except NoPrometheusError as error:
        progress(f"{part}: left out: {error}")
        return False
    return True


def main() -> int:
    """Exit code 0 when all were built; else one line says why not."""
    parser = Command(prog="python -m deploy.images.build", description=__doc__)
    parser.add_argument("--only", type=part_of((*SERVICES, *PARTS)), default="", help="images whose name contains this, e.g. dialog")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        found = build(options.only, lambda text: print(f"[{time.monotonic() - began:5.1f} s] {text}", flush=True))
    except (NoEngineError, NoBaseError, EngineError, StartError) as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    sboms = sum(made.name in SERVICES for made in found)
    print(f"images: built={len(found)} sboms={sboms} in {OUTPUT.relative_to(ROOT)} s={time.monotonic() - began:.0f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

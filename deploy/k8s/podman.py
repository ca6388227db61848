"""An agency's overlay for Podman, with what it brings: its secrets, keys and addresses on this machine."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from contracts.catalogue import SERVICES

from deploy.k8s.agencies import ROLE, labels_of
from deploy.k8s.pods import pods
from deploy.k8s.render import HERE, Manifest, of_kind
from deploy.local.environment import HOSTS, OWN, STAFF_CLIENT, YOUTH_CLIENT

KEYS = ("sig.jwk", "enc.jwk", "service.key", "vault.key")


@dataclass(frozen=True, slots=True)
class Brought:
    """What an agency brings (docs/kubernetes.md)."""

    database: str
    """postgresql://... as a pod reaches it."""
    kafka_password: str
    keys: Path
    """Folder with the private keys."""
    trust: Path
    """Folder with all agencies' public keys."""
    kafka_ca: Path
    """File with who signs the broker's certificate."""


def settings(service: str, port: int) -> dict[str, str]:
    """The addresses behind the gateway's port. Services reach identity as everybody does: no two agencies share a network."""
    found = {f"{name.upper()}_URL": f"https://{HOSTS[name]}:{port}" for name in SERVICES}
    found["IDENTITY_INTERNAL_URL"] = found["IDENTITY_URL"]
    if service == "identity":
        found |= {"IDPORTEN_ISSUER": f"https://idporten.localhost:{port}", "IDPORTEN_CLIENT_ID": YOUTH_CLIENT}
        found |= {"ANSATTPORTEN_ISSUER": f"https://ansattporten.localhost:{port}", "ANSATTPORTEN_CLIENT_ID": STAFF_CLIENT}
    return found | OWN.get(service, {})


def write_overlay(service: str, folder: Path, image: str, port: int, brought: Brought) -> Path:
    """Fills `folder` (0700) with a kustomization that stands on the service's base; returns it. `image`: name:tag."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    files: dict[str, dict[str, bytes]] = {
        "database-app": {"uri": brought.database.encode()},
        "kafka": {"password": brought.kafka_password.encode()},
        "keys": {name: (brought.keys / name).read_bytes() for name in KEYS},
        "trust": {file.name: file.read_bytes() for file in sorted(brought.trust.glob("*.json"))},
        "kafka-ca": {"ca.crt": brought.kafka_ca.read_bytes()},
    }
    for name, contents in files.items():
        (folder / name).mkdir(exist_ok=True)
        for key, content in contents.items():
            (folder / name / key).write_bytes(content)
    name, _, tag = image.rpartition(":")
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": f"stegvis-{service}",
        "resources": [_from(folder, HERE / "base" / service)],
        "components": [_from(folder, HERE / "components" / "podman")],
        "images": [{"name": f"registry.stegvis.example/{service}", "newName": name, "newTag": tag}],
        "configMapGenerator": [
            {"name": "settings", "behavior": "merge", "literals": [f"{key}={value}" for key, value in settings(service, port).items()]},
            *(_generated(name, files[name]) for name in ("trust", "kafka-ca")),
        ],
        "secretGenerator": [_generated(name, files[name]) for name in ("database-app", "kafka", "keys")],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization, sort_keys=False, width=200))
    return folder


def _from(folder: Path, target: Path) -> str:
    return os.path.relpath(target.resolve(), folder.resolve())


def _generated(name: str, contents: Mapping[str, bytes]) -> dict[str, object]:
    return {"name": name, "files": [f"{key}={name}/{key}" for key in contents]}


def pod_of_job(manifests: list[Manifest], role: str) -> Manifest:
    """The pod of the Job `migrate` or `restored` by itself: Podman 4.3 passes over Jobs."""
    [job] = [job for job in of_kind(manifests, "Job") if labels_of(job)[ROLE] == role]
    template = job["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": job["metadata"]["name"]},
        "spec": template["spec"],
    }


def podman_secret(secret: Manifest, manifests: list[Manifest]) -> bytes:
    """A Secret as `podman secret create` of 4.3 wants it, which reads one form for variables and another for volumes."""
    name = secret["metadata"]["name"]
    mounted = any(volume.get("secret", {}).get("secretName") == name for _, pod in pods(manifests) for volume in pod["volumes"])
    if not mounted:
        return json.dumps(secret["data"]).encode()
    plain = {key: base64.b64decode(value) for key, value in secret["data"].items()}
    return yaml.safe_dump({**secret, "data": plain}).encode()

"""Our own rules for a pod: nothing unpinned, nothing privileged, nothing unwatched, nothing cut off. Each says what breaks it."""

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from servicekit import health

from deploy.k8s.render import Manifest, name_of

DRAIN_SECONDS = 10
"""Within which a process ends after SIGTERM (libs/servicekit/README.md)."""
SPARE_SECONDS = 5
PROBES = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
VOLUMES = frozenset({"name", "configMap", "secret", "emptyDir", "projected", "downwardAPI", "csi", "ephemeral", "persistentVolumeClaim"})
"""What the restricted profile lets a pod mount (kubernetes.io, Pod Security Standards)."""
NEEDED = {"requests": {"cpu", "memory", "ephemeral-storage"}, "limits": {"memory", "ephemeral-storage"}}
_PINNED = re.compile(r"[^:@]+(:[0-9]+/[^:@]+)?(:(?!latest$|current$|main$)[\w][\w.-]*|@sha256:[0-9a-f]{64})")


def pods(manifests: list[Manifest]) -> Iterator[tuple[Manifest, dict[str, Any]]]:
    """Each workload with its pod's spec."""
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "Job", "StatefulSet", "DaemonSet"):
            yield manifest, manifest["spec"]["template"]["spec"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """All containers of a pod, those that run before the others too."""
    return [*pod.get("initContainers", []), *pod.get("ephemeralContainers", []), *pod["containers"]]


def problems(manifests: list[Manifest]) -> list[str]:
    """All that is wrong with the pods of a rendering."""
    rules = (_pinned, _restricted, _unprivileged, _quiet, _watched, _bounded, _drained)
    return [f"{name_of(manifest)}: {found}" for manifest, pod in pods(manifests) for rule in rules for found in rule(manifest, pod)]


def _pinned(_: Manifest, pod: dict[str, Any]) -> Iterator[str]:
    for container in containers(pod):
        if not _PINNED.fullmatch(container.get("image", "")):
            yield f"image {container.get('image')} names no version"


def _restricted(_: Manifest, pod: dict[str, Any]) -> Iterator[str]:
    """The restricted profile of the Pod Security Standards, for the pod."""
    for name in ("hostNetwork", "hostPID", "hostIPC", "hostUsers"):
        if pod.get(name):
            yield f"{name} isn't restricted"
    for volume in pod.get("volumes", []):
        for kind in set(volume) - VOLUMES:
            yield f"a volume of kind {kind} isn't restricted"


def _unprivileged(_: Manifest, pod: dict[str, Any]) -> Iterator[str]:
    """The same for each container, and a file system that nobody can write to."""
    of_pod = pod.get("securityContext", {})
    for container in containers(pod):
        own = container.get("securityContext", {})
        context, name = of_pod | own, container["name"]
        if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
            yield f"{name} may run as root"
        if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{name} has no seccomp profile"
        if own.get("privileged") or own.get("allowPrivilegeEscalation") is not False:
            yield f"{name} may gain privileges"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name} keeps capabilities"
        if own.get("readOnlyRootFilesystem") is not True:
            yield f"{name} can write to its root file system"
        if any("hostPort" in port for port in container.get("ports", [])):
            yield f"{name} takes a port of its node"


def _quiet(_: Manifest, pod: dict[str, Any]) -> Iterator[str]:
    """Nothing of Kubernetes reaches a process that it hasn't asked for."""
    for name in ("automountServiceAccountToken", "enableServiceLinks"):
        if pod.get(name) is not False:
            yield f"{name} must be false"


def _watched(manifest: Manifest, pod: dict[str, Any]) -> Iterator[str]:
    if manifest["kind"] == "Job":
        return
    served = _served()
    for container in pod["containers"]:
        ports = {port.get("name") for port in container.get("ports", [])}
        for kind, path in PROBES.items():
            asked = container.get(kind, {}).get("httpGet", {})
            if asked.get("path") != path or path not in served:
                yield f"{kind} must ask {path}, which every process serves"
            elif asked.get("port") != "internal" or "internal" not in ports:
                yield f"{kind} must ask the internal port"


def _served() -> set[str]:
    """What a process answers on its internal port."""
    app = FastAPI()
    health.install(app, {}, {})
    return set(app.openapi()["paths"])


def _bounded(_: Manifest, pod: dict[str, Any]) -> Iterator[str]:
    for container in containers(pod):
        for kind, names in NEEDED.items():
            for name in sorted(names - set(container.get("resources", {}).get(kind, {}))):
                yield f"{container['name']} states no {kind} of {name}"


def _drained(manifest: Manifest, pod: dict[str, Any]) -> Iterator[str]:
    if manifest["kind"] == "Job":
        return
    for container in pod["containers"]:
        before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        needed = before + DRAIN_SECONDS + SPARE_SECONDS
        if pod.get("terminationGracePeriodSeconds", 30) < needed:
            yield f"terminationGracePeriodSeconds must be at least {needed}"
        if any(port.get("name") == "http" for port in container.get("ports", [])) and not before:
            yield "who serves must wait before it ends, until no gateway sends anything any more"

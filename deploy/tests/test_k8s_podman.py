"""What Podman plays is what the agencies have: rendered here without an engine, and compared."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.k8s import pods, schemas
from deploy.k8s.podman import KEYS, Brought, pod_of_job, podman_secret, write_overlay
from deploy.k8s.render import OVERLAYS, Manifest, of_kind, render
from deploy.local.keys import make_keys

HASH = re.compile(r"-[0-9a-z]{10}$")
OTHERWISE = {
    "spec.replicas": 1,
    "spec.template.spec.containers.0.image": "localhost/stegvis/identity:current",
    "spec.template.spec.volumes.0.secret.optional": False,
}
"""All that may differ in a Deployment, and how; and no port is declared, for Podman would take it from this machine."""
PORTS = "spec.template.spec.containers.0.ports."


@pytest.fixture(scope="module")
def brought(tmp_path_factory):
    folder = tmp_path_factory.mktemp("brought")
    make_keys(folder, ["info", "identity"])
    (folder / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    dsn = "postgresql://identity:secret@identity-postgres:5432/identity"
    return Brought(dsn, "a password", folder / "keys" / "identity", folder / "trust", folder / "ca.crt")


@pytest.fixture(scope="module")
def played(brought, tmp_path_factory):
    folder = tmp_path_factory.mktemp("k8s") / "identity"
    return render(write_overlay("identity", folder, "localhost/stegvis/identity:current", 8180, brought))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, object]]:
    """Each value with its path; the hash of a generated object's content is taken off its name."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, HASH.sub("", value) if isinstance(value, str) else value


def deployments(manifests: list[Manifest]) -> dict[str, dict[str, object]]:
    return {manifest["metadata"]["name"]: dict(leaves(manifest)) for manifest in of_kind(manifests, "Deployment")}


def test_a_deployment_differs_in_its_number_and_its_image_alone(played):
    """INVARIANT: what ran here is what an agency applies."""
    own = deployments(render(OVERLAYS / "identity"))
    found = deployments(played)
    assert found.keys() == own.keys()
    for name, values in found.items():
        differing = {path: values.get(path) for path in values.keys() | own[name].keys() if values.get(path) != own[name].get(path)}
        differing = {path: value for path, value in differing.items() if value is not None or not path.startswith(PORTS)}
        assert differing.items() <= OTHERWISE.items(), name
        assert "spec.template.spec.containers.0.image" in differing


def test_it_keeps_to_the_schemas_and_to_our_rules_for_pods(played):
    assert [problem for manifest in played for problem in schemas.problems(manifest)] == []
    assert [problem for problem in pods.problems(played) if not re.search("names no version|internal port", problem)] == []


@pytest.mark.parametrize("role", ["migrate", "restored"])
def test_what_is_done_once_is_the_jobs_own_pod(played, role):
    [job] = [job for job in of_kind(played, "Job") if job["metadata"]["name"].endswith(role)]
    pod = pod_of_job(played, role)
    assert pod["spec"] == job["spec"]["template"]["spec"]
    assert schemas.problems(pod) == []


def test_a_secret_has_the_form_that_podman_reads_for_its_use(played, brought):
    secrets = {HASH.sub("", secret["metadata"]["name"]): secret for secret in of_kind(played, "Secret")}
    assert json.loads(podman_secret(secrets["kafka"], played)) == {"password": "YSBwYXNzd29yZA=="}
    plain = yaml.safe_load(podman_secret(secrets["keys"], played))["data"]
    assert plain == {name: (brought.keys / name).read_bytes() for name in KEYS}


def test_names_of_secrets_and_settings_tell_two_agencies_apart(played, brought, tmp_path):
    """Podman has one name space: only the hash of the content keeps them apart."""
    other = Brought("postgresql://x@y/z", "another", brought.keys.parent / "info", brought.trust, brought.kafka_ca)
    second = render(write_overlay("info", tmp_path / "info", "localhost/stegvis/info:current", 8180, other))
    names = [{secret["metadata"]["name"] for secret in of_kind(manifests, "Secret")} for manifests in (played, second)]
    assert [len(found) for found in names] == [3, 3]
    assert not names[0] & names[1]


def test_only_its_owner_reads_what_was_brought(played, brought, tmp_path):
    folder: Path = write_overlay("identity", tmp_path / "identity", "localhost/stegvis/identity:current", 8180, brought)
    assert folder.stat().st_mode & 0o777 == 0o700

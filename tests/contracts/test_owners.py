"""Who approves what: an agency its own, nobody else's release, and the platform the rest."""

import pytest
from contracts.catalogue import SERVICES

from deploy.checks import ROOT


def owner_of(path: str) -> str:
    """As CODEOWNERS is read: the last line that matches counts; one without a name asks nobody."""
    rows = [line.split() for line in (ROOT / "CODEOWNERS").read_text().splitlines() if not line.startswith("#")]
    found = [
        owners
        for pattern, *owners in rows
        if pattern == "*" or path == pattern[1:] or (pattern[-1] == "/" and f"/{path}".startswith(pattern))
    ]
    return " ".join(found[-1])


@pytest.mark.parametrize("service", SERVICES)
def test_an_agency_is_asked_for_its_own_and_for_its_contracts(service):
    """INVARIANT: nobody changes what an agency tells, or runs, without it."""
    contract = next(file for file in (f"{service}.py", f"joined/{service}.py") if (ROOT / "libs/contracts/src/contracts" / file).is_file())
    own = [f"libs/contracts/src/contracts/{contract}", f"services/{service}/pyproject.toml", f"deploy/k8s/overlays/{service}/x.yaml"]
    assert {owner_of(path) for path in own} == {f"@stegvis/{service}"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_release_asks_nobody_else(service):
    """INVARIANT: what a release writes is the agency's own, or nobody's."""
    written = [f"services/{service}/pyproject.toml", f"services/{service}/CHANGELOG.md", f"deploy/k8s/base/{service}/kustomization.yaml"]
    assert {owner_of(path) for path in written} == {f"@stegvis/{service}"}
    assert {owner_of(path) for path in ("releases.toml", "uv.lock")} == {""}


def test_the_rest_is_the_platforms():
    rest = ("libs/contracts/src/contracts/event.py", "libs/servicekit/README.md", "deploy/demo.py", "Makefile", "tests/README.md")
    assert {owner_of(path) for path in rest} == {"@stegvis/platform"}

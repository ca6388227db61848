"""deploy/containers/agency: what an agency that takes one service takes with it is whole, closed, and settings that production accepts."""

import re
from importlib import import_module

import pytest
import yaml
from contracts.catalogue import SERVICES

from deploy.containers.prepare import ROOT, SERVICE_UID
from deploy.k8s.agencies import NOT_SETTINGS
from deploy.local.keys import make_keys

HERE = ROOT / "deploy" / "containers" / "agency"
ROLES = ("migrate", "serve", "relay", "consume")


@pytest.fixture(scope="module")
def alone():
    text = (HERE / "compose.yml").read_text()
    yaml.safe_load(text)  # compose reads it before it fills anything in
    return yaml.safe_load(re.sub(r"\$\{(\w+)(:\?[^}]*)?\}", r"\1", text))


@pytest.fixture(scope="module")
def together():
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / "docker-compose.yml").read_text()))


def settings(*, identity: bool = False, text: str = "") -> dict[str, str]:
    """What settings.env says; identity's own lines too."""
    text = text or (HERE / "settings.env").read_text()
    lines = re.findall(r"^#?(\w+)=(\S+)$" if identity else r"^(\w+)=(\S+)$", text, re.MULTILINE)
    return {name: value for name, value in lines if name != "KAFKA_CA_FILE"}


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_takes_the_settings_in_production(service, tmp_path):
    known = import_module(f"{service}.settings").Settings
    said = settings(identity=service == "identity")
    assert {name.lower() for name in set(said) - NOT_SETTINGS} <= set(known.model_fields)
    given = {name.lower(): value for name, value in said.items()}
    made = known(**given, database_url="postgresql://x:y@postgres:5432/x", keys_dir=tmp_path, trust_dir=tmp_path)
    assert not made.is_demo
    assert made.deletions_dir is not None


def test_it_runs_as_closed_as_the_whole_platform_does(alone, together):
    """INVARIANT: no container of a service may more alone than beside the others."""
    for role in ROLES:
        part, model = alone["services"][role], together["services"][f"dialog-{role}"]
        assert part["command"] == [role]
        for name in ("read_only", "tmpfs", "cap_drop", "security_opt", "user", "stop_grace_period", "restart"):
            assert part[name] == model[name], (role, name)
        assert part["user"] == f"{SERVICE_UID}:{SERVICE_UID}"
        assert part["image"] == "IMAGE"
    assert all("max-size" in part["logging"]["options"] for part in alone["services"].values())
    assert alone["services"]["postgres"]["image"] == together["services"]["dialog-postgres"]["image"]


def test_what_must_be_there_is_mounted_and_nobody_but_this_machine_reaches_a_port(alone):
    assert alone["networks"]["store"] == {"internal": True}
    assert alone["services"]["postgres"]["networks"] == ["store"]
    for role in ROLES:
        places = [volume.split(":")[1] for volume in alone["services"][role]["volumes"]]
        assert {"/run/secrets", "/run/keys", "/run/trust", "/data", settings()["DELETIONS_DIR"]} == set(places)
    ports = [port for part in alone["services"].values() for port in part.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_demonstrations_keys_are_refused(tmp_path):
    """So the test above could fail."""
    make_keys(tmp_path, ["dialog"])
    given = {name.lower(): value for name, value in settings().items()}
    with pytest.raises(ValueError, match="KEYS_DIR"):
        import_module("dialog.settings").Settings(**given, database_url="postgresql://x:y@z/x", keys_dir=tmp_path / "keys" / "dialog")

"""What the images and docker-compose.yml promise, as far as it can be read from them; `tests/containers` looks at what they become."""

import itertools
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml
from contracts.catalogue import OWNERS, SERVICES

from deploy.containers import isolation, prepare
from deploy.containers.stack import Part
from deploy.gateway.caddyfile import Route, caddyfile
from deploy.images import base, engine
from deploy.local.gateway import caddy
from deploy.local.processes import Child, free_ports, listens

ROOT = Path(__file__).parents[2]
ROLES = ("serve", "relay", "consume")
SHARED = {"kafka", "gateway", "prometheus"}
STORES = {"kafka-log", "dialog-data", "helpjourney-data", "prometheus-data", "grafana-data"}


def dockerfile(service):
    return (ROOT / "services" / service / "Dockerfile").read_text()


def read(file):
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (ROOT / file).read_text()))


@pytest.fixture(scope="module")
def compose():
    return read("docker-compose.yml")


def networks(part):
    return set(part["networks"])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_an_image_of_its_own_that_holds_nothing_of_the_others(service):
    text = dockerfile(service)
    others = "|".join(name for name in SERVICES if name != service)
    assert not re.search(rf"services/({others})|--package ({others})|-m\", \"({others})", text)
    assert f"--package {service}" in text
    assert f'image.vendor="{OWNERS[service].agency}"' in text
    final = text.split("FROM ${PYTHON}\n")[-1]
    assert re.search(r"^USER \d+:\d+$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    assert json.loads(re.search(r"^\s+CMD (\[.*\])$", final, re.MULTILINE)[1])[0] == "python"
    assert json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", final, re.MULTILINE)[1]) == ["python", "-m", service]
    for label in ("version", "revision", "licenses", "vendor"):
        assert f"org.opencontainers.image.{label}=" in final


def test_who_joins_gets_the_same_image():
    template = (ROOT / "deploy/releases/new_service/service/Dockerfile.in").read_text()
    filled = template.replace("@name@", "dialog").replace("@agency@", OWNERS["dialog"].agency)
    assert filled == dockerfile("dialog")


def test_the_images_take_the_makefiles_uv():
    version = re.search(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text())[1]
    assert base.UV.endswith(f":{version}")
    assert all(f"ARG UV={base.UV}\n" in dockerfile(service) for service in SERVICES)


def test_what_makes_topics_and_principals_has_every_module_that_it_imports():
    """Its image holds a few files of `deploy`, and nothing else of it."""
    copied = re.search(r"^COPY deploy/__init__\.py (.*) deploy/$", (ROOT / "deploy/images/setup/Dockerfile").read_text(), re.MULTILINE)[1]
    there = {"deploy.kafka"} | {file.removesuffix(".py").replace("/", ".") for file in copied.split()}
    files = [*(ROOT / "deploy/kafka").glob("*.py"), *(ROOT / name for name in copied.split())]
    imported = {module for file in files for module in re.findall(r"^\s*(?:from|import) (deploy\.\w+)", file.read_text(), re.MULTILINE)}
    assert imported <= there


def test_keys_and_data_do_not_reach_a_builder():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    assert not [line for line in lines if line.startswith("!") and ".local" in line]


def test_no_two_agencies_share_a_network_and_each_is_closed_to_the_others(compose):
    """INVARIANT: what one agency runs can't call what another runs, but through Kafka and the gateway."""
    parts = compose["services"]
    used = {name: set().union(*(networks(part) for key, part in parts.items() if key.startswith(f"{name}-"))) for name in SERVICES}
    for one, other in itertools.combinations(SERVICES, 2):
        assert not used[one] & used[other]
    assert all(network["driver_opts"]["isolate"] == "true" for network in compose["networks"].values())
    for name in SERVICES:
        assert networks(parts[f"{name}-postgres"]) == {f"{name}-store"}
        assert not any(f"{name}-store" in networks(parts[shared]) for shared in SHARED)
    assert networks(parts["login"]) == {"login"}


def test_a_service_runs_as_three_processes_of_one_image_and_is_migrated_beforehand(compose):
    for name in SERVICES:
        parts = [compose["services"][f"{name}-{role}"] for role in (*ROLES, "migrate")]
        assert len({part["image"] for part in parts}) == 1
        assert [part["command"] for part in parts] == [["serve"], ["relay"], ["consume"], ["migrate"]]
        for part in parts:
            assert part["read_only"] is True
            assert part["cap_drop"] == ["ALL"]
            assert not set(part["environment"]) & {"DATABASE_URL", "KAFKA_PASSWORD"}


def test_nothing_depends_on_the_order_of_starts_and_every_store_has_a_volume(compose):
    assert not [name for name, part in compose["services"].items() if "depends_on" in part]
    for name in SERVICES:
        assert f"{name}-database:/var/lib/postgresql" in compose["services"][f"{name}-postgres"]["volumes"]
    assert {f"{name}-database" for name in SERVICES} | STORES == set(compose["volumes"])


def test_every_official_image_has_a_stand_in_under_the_same_name(compose):
    override = yaml.safe_load((ROOT / "deploy/containers/stand-ins.yml").read_text())["services"]
    official = {name for name, part in compose["services"].items() if part["image"].startswith("docker.io/")}
    assert set(override) == official - {"grafana"}  # Debian has none


def test_two_of_each_process_can_be_had_and_of_nothing_else():
    file = "deploy/containers/replicas.yml"
    yaml.safe_load((ROOT / file).read_text())  # compose reads it before it fills anything in
    assert read(file)["services"] == {
        f"{name}-{role}": {"deploy": {"mode": "replicated", "replicas": "2"}} for name in SERVICES for role in ROLES
    }


def test_what_is_prepared_twice_keeps_its_keys_and_passwords(tmp_path):
    def secrets():
        return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    prepare.prepare(tmp_path, 8150, 19150)
    before = secrets()
    prepare.prepare(tmp_path, 8150, 19150)
    assert secrets() == before
    settings = before[tmp_path / "kafka" / "server.properties"].decode()
    assert "CONTROLLER://127.0.0.1:9093" in settings
    private = [path for path in before if path.parts[len(tmp_path.parts)] in {"authority", "keys", "secrets", "kafka"}]
    assert private
    assert all((path if os.geteuid() == 0 else tmp_path).stat().st_mode & 0o077 == 0 for path in private)


def test_the_matrix_names_who_may_call_whom():
    assert isolation.may("dialog-serve", "info-postgres", 5432) is False
    assert isolation.may("dialog-serve", "dialog-postgres", 5432) is True
    assert isolation.may("dialog-postgres", "kafka", 9092) is False
    assert isolation.may("dialog-serve", "kafka", 9092) is True
    assert isolation.may("dialog-serve", "kafka", 9093) is False
    assert isolation.may("gateway", "dialog-postgres", 5432) is False
    assert isolation.may("gateway", "login", 9101) is True
    assert isolation.may("login", "identity-serve", 8000) is False
    assert isolation.may("prometheus", "info-relay", 9000) is True
    assert isolation.may("prometheus", "info-postgres", 5432) is False
    assert isolation.may("info-serve", "prometheus", 9090) is False
    assert isolation.doors(Part("info-relay", "", 1, True, False, datetime.now(UTC), {})) == (9000,)


def test_without_an_engine_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setattr(engine.shutil, "which", lambda _: None)
    with pytest.raises(engine.NoEngineError) as refused:
        engine.engine.__wrapped__()
    assert "\n" not in str(refused.value)
    assert "podman" in str(refused.value)


SLOW_TO_COME = """
import http.server, os, sys
class Door(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        with open(sys.argv[2], "a") as seen: seen.write("x")
        if self.path == "/dies": os._exit(1)
        self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
    do_GET = do_POST
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Door).serve_forever()
"""


def test_the_gateway_waits_for_a_service_and_never_sends_twice_what_reached_one(tmp_path):
    """INVARIANT: a command isn't doubled by the gateway."""
    port, behind = free_ports(2)
    (tmp_path / "door.py").write_text(SLOW_TO_COME)
    (tmp_path / "Caddyfile").write_text(caddyfile(port, {"dialog": Route("snakk.localhost", f"127.0.0.1:{behind}")}, hold=20))
    environment = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    arguments = ["run", "--config", tmp_path / "Caddyfile", "--adapter", "caddyfile"]
    gateway = Child("gateway", [caddy(), *arguments], tmp_path / "gateway.log", env=environment).start()
    late = f"sleep 1; exec {sys.executable} {tmp_path / 'door.py'} {behind} {tmp_path / 'seen'}"
    door = Child("door", ["/bin/sh", "-c", late], tmp_path / "log")
    try:
        gateway.wait_until(lambda: listens(port), 20)
        door.start()
        headers = {"host": f"snakk.localhost:{port}"}
        assert httpx.post(f"http://127.0.0.1:{port}/once", content=b"a", headers=headers, timeout=40).text == "ok"
        assert (tmp_path / "seen").read_text() == "x"
        assert httpx.post(f"http://127.0.0.1:{port}/dies", content=b"a", headers=headers, timeout=40).status_code == 503
        assert (tmp_path / "seen").read_text() == "xx"
    finally:
        door.stop()
        gateway.stop()

"""What an image really is: built, opened and started."""

import json
import re
import secrets
import time

import pytest

from deploy.containers.parts import ContainerPostgres
from deploy.images import sbom
from deploy.images.base import PYTHON
from deploy.images.build import MOST_MEGABYTES, build_service, image_of, megabytes
from deploy.images.contents import configuration, files_of, layers_holding, paths_of
from deploy.images.engine import EngineError
from deploy.local.keys import make_keys
from deploy.local.processes import free_ports
from deploy.local.services import status
from deploy.releases.record import ROOT

SERVICE = "dialog"
UNWANTED = re.compile(r"(?:^|/)(?:pip[\d.]*|uv|uvx|gcc[\d.-]*|cc|g\+\+|clang|make|ld|as|ensurepip)$")
CANARY = f"canary-{secrets.token_hex(16)}".encode()

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def built(engine):
    hidden = ROOT / ".local" / "images" / "canary"
    hidden.parent.mkdir(parents=True, exist_ok=True)
    hidden.write_bytes(CANARY)
    yield build_service(engine, SERVICE)
    hidden.unlink()


@pytest.fixture(scope="module")
def paths(engine, built):
    return paths_of(engine, built.image)


def test_the_same_files_give_the_same_image(engine, built):
    """Paths, modes and SHA-256 of everything below /app."""
    again = build_service(engine, SERVICE, tag="again", anew=True)
    first, second = files_of(engine, built.image), files_of(engine, again.image)
    engine.run("rmi", again.image)
    assert len(first) > 1000
    assert [entry.path for entry in set(first) ^ set(second)] == []


def test_nothing_in_it_builds_or_installs_anything(paths):
    assert "app/bin/python" in paths
    assert [path for path in paths if UNWANTED.search(path) and not path.startswith("usr/share/")] == []


def test_it_is_small_and_says_whose_it_is_and_runs_as_nobody(engine, built):
    assert built.megabytes - megabytes(engine, PYTHON) <= MOST_MEGABYTES
    told = configuration(engine, built.image)
    assert told["User"] == "10001:10001"
    assert told["Healthcheck"]["Test"][0] == "CMD"
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in told["Labels"].items()}
    assert labels["vendor"] == "Helsedirektoratet and the chat network"
    assert labels["licenses"] == "MIT"
    assert re.match("[0-9a-f]{40}", labels["revision"])
    assert image_of(SERVICE, labels["version"])


def test_no_secret_lies_in_any_layer(engine, built):
    """INVARIANT: what lies in .local never reaches an image; the search finds what is there."""
    known = b"Level 2: anonymous questions, chat and the offer to go on"
    keys = {path.name: path.read_bytes() for path in ROOT.glob(".local/keys/*/*.key")}
    found = layers_holding(engine, built.image, {"canary": CANARY, "known": known, **keys})
    assert found
    assert [place for place in found if not place.startswith("known")] == []


def test_its_bill_of_materials_names_what_is_in_it(engine, built, paths, tmp_path):
    bill = json.loads(sbom.write(engine, SERVICE, built.image, tmp_path).read_text())
    assert bill["bomFormat"] == "CycloneDX"
    names = {component["name"].lower().replace("_", "-") for component in (*bill["components"], bill["metadata"]["component"])}
    installed = {match[1].lower().replace("_", "-") for path in paths if (match := re.search(r"/([^/]+?)-[^/-]+\.dist-info$", path))}
    assert len(installed) > 30
    assert installed - names == set()
    assert {"libc6", "python"} <= names


@pytest.fixture
def setting(engine, tmp_path):
    """What a container of dialog is told, with a database that is there, on this machine's own network."""
    cluster = ContainerPostgres({}).start()
    make_keys(tmp_path)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # made keys of nobody, for the image's account
    port, internal = free_ports(2)
    told = {"DATABASE_URL": cluster.create_role_and_database(SERVICE), "PORT": str(port), "INTERNAL_PORT": str(internal)}
    options = [word for name, value in told.items() for word in ("--env", f"{name}={value}")]
    folders = (f"{tmp_path / 'keys' / SERVICE}:/run/keys:ro", f"{tmp_path / 'trust'}:/run/trust:ro")
    options += [word for folder in folders for word in ("--volume", folder)]
    yield ["--network", "host", "--read-only", "--tmpfs", "/tmp:mode=1777", "--volume", "/data", *options], internal
    cluster.stop()


def test_it_is_ready_soon_after_its_start_and_ends_by_itself_when_asked(engine, built, setting):
    """`make containers` measures both on a quiet machine: 3 s and 10 s are promised. Here a busy one gets more time to start."""
    options, internal = setting
    engine.run("run", "--rm", *options, built.image, "migrate")
    began = time.monotonic()
    container = engine.run("run", "--detach", *options, built.image, "serve")
    try:
        while status(internal, "/readyz") != 200:
            assert time.monotonic() - began < 30
            time.sleep(0.05)
        if engine.name == "podman":  # Docker runs it by itself
            engine.run("healthcheck", "run", container)
        began = time.monotonic()
        engine.run("stop", "--time", "20", container)
        assert time.monotonic() - began < 10
        assert engine.run("inspect", "--format", "{{.State.ExitCode}}", container) == "0"
    finally:
        engine.run("rm", "--force", "--volumes", container)


def test_without_its_settings_it_says_which_is_missing(engine, built):
    with pytest.raises(EngineError, match="DATABASE_URL"):
        engine.run("run", "--rm", "--read-only", "--network", "none", built.image, "serve")

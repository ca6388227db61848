"""Why docker-compose.yml says `isolate`: without it one network reaches the other by address."""

import json
import secrets

import pytest

from deploy.images.base import PYTHON

SERVE = ("python3", "-m", "http.server", "8000")
CALL = """
import socket, sys, time
ends = time.monotonic() + 10
while True:
    try:
        socket.create_connection((sys.argv[1], 8000), 0.5)
        break
    except OSError:
        if time.monotonic() > ends:
            sys.exit(1)
        time.sleep(0.1)
"""


@pytest.mark.parametrize("isolate", [True, False])
def test_a_foreign_address_is_refused_only_with_isolate(engine, isolate):
    if engine.name != "podman":
        pytest.skip("Docker keeps its networks apart by itself")
    name = f"stegvis-{secrets.token_hex(4)}"
    networks = [f"{name}-a", f"{name}-b"]
    try:
        for network in networks:
            engine.run("network", "create", *(["--opt", "isolate=true"] if isolate else []), network)
        engine.run("run", "--detach", "--name", name, "--network", networks[0], PYTHON, *SERVE)
        facts = json.loads(engine.run("inspect", name))[0]["NetworkSettings"]["Networks"]
        address = facts[networks[0]]["IPAddress"]

        def reaches(network):
            return engine.succeeds("run", "--rm", "--network", network, PYTHON, "python3", "-c", CALL, address)

        assert reaches(networks[0])
        assert reaches(networks[1]) is not isolate
    finally:
        engine.succeeds("rm", "--force", "--time", "0", name)
        for network in networks:
            engine.succeeds("network", "rm", "--force", network)

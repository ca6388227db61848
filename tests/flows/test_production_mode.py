"""Production refuses, in one line, to start with what is only good enough for a demonstration."""

import os
import subprocess
import sys

import pytest
from contracts.catalogue import SERVICES

SAFE = {
    "STEGVIS_MODE": "production",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "KAFKA_BOOTSTRAP_SERVERS": "kafka.example.no:9093",
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "IDENTITY_INTERNAL_URL": "https://identity.example.no",
    "IDPORTEN_ISSUER": "https://idporten.no",
    "ANSATTPORTEN_ISSUER": "https://ansattporten.no",
    "IDPORTEN_CLIENT_ID": "x",
    "ANSATTPORTEN_CLIENT_ID": "x",
    **{f"{name.upper()}_URL": f"https://{name}.example.no" for name in SERVICES},
}


def start(service, **changed):
    environment = {"PATH": os.environ["PATH"], **SAFE, **changed}
    return subprocess.run([sys.executable, "-m", service, "run"], env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "unsafe", [{"INFO_URL": "http://info.example.no"}, {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, {"BORDER_BUCKET_SECONDS": "2"}]
)
def test_a_service_refuses_in_one_line(service, unsafe):
    ended = start(service, **unsafe)
    assert ended.returncode == 2
    assert len(ended.stderr.strip().splitlines()) == 1
    assert next(iter(unsafe)) in ended.stderr


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:4000", "https://test.idporten.no"])
def test_identity_refuses_the_test_provider(issuer):
    ended = start("identity", IDPORTEN_ISSUER=issuer)
    assert ended.returncode == 2
    assert "IDPORTEN_ISSUER" in ended.stderr

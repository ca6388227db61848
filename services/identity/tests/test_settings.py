"""Production refuses what is only good enough for a demonstration."""

from pathlib import Path
from typing import Any

import pytest
from identity.settings import Settings
from pydantic import ValidationError

PRODUCTION = {
    "stegvis_mode": "production",
    "database_url": "postgresql://identity:secret@db.example/identity",
    "kafka_bootstrap_servers": "kafka.example:9093",
    "kafka_security_protocol": "SASL_SSL",
    **{f"{name}_url": f"https://{name}.example" for name in ("info", "dialog", "identity", "helpjourney", "reporting")},
    "identity_internal_url": "https://identity.example",
    "idporten_issuer": "https://idporten.no",
    "idporten_client_id": "a",
    "ansattporten_issuer": "https://ansattporten.no",
    "ansattporten_client_id": "b",
}


def made(tmp_path: Path, **changed: Any) -> Settings:
    return Settings.model_validate({**PRODUCTION, "keys_dir": tmp_path, **changed})


def test_production_starts_with_the_real_providers(tmp_path: Path) -> None:
    settings = made(tmp_path)
    assert not settings.is_demo
    assert settings.issuer_of("idporten") == "https://idporten.no"


@pytest.mark.parametrize(
    "changed",
    [
        {"idporten_issuer": "http://127.0.0.1:9000"},
        {"idporten_issuer": "https://test.idporten.no"},
        {"idporten_issuer": "https://idporten.no.evil.example"},
        {"ansattporten_issuer": "http://127.0.0.1:9001"},
        {"ansattporten_issuer": "https://test.ansattporten.no"},
        {"identity_url": "http://logg-inn.localhost:8080"},
        {"border_bucket_seconds": 2},
        {"clock_offset_seconds": 5},
    ],
)
def test_production_refuses_the_test_provider_and_shortcuts(tmp_path: Path, changed: dict[str, Any]) -> None:
    """INVARIANT: nobody gets into production by a login that anyone can make."""
    with pytest.raises(ValidationError):
        made(tmp_path, **changed)


@pytest.mark.parametrize(
    ("name", "value"), [("idporten_issuer", "idporten.no"), ("ansattporten_issuer", "https://"), ("idporten_client_id", "")]
)
def test_what_can_not_be_is_refused_and_the_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        made(tmp_path, **{name: value})
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


def test_production_refuses_generated_keys(tmp_path: Path) -> None:
    """INVARIANT: a demonstration's keys vouch for nobody."""
    (tmp_path / "GENERATED").touch()
    with pytest.raises(ValidationError):
        made(tmp_path)

"""What a process may start with."""

import json
import time

import pytest
from joserfc.jwk import ECKey
from pydantic import ValidationError
from servicekit.keys import Keys, MissingKeyError, Trust
from servicekit.settings import Mode, ServiceSettings

DSN = "postgresql://somebody:canary-password@127.0.0.1/x"
SAFE = {
    "stegvis_mode": Mode.PRODUCTION,
    "database_url": DSN,
    "kafka_bootstrap_servers": "kafka.example.no:9093",
    "kafka_security_protocol": "SASL_SSL",
    "border_bucket_seconds": 3600,
    "identity_internal_url": "https://identity.internal",
    **{f"{name}_url": f"https://{name}.example.no" for name in ("info", "dialog", "identity", "helpjourney", "reporting")},
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"info_url": "http://info.example.no"}, "INFO_URL"),
        ({"helpjourney_url": "http://min.example.no"}, "HELPJOURNEY_URL"),
        ({"identity_internal_url": "http://10.0.0.1"}, "IDENTITY_INTERNAL_URL"),
        ({"helpjourney_url": "https://dialog.example.no:8443"}, "HELPJOURNEY_URL must not have the host of DIALOG_URL"),
        ({"kafka_security_protocol": "PLAINTEXT"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"kafka_security_protocol": "SASL_PLAINTEXT"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"border_bucket_seconds": 2}, "BORDER_BUCKET_SECONDS"),
        ({"clock_offset_seconds": 60}, "CLOCK_OFFSET_SECONDS"),
        ({"crash_at": "relay.acked"}, "CRASH_AT"),
    ],
)
def test_production_refuses_what_is_only_good_enough_for_a_demo(change, named, tmp_path):
    ServiceSettings(**SAFE, keys_dir=tmp_path)
    with pytest.raises(ValidationError, match=named):
        ServiceSettings(**(SAFE | change), keys_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://somebody@127.0.0.1/x"),
        ("database_url", "postgresql://somebody@127.0.0.1:99999/x"),
        ("info_url", "www.example.no"),
        ("info_url", "https://info.example.no/stegvis"),
        ("dialog_url", "https://snakk.example.no?"),
        ("identity_url", "https://logg-inn.example.no/#"),
        ("helpjourney_url", "https://min.example.no,"),
        ("helpjourney_url", "https://min.example.no:443x"),
        ("reporting_url", "https://tall.example.no:99999"),
        ("reporting_url", "https://somebody@tall.example.no"),
        ("reporting_url", "https://tall.example.no "),
        ("reporting_url", "https://"),
        ("reporting_url", "https://blåtall.no"),
        ("quick_exit_url", "https://www.example.no/a b"),
        ("identity_internal_url", "https://identity.internal/?to=it"),
        ("quick_exit_url", "javascript:alert(1)"),
        ("otel_exporter_otlp_endpoint", "collector:4318"),
        ("kafka_bootstrap_servers", "kafka"),
        ("kafka_bootstrap_servers", ""),
        ("kafka_bootstrap_servers", "kafka:99999"),
        ("watched_certificates", "database.example.no"),
        ("identity_internal_url", ""),
        ("kafka_security_protocol", "TLS"),
        ("port", 0),
        ("internal_port", 65_536),
    ],
)
def test_what_can_not_be_is_refused_and_the_setting_is_named(name, value):
    with pytest.raises(ValidationError) as refused:
        ServiceSettings(**({"database_url": DSN} | {name: value}))
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


@pytest.mark.parametrize(
    "written", ["https://Min.Example.no", "https://min.example.no/", "https://min.example.no:443", "HTTPS://min.example.no"]
)
def test_a_public_address_is_the_same_however_it_is_written(written):
    """INVARIANT: two agencies that mean the same host say the same issuer, the same way back, the same origin."""
    assert ServiceSettings(database_url=DSN, helpjourney_url=written).public_url("helpjourney") == "https://min.example.no"


def test_a_back_channel_may_lie_below_a_path():
    base = "http://[fd00::1]:8443/identity/"
    assert ServiceSettings(database_url=DSN, identity_internal_url=base).identity_internal_url == base


def test_production_is_told_where_kafka_is(tmp_path):
    """A typing error in the setting's name would else lead to this machine, where nobody answers and facts wait."""
    with pytest.raises(ValidationError, match="KAFKA_BOOTSTRAP_SERVERS"):
        ServiceSettings(**{name: value for name, value in SAFE.items() if name != "kafka_bootstrap_servers"}, keys_dir=tmp_path)


def test_the_back_channel_is_the_public_address_where_nothing_else_is_said():
    told = ServiceSettings(**{name: value for name, value in SAFE.items() if name != "identity_internal_url"})
    assert told.identity_internal_url == SAFE["identity_url"]
    assert ServiceSettings(**SAFE).identity_internal_url == SAFE["identity_internal_url"]


def test_a_place_to_die_at_must_exist():
    assert ServiceSettings(database_url=DSN, crash_at="relay.acked:2").crash_at == "relay.acked:2"
    with pytest.raises(ValidationError, match="nowhere"):
        ServiceSettings(database_url=DSN, crash_at="nowhere")


def test_production_refuses_generated_keys(tmp_path):
    (tmp_path / "GENERATED").touch()
    with pytest.raises(ValidationError, match="KEYS_DIR"):
        ServiceSettings(**SAFE, keys_dir=tmp_path)


def test_a_password_is_not_shown():
    """INVARIANT: neither settings nor their errors show the database password."""
    assert "canary-password" not in repr(ServiceSettings(database_url=DSN))
    with pytest.raises(ValidationError) as refused:
        ServiceSettings(database_url="mysql://somebody:canary-password@x/y")
    assert "canary-password" not in str(refused.value)


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(MissingKeyError, match=r"service\.key"):
        _ = Keys(tmp_path).service
    (tmp_path / "vault.key").write_bytes(b"short")
    with pytest.raises(MissingKeyError, match="32 bytes"):
        _ = Keys(tmp_path).vault


def published(use: str, **times: float) -> dict[str, object]:
    return {**ECKey.generate_key("P-256", parameters={"use": use, "kid": f"{use}-1"}).as_dict(private=False), **times}


def test_only_keys_for_the_use_that_are_valid_now_are_trusted(tmp_path):
    now = time.time()
    keys = [published("enc"), published("sig"), published("enc", exp=now - 1), published("enc", nbf=now + 60)]
    (tmp_path / "dialog.json").write_text(json.dumps({"keys": keys}))
    assert len(Trust(tmp_path).keys("dialog", "enc").keys) == 1
    with pytest.raises(MissingKeyError):
        Trust(tmp_path).keys("info", "enc")


@pytest.mark.parametrize("written", ["half a fi", "[]", '{"keys": {}}', '{"keys": ["a"]}', "{}", "\xff"])
def test_a_trust_file_that_is_none_is_named(tmp_path, written):
    (tmp_path / "dialog.json").write_bytes(written.encode("latin-1"))
    with pytest.raises(MissingKeyError, match=r"dialog\.json: expected a JWK set"):
        Trust(tmp_path).keys("dialog", "sig")
    with pytest.raises(MissingKeyError, match=r"info\.json: No such file"):
        Trust(tmp_path).keys("info", "sig")


def test_a_rotated_key_is_known_without_a_restart(tmp_path, monkeypatch):
    file = tmp_path / "dialog.json"
    file.write_text(json.dumps({"keys": [published("enc")]}))
    trust = Trust(tmp_path)
    before = trust.keys("dialog", "enc").keys[0].as_dict()
    file.write_text(json.dumps({"keys": [published("enc")]}))
    assert trust.keys("dialog", "enc").keys[0].as_dict() == before
    monkeypatch.setattr("servicekit.keys.REREAD", 0.0)
    assert trust.keys("dialog", "enc").keys[0].as_dict() != before
    file.write_text("half a fi")
    assert trust.keys("dialog", "enc").keys


def test_a_setting_may_lie_in_a_file_and_the_environment_goes_first(tmp_path, monkeypatch):
    (tmp_path / "database_url").write_text("postgresql://dialog:secret@there/dialog\n")
    (tmp_path / "kafka_password").write_text("from the file\n")
    monkeypatch.setenv("KAFKA_PASSWORD", "from the environment")
    settings = ServiceSettings(_secrets_dir=tmp_path)
    assert settings.dsn == "postgresql://dialog:secret@there/dialog"
    assert settings.kafka_password.get_secret_value() == "from the environment"

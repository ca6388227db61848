"""What a process stands on is measured: disk, keys, certificates."""

import asyncio
import json
import time

import pytest
from prometheus_client import REGISTRY
from servicekit import surroundings
from servicekit.settings import ServiceSettings
from servicekit.surroundings import endpoints_of, free_ratio, watch_surroundings

from deploy.testing import until
from tests.operations.tls import TlsServer

DSN = "postgresql://nobody@127.0.0.1:1/nothing"


def settings(**changed) -> ServiceSettings:
    return ServiceSettings(database_url=DSN, **changed)


def test_a_folder_that_is_not_there_yet_has_the_room_of_the_disk_it_will_lie_on(tmp_path):
    assert free_ratio(tmp_path / "not" / "yet") == pytest.approx(free_ratio(tmp_path), abs=0.01)
    assert 0 < free_ratio(tmp_path) <= 1


def test_the_servers_that_are_looked_at_are_those_that_a_service_depends_on():
    assert endpoints_of("info", settings()) == []
    changed = {
        "kafka_bootstrap_servers": "kafka-1.example.no:9093,kafka-2.example.no:9093",
        "kafka_security_protocol": "SASL_SSL",
        "identity_internal_url": "https://identity.internal",
        "info_url": "https://www.example.no",
        "watched_certificates": "db.example.no:5432, www.example.no:443",
    }
    found = ["kafka-1.example.no:9093", "kafka-2.example.no:9093", "identity.internal:443", "www.example.no:443", "db.example.no:5432"]
    assert endpoints_of("info", settings(**changed)) == found


async def test_last_days_of_keys_and_certificates_are_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(surroundings, "EVERY_SECONDS", 0.1)
    server, now = TlsServer(tmp_path), time.time()
    server.start(days=3)
    published = [{"use": "sig", "exp": now + 100}, {"use": "sig", "exp": now + 900}, {"use": "enc", "exp": now + 50}]
    (tmp_path / "info.json").write_text(json.dumps({"keys": published}))
    where = settings(
        trust_dir=tmp_path,
        data_dir=tmp_path,
        deletions_dir=tmp_path.parent / "ledger",
        watched_certificates=f"{server.address},127.0.0.1:1",
    )
    watching = asyncio.create_task(watch_surroundings("info", where))

    async def seen() -> bool:
        expiry = REGISTRY.get_sample_value("stegvis_certificate_expiry_timestamp_seconds", {"endpoint": server.address})
        return expiry is not None and abs(expiry - now - 3 * 86_400) < 60

    await until(seen, seconds=20)
    watching.cancel()
    server.stop()
    last = {use: REGISTRY.get_sample_value("stegvis_key_expiry_timestamp_seconds", {"use": use}) for use in ("sig", "enc")}
    for setting in ("DATA_DIR", "DELETIONS_DIR"):
        free = REGISTRY.get_sample_value("stegvis_disk_free_ratio", {"setting": setting})
        assert free == pytest.approx(free_ratio(tmp_path), abs=0.01)
    assert last == {"sig": pytest.approx(now + 900), "enc": pytest.approx(now + 50)}
    assert REGISTRY.get_sample_value("stegvis_certificate_expiry_timestamp_seconds", {"endpoint": "127.0.0.1:1"}) is None


def test_an_agency_that_has_published_nothing_has_keys_that_are_as_good_as_expired(tmp_path):
    assert surroundings._expiries(surroundings.Trust(tmp_path), "info") == {"sig": 0.0, "enc": 0.0}

"""What a process stands on and can run out of: room on its disk, its agency's published keys, certificates it meets."""

import asyncio
import re
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import disk_usage
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from prometheus_client import Gauge

from servicekit.keys import MissingKeyError, Trust
from servicekit.settings import ServiceSettings

EVERY_SECONDS = 5.0
CERTIFICATES_EVERY_SECONDS = 900.0
CONNECT_SECONDS = 5.0

DISK = Gauge("stegvis_disk_free_ratio", "Free share of the disk that DATA_DIR or DELETIONS_DIR lies on, 0-1", ["setting"])
KEYS = Gauge("stegvis_key_expiry_timestamp_seconds", "When the last of the agency's keys for a use expires, epoch seconds", ["use"])
CERTIFICATES = Gauge("stegvis_certificate_expiry_timestamp_seconds", "When the certificate there expires, epoch seconds", ["endpoint"])

log = structlog.get_logger("surroundings")


async def watch_surroundings(service: str, settings: ServiceSettings) -> None:
    """Measure until cancelled."""
    trust, endpoints, looked = Trust(settings.trust_dir), endpoints_of(service, settings), float("-inf")
    while True:
        for setting, folder in (("DATA_DIR", settings.data_dir), ("DELETIONS_DIR", settings.deletions_dir)):
            if folder:
                DISK.labels(setting).set(free_ratio(folder))
        for use, expiry in _expiries(trust, service).items():
            KEYS.labels(use).set(expiry)
        if endpoints and time.monotonic() - looked > CERTIFICATES_EVERY_SECONDS:
            looked = time.monotonic()
            await asyncio.gather(*(_look_at(endpoint) for endpoint in endpoints))
        await asyncio.sleep(EVERY_SECONDS)


def free_ratio(folder: Path) -> float:
    """Of the disk that the folder lies on, or will lie on."""
    usage = disk_usage(_there(folder))
    return usage.free / (usage.used + usage.free) if usage.total else 0.0


def file_system_of(folder: Path) -> str:
    """The kind of what the folder lies on, or will lie on, as proc(5) mountinfo says it: ext4, tmpfs, overlay ... Linux only."""
    there, found, longest = str(_there(folder).resolve()) + "/", "", -1
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        mount, _, source = line.partition(" - ")
        point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), mount.split()[4]).rstrip("/") + "/"
        if there.startswith(point) and len(point) >= longest:  # the later one lies over the earlier one
            found, longest = source.split()[0], len(point)
    return found


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())


def endpoints_of(service: str, settings: ServiceSettings) -> Sequence[str]:
    """host:port of every TLS server that the service depends on or shows itself as: Kafka, identity's back channel, its own address."""
    found = settings.kafka_bootstrap_servers.split(",") if settings.kafka_security_protocol.endswith("SSL") else []
    for url in (settings.identity_internal_url, settings.public_url(service)):
        address = urlsplit(url)
        if address.scheme == "https" and address.hostname:
            found.append(f"{address.hostname}:{address.port or 443}")
    found += [endpoint.strip() for endpoint in settings.watched_certificates.split(",") if endpoint.strip()]
    return list(dict.fromkeys(found))


def _expiries(trust: Trust, service: str) -> dict[str, float]:
    try:
        return trust.expiries(service)
    except MissingKeyError:
        return {"sig": 0.0, "enc": 0.0}  # none that others could use: as good as expired


async def _look_at(endpoint: str) -> None:
    """Whoever signed it: only its last day counts here. One that can't be reached keeps what was seen before."""
    host, _, port = endpoint.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=host)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        CERTIFICATES.labels(endpoint).set(x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp())
    except (OSError, ValueError, TimeoutError) as error:
        log.warning("certificate can't be looked at", endpoint=endpoint, reason=type(error).__name__)

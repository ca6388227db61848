"""Where the parts of one running platform are, and the environment that each service process gets."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.catalogue import SERVICES

from deploy.kafka.access import Access

HOSTS = {
    "info": "localhost",
    "dialog": "snakk.localhost",
    "identity": "logg-inn.localhost",
    "helpjourney": "min.localhost",
    "reporting": "tall.localhost",
}
HOSTS |= {name: f"{name}.localhost" for name in SERVICES if name not in HOSTS}
"""One host name per service, as the agencies have in production. Browsers resolve *.localhost by themselves."""

YOUTH_CLIENT = "stegvis-identity"
STAFF_CLIENT = "stegvis-identity-ansatt"
DEMO_BUCKET_SECONDS = 2

OWN: dict[str, dict[str, str]] = {"info": {"SEED_ON_START": "true"}}
"""What single services get besides."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The ports and addresses of one platform."""

    gateway_port: int
    ports: Mapping[str, int]
    """Public port per service, behind the gateway."""
    internal_ports: Mapping[str, int]
    """Health, metrics and API documents per service."""
    idporten: str
    ansattporten: str

    def url(self, service: str) -> str:
        """The service's public address, without a trailing slash."""
        return f"http://{HOSTS[service]}:{self.gateway_port}"

    def internal(self, service: str) -> str:
        """The base of the service's internal address."""
        return f"http://127.0.0.1:{self.internal_ports[service]}"


def service_environment(service: str, addresses: Addresses, folder: Path, dsn: str, kafka: Access) -> dict[str, str]:
    """The whole environment of one service process: nothing of ours is inherited but the search path."""
    data = folder / "data" / "services" / service
    data.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(data),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",  # threads' own heaps cost memory and gain nothing here
        "STEGVIS_MODE": "demo",
        "DATABASE_URL": dsn,
        "PORT": str(addresses.ports[service]),
        "INTERNAL_PORT": str(addresses.internal_ports[service]),
        "IDENTITY_INTERNAL_URL": f"http://127.0.0.1:{addresses.ports['identity']}",
        "KEYS_DIR": str(folder / "keys" / service),
        "TRUST_DIR": str(folder / "trust"),
        "DATA_DIR": str(data),
        "BORDER_BUCKET_SECONDS": str(DEMO_BUCKET_SECONDS),
    }
    environment |= kafka.environment
    environment |= {f"{name.upper()}_URL": addresses.url(name) for name in SERVICES}
    if service == "identity":
        environment |= {
            "IDPORTEN_ISSUER": addresses.idporten,
            "IDPORTEN_CLIENT_ID": YOUTH_CLIENT,
            "ANSATTPORTEN_ISSUER": addresses.ansattporten,
            "ANSATTPORTEN_CLIENT_ID": STAFF_CLIENT,
        }
    return environment | OWN.get(service, {})

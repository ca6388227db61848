"""`python -m deploy.containers.prepare`: what the containers are given: keys, passwords, and the settings of Kafka, gateway and login."""

import base64
import json
import os
import secrets
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from contracts.catalogue import SERVICES

from deploy.commands import Command, a_port
from deploy.containers.authority import Authority, write_private
from deploy.gateway.caddyfile import Certificate, Route, caddyfile
from deploy.kafka.broker import common, security
from deploy.kafka.principals import PASSWORD_FILE
from deploy.local.environment import HOSTS, STAFF_CLIENT, YOUTH_CLIENT
from deploy.local.keys import kafka_passwords, make_keys
from deploy.local.oidc.launcher import Client
from deploy.local.oidc.persons import people

ROOT = Path(__file__).parents[2]
STATE = ROOT / ".local" / "containers"
DEFAULT_PORT = 8080
DEFAULT_KAFKA_PORT = 19092
HOLD_SECONDS = 10
"""How long the gateway keeps a request for a service that is being replaced."""
ISSUERS = {"idporten": 9101, "ansattporten": 9102}
"""Issuer -> its port in the login's container."""
SERVICE_UID, POSTGRES_UID, KAFKA_UID = 10001, 999, 1000
"""The accounts in the containers: the services' images' own, and those of the official images."""


def prepare(state: Path = STATE, port: int = DEFAULT_PORT, kafka_port: int = DEFAULT_KAFKA_PORT) -> None:
    """Fills the folder; keys and passwords that are there stay, for they belong to stores that may be there as well."""
    state.mkdir(parents=True, exist_ok=True)
    make_keys(state)
    authority = Authority(state / "authority", authority_of(state))
    for name in SERVICES:
        _database_secrets(state, name)
        _secret(state / "secrets" / name / "kafka_password", kafka_passwords(state)[name])
        _secret(state / "secrets" / "setup" / name / PASSWORD_FILE, kafka_passwords(state)[name])
    prepare_kafka(state, kafka_port, authority)
    _gateway(state / "gateway", port, authority)
    _login(state / "login", port)
    _give(state)


def environment(state: Path, port: int, kafka_port: int, project: str) -> dict[str, str]:
    """What docker-compose.yml asks the environment for."""
    return {
        "STEGVIS_STATE": str(state),
        "STEGVIS_PROJECT": project,
        "GATEWAY_PORT": str(port),
        "KAFKA_PORT": str(kafka_port),
    }


def password_of(state: Path, name: str) -> str:
    """The password of a service's database role."""
    return (state / "secrets" / f"{name}-postgres" / "role").read_text()


def admin_password(state: Path) -> str:
    """The password of Kafka's administrator."""
    return (state / "kafka" / "admin.password").read_text()


def authority_of(state: Path) -> Path:
    """PEM of who signs for Kafka and the gateway: every service's trust."""
    return state / "trust" / "authority.pem"


def _database_secrets(state: Path, name: str) -> None:
    folder = state / "secrets" / f"{name}-postgres"
    for role in ("superuser", "role"):
        if not (folder / role).exists():
            _secret(folder / role, secrets.token_hex(24))
    _secret(state / "secrets" / name / "database_url", f"postgresql://{name}:{password_of(state, name)}@{name}-postgres:5432/{name}")


def prepare_kafka(state: Path, kafka_port: int, authority: Authority | None = None) -> None:
    """What one node reads, in `state`/kafka. `kafka_port`: where this machine finds it. `authority`: signs for it; None: without TLS."""
    folder = state / "kafka"
    if not (folder / "cluster.id").exists():
        _secret(folder / "cluster.id", base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
        _secret(folder / "admin.password", secrets.token_urlsafe(32))
    _secret(state / "secrets" / "setup" / "admin.password", admin_password(state))
    protocol, tls = "SASL_PLAINTEXT", dict[str, object]()
    if authority:
        protocol, tls = "SASL_SSL", _kafka_tls(folder, authority)
    settings: Mapping[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@127.0.0.1:9093",  # one node: its controller listens to nobody else
        "listeners": "CLIENTS://0.0.0.0:9092,HOST://0.0.0.0:19092,CONTROLLER://127.0.0.1:9093",
        "advertised.listeners": f"CLIENTS://kafka:9092,HOST://127.0.0.1:{kafka_port}",
        "inter.broker.listener.name": "CLIENTS",
        "listener.security.protocol.map": f"CONTROLLER:SASL_PLAINTEXT,CLIENTS:{protocol},HOST:{protocol}",
        **tls,
        "log.dirs": "/var/lib/kafka/data/log",
        "auto.create.topics.enable": "false",
        **common(),
        **security(admin_password(state), ("clients", "host")),
    }
    _secret(folder / "server.properties", "".join(f"{name}={value}\n" for name, value in settings.items()))
    _give_to(KAFKA_UID, folder, state)


def _kafka_tls(folder: Path, authority: Authority) -> dict[str, object]:
    """The broker's certificate, and whom it trusts itself when it calls itself."""
    authority.sign(folder / "tls.pem", folder / "tls.pem", ("kafka", "localhost", "127.0.0.1"))
    _secret(folder / "authority.pem", authority.file.read_text())
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": "/run/kafka/tls.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/run/kafka/authority.pem",
    }


def _gateway(folder: Path, port: int, authority: Authority) -> None:
    routes = {name: Route(HOSTS[name], f"{name}-serve:8000") for name in SERVICES}
    routes |= {name: Route(f"{name}.localhost", f"login:{inside}") for name, inside in ISSUERS.items()}
    folder.mkdir(parents=True, exist_ok=True)
    authority.sign(folder / "tls.pem", folder / "tls.key", [route.host for route in routes.values()])
    inside = Path("/etc/caddy")
    text = caddyfile(
        port,
        routes,
        "0.0.0.0",  # noqa: S104
        Path("/srv/static"),
        catalogue=Path("/srv/catalogue"),
        hold=HOLD_SECONDS,
        certificate=Certificate(inside / "tls.pem", inside / "tls.key"),
    )
    (folder / "Caddyfile").write_text(text)


def _login(folder: Path, port: int) -> None:
    identity, jwks = f"https://{HOSTS['identity']}:{port}", Path("/run/trust/identity.json")
    out = [f"{identity}/logget-ut"]
    clients = {
        "idporten": Client(YOUTH_CLIENT, jwks, [f"{identity}/tilbake/idporten"], out, f"{identity}/bakkanal/idporten"),
        "ansattporten": Client(STAFF_CLIENT, jwks, [f"{identity}/tilbake/ansattporten"], out),
    }
    settings = {
        name: {**client.registration(ISSUERS[name]), "issuer": f"https://{name}.localhost:{port}", "bind": "0.0.0.0"}  # noqa: S104
        for name, client in clients.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "login.json").write_text(json.dumps({**settings, "youths": people()["youths"]}, indent=1))


def _secret(file: Path, text: str) -> None:
    if not file.exists() or file.read_text() != text:
        write_private(file, text.encode())


def _give(state: Path) -> None:
    """Each folder to the account that reads it; nobody else may look. What is public is for all."""
    owners = {state / "gateway": SERVICE_UID, state / "login": SERVICE_UID}
    owners |= {state / "keys" / name: SERVICE_UID for name in SERVICES}
    owners |= {folder: SERVICE_UID for folder in (state / "secrets").iterdir() if not folder.name.endswith("-postgres")}
    owners |= {state / "secrets" / f"{name}-postgres": POSTGRES_UID for name in SERVICES}
    for folder, uid in owners.items():
        _give_to(uid, folder, state)
    _open(state / "trust")


def _give_to(uid: int, folder: Path, state: Path) -> None:
    """Only root can. Else whoever gets the folder may read it, and nobody else comes through `state`, which is closed to others."""
    if os.geteuid() == 0:
        folder.chmod(0o700)
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, uid, uid)
    else:
        state.chmod(0o700)
        _open(folder)


def _open(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def main() -> int:
    """Writes the folder and says what to start with."""
    parser = Command(prog="python -m deploy.containers.prepare", description=__doc__)
    parser.add_argument("--port", type=a_port, default=DEFAULT_PORT, help="the gateway's (GATEWAY_PORT)")
    parser.add_argument("--kafka-port", type=a_port, default=DEFAULT_KAFKA_PORT, help="the administrator's way in (KAFKA_PORT)")
    options = parser.parse_args()
    prepare(STATE, options.port, options.kafka_port)
    file = STATE / "environment"
    file.write_text("".join(f"{name}={value}\n" for name, value in environment(STATE, options.port, options.kafka_port, "stegvis").items()))
    print(f"containers: prepared {STATE}; next: docker compose --env-file {file} up -d")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

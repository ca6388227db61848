"""What must hold before a process begins. What doesn't is told in one line that names the setting; nothing starts half.

What only a person can mend ends the process. What may come right by itself (a database that is migrated later, a principal that is made
later) is waited for, unready: nothing depends on the order in which parts are started.
"""

import asyncio
import os
import ssl
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from aiokafka.conn import create_conn
from aiokafka.errors import AuthenticationFailedError, KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from servicekit.clock import ahead
from servicekit.database import create_engine
from servicekit.delivery.kafka_access import client_options
from servicekit.keys import KeyFile, Keys, MissingKeyError, Trust
from servicekit.revisions import lacking
from servicekit.settings import ServiceSettings
from servicekit.stopping import unless
from servicekit.surroundings import file_system_of

MOST_CLOCK_SECONDS = 60.0
"""How far the clock here may be off the database's."""
AGAIN_SECONDS = 2.0
SAY_AGAIN_SECONDS = 60.0
CONNECT_MS = 5_000
PASSING_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs", "overlay", "aufs"})
"""Memory, and a container's own writable layer."""
PROBE_BYTES = 64 * 1024

_REFUSALS = {
    "28P01": "the database refuses the user or the password",
    "28000": "the database refuses the user",
    "3D000": "there is no such database",
    "42501": "the user may not do this there",
    "53100": "the disk of the database is full",
    "55P03": "somebody holds a lock in the database that is needed",
}
"""SQLSTATE (PostgreSQL, appendix A) -> what it means here."""

log = structlog.get_logger("start")


class RefusedError(Exception):
    """The process can't start like this; the text says what is wrong and which setting it is, in one line."""


def check_files(settings: ServiceSettings, keys: Iterable[KeyFile], *, writes: bool) -> None:
    """Keys can be read; DATA_DIR can be written to, if the service `writes` there, and so can TRACES_FILE. Raises RefusedError."""
    here = Keys(settings.keys_dir)
    try:
        for name in keys:
            here.check(name)
    except MissingKeyError as error:
        raise RefusedError(f"KEYS_DIR: {error}") from None
    if writes:
        _write_and_forget("DATA_DIR", settings.data_dir)
    if settings.traces_file:
        if settings.traces_file.is_dir():
            raise RefusedError(f"TRACES_FILE: {settings.traces_file} is a folder")
        _write_and_forget("TRACES_FILE", settings.traces_file.parent)
    if settings.kafka_ca_file:
        try:
            ssl.create_default_context(cafile=str(settings.kafka_ca_file))
        except OSError as error:
            raise RefusedError(f"KAFKA_CA_FILE: {settings.kafka_ca_file} can't be read as PEM ({error.strerror or error})") from None


def check_trust(service: str, settings: ServiceSettings) -> None:
    """All agencies' public keys are there, this one's own among them: a folder that isn't mounted holds none. Raises RefusedError."""
    try:
        Trust(settings.trust_dir).expiries(service)
    except MissingKeyError as error:
        raise RefusedError(f"TRUST_DIR: {error}; this agency's own public keys belong there, beside the others'") from None


def check_kafka_password(settings: ServiceSettings) -> None:
    """SASL needs a name and a password. Raises RefusedError."""
    if settings.kafka_security_protocol.startswith("SASL"):
        for name, value in (("KAFKA_USERNAME", settings.kafka_username), ("KAFKA_PASSWORD", settings.kafka_password)):
            if not value:
                raise RefusedError(f"{name}: needed with KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol}")


def check_ledger(settings: ServiceSettings) -> None:
    """Deletions can be noted outside the database; what no backup reaches back to is forgotten. Raises RefusedError.

    Production wants a folder that outlives process and machine: what was deleted would else come back with a restored database.
    """
    try:
        if not settings.is_demo:
            _check_lasting(settings.deletions_dir)
        settings.ledger.check()
        settings.ledger.forget_old()
    except OSError as error:
        raise RefusedError(f"DELETIONS_DIR: nothing can be noted there ({error.strerror})") from None


def _check_lasting(folder: Path | None) -> None:
    if folder is None:
        raise RefusedError("DELETIONS_DIR: needed in production: a disk that isn't the database's, shared by the service's processes")
    kind = file_system_of(folder)
    if kind in PASSING_FILE_SYSTEMS:
        raise RefusedError(f"DELETIONS_DIR: {folder} lies on {kind} and is gone with this process: production needs a disk that stays")


def _write_and_forget(setting: str, folder: Path) -> None:
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RefusedError(f"{setting}: {folder}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            probe.unlink()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands in the way now."""

    setting: str
    reason: str


@dataclass(slots=True)
class Ground:
    """Waits until the database, its schema, the clock and the broker's trust are as the process needs them."""

    service: str
    settings: ServiceSettings
    uses_kafka: bool
    found: Obstacle | None = field(default=None, init=False)

    async def wait(self, stop: asyncio.Event) -> bool:
        """Until everything holds; False when `stop` came first. Says what is in the way when that changes, and once a minute."""
        said_at = float("-inf")
        while not stop.is_set():
            found = await unless(stop, self._look())
            if found is None:
                return not stop.is_set()
            if found != self.found or time.monotonic() - said_at > SAY_AGAIN_SECONDS:
                said_at = time.monotonic()
                log.error("not started yet", setting=found.setting, reason=found.reason)
            self.found = found
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_SECONDS)
        return False

    async def _look(self) -> Obstacle | None:
        engine = create_engine(self.settings.dsn, f"{self.service} start", pool_size=1)
        try:
            found = await of_database(self.service, engine)
        finally:
            await engine.dispose()  # the next look is a new connection, with what the database is set to then
        return found or (await of_broker(self.settings) if self.uses_kafka else None)


async def of_database(service: str, engine: AsyncEngine) -> Obstacle | None:
    """It answers, has the revision that this code needs or a newer one, and tells about the same time."""
    try:
        async with asyncio.timeout(CONNECT_MS / 1000), engine.connect() as connection:
            lacks = await lacking(connection, service)
            if lacks:
                return Obstacle("DATABASE_URL", f"the database lacks revision {lacks}: run python -m {service} migrate")
            off = await ahead(connection)
    except Exception as error:  # drivers let through whatever the network throws
        return Obstacle("DATABASE_URL", reason_of(error))
    if abs(off) <= MOST_CLOCK_SECONDS:
        return None
    which = "ahead of" if off > 0 else "behind"
    reason = f"the clock here is {abs(off):.0f} s {which} the database's, at most {MOST_CLOCK_SECONDS:.0f} s may be: set it right"
    return Obstacle("DATABASE_URL", reason)


def reason_of(error: Exception) -> str:
    """Why a database can't be used, without what its message quotes."""
    found = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(found, "sqlstate", "") or "")
    return _REFUSALS.get(state, f"the database can't be used ({state or type(found).__name__})")


async def of_broker(settings: ServiceSettings) -> Obstacle | None:
    """It trusts us and we trust it. A broker that is away is none: what is told waits in the outbox."""
    options = client_options(settings)
    for address in str(options.pop("bootstrap_servers")).split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            connection = await create_conn(host, int(port), client_id="start", request_timeout_ms=CONNECT_MS, **options)
        except ssl.SSLCertVerificationError as error:
            return Obstacle("KAFKA_CA_FILE", f"the certificate of {address} isn't trusted: {error.verify_message}")
        except ssl.SSLError as error:
            return Obstacle("KAFKA_SECURITY_PROTOCOL", f"{address} doesn't speak TLS as it should ({error.reason})")
        except UnsupportedSaslMechanismError:
            return Obstacle("KAFKA_SASL_MECHANISM", f"{address} doesn't know {settings.kafka_sasl_mechanism}")
        except (AuthenticationFailedError, SaslAuthenticationFailed):
            return Obstacle("KAFKA_PASSWORD", f"{address} refuses the user {settings.kafka_username} or its password")
        except ConnectionResetError:  # a plain listener hangs up on a TLS handshake
            if "ssl_context" in options:
                return Obstacle("KAFKA_SECURITY_PROTOCOL", f"{address} hangs up on TLS")
        except ValueError:
            return Obstacle("KAFKA_BOOTSTRAP_SERVERS", f"{address} is no host:port")
        except (OSError, KafkaError, TimeoutError):
            continue
        with closing(connection):
            return None
    return None

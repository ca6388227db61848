"""The environment that every service process has; a service adds its own in its `settings.py`."""

import os
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, PostgresDsn, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from servicekit import addresses, crash
from servicekit.deletions import Ledger

FULL_BUCKET = 3600
SECRETS_DIR = Path(os.environ.get("SECRETS_DIR", "/run/secrets"))
"""A file per setting, named like it: `database_url`, `kafka_password`. Read where the environment doesn't name the setting."""

PUBLIC = ("info_url", "dialog_url", "identity_url", "helpjourney_url", "reporting_url")


class Mode(StrEnum):
    """Where the process runs. Production refuses everything that is only good enough for a demonstration."""

    DEMO = "demo"
    PRODUCTION = "production"


class UnsafeSettingsError(ValueError):
    """Production was asked to start with something that only a demonstration may use. The message names the setting."""


class ServiceSettings(BaseSettings):
    """Read from the environment, without a prefix, or from the files of SECRETS_DIR: each process has an environment of its own."""

    model_config = SettingsConfigDict(hide_input_in_errors=True, extra="ignore", secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None)

    stegvis_mode: Mode = Mode.DEMO
    database_url: SecretStr = Field(description="postgresql://... of this service's own database")
    kafka_bootstrap_servers: str = Field(default="127.0.0.1:9092", description="host:port, comma-separated")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="PLAINTEXT, SASL_PLAINTEXT, or SASL_SSL in production"
    )
    kafka_sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-256", description="How the password is proven (RFC 5802): the cluster keeps it for one of these. Strimzi's: 512"
    )
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = Field(default=None, description="PEM of who signs the broker's certificate; default: those of the system")
    bind_host: str = Field(default="127.0.0.1", description="Address that both ports listen on")
    port: int = Field(default=8000, ge=1, le=65_535, description="Pages and public API")
    internal_port: int = Field(default=9000, ge=1, le=65_535, description="/livez, /readyz, /metrics, /docs; never through the gateway")
    info_url: str = "http://localhost:8080"
    dialog_url: str = "http://snakk.localhost:8080"
    identity_url: str = Field(default="http://logg-inn.localhost:8080", description="The issuer's public name (OpenID Connect Core, iss)")
    helpjourney_url: str = "http://min.localhost:8080"
    reporting_url: str = "http://tall.localhost:8080"
    identity_internal_url: str = Field(
        default="http://logg-inn.localhost:8080", description="Base of identity's back channel; IDENTITY_URL where it isn't said"
    )
    keys_dir: Path = Field(default=Path(".local/keys"), description="This agency's private keys, 0700")
    trust_dir: Path = Field(default=Path(".local/trust"), description="<agency>.json, a JWKS each, reread every 30 s")
    data_dir: Path = Field(default=Path(".local/data"), description="Files that the service writes itself")
    deletions_dir: Path | None = Field(
        default=None,
        description="The ledger of deletions: not on the database's disk, shared by the service's processes; DATA_DIR/deletions",
    )
    border_bucket_seconds: int = Field(default=FULL_BUCKET, gt=0, description="Width of the time buckets at the border, seconds")
    quick_exit_url: str = Field(default="https://www.yr.no/", description="Where the quick exit leads")
    shared_page_seconds: float = Field(
        default=2, ge=0, le=10, description="How long an open page is given to all who read without cookies before it's made anew; 0: never"
    )
    relay_shards: Literal[1, 2, 4, 8, 16] = Field(default=1, description="Relays side by side, each with its share of the keys")
    clock_offset_seconds: float = Field(default=0, description="Moves the database clock in tests, seconds")
    traces_file: Path | None = Field(default=None, description="Spans as JSON lines, besides or instead of OTLP")
    otel_exporter_otlp_endpoint: str | None = Field(default=None, description="Base URL of an OTLP/HTTP collector")
    watched_certificates: str = Field(
        default="", description="host:port, comma-separated: more TLS servers whose certificates' last day is shown, e.g. the database's"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    crash_at: str | None = Field(
        default=None, description="Die at a named place, in tests: `<place>` or `<place>:<nth visit>` (servicekit.crash)"
    )

    @property
    def clock_offset(self) -> timedelta:
        return timedelta(seconds=self.clock_offset_seconds)

    @property
    def ledger(self) -> Ledger:
        """What was deleted and must not come back with a restored database."""
        return Ledger(self.deletions_dir or self.data_dir / "deletions")

    @property
    def traces(self) -> bool:
        """Whether spans go anywhere."""
        return bool(self.otel_exporter_otlp_endpoint or self.traces_file)

    @property
    def is_demo(self) -> bool:
        return self.stegvis_mode is Mode.DEMO

    @property
    def dsn(self) -> str:
        """The database URL in clear, for drivers only."""
        return self.database_url.get_secret_value()

    def public_url(self, service: str) -> str:
        """The public address of one of the five services, without a trailing slash."""
        return str(getattr(self, f"{service}_url")).rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _of_postgresql(cls, setting: SecretStr) -> SecretStr:
        PostgresDsn(setting.get_secret_value())
        return setting

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _hosts_with_ports(cls, setting: str) -> str:
        if not all(map(addresses.has_port, setting.split(","))):
            raise ValueError("host:port is needed, or several with commas between")
        return setting

    @field_validator("watched_certificates")
    @classmethod
    def _hosts_with_ports_or_none(cls, setting: str) -> str:
        return cls._hosts_with_ports(setting) if setting.strip() else ""

    @field_validator(*PUBLIC)
    @classmethod
    def _a_host(cls, setting: str) -> str:
        return addresses.origin(setting)

    @field_validator("identity_internal_url")
    @classmethod
    def _a_base(cls, setting: str) -> str:
        return addresses.base(setting)

    @field_validator("quick_exit_url")
    @classmethod
    def _an_address(cls, setting: str) -> str:
        return addresses.address(setting)

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _a_base_or_none(cls, setting: str | None) -> str | None:
        return addresses.base(setting) if setting else None

    @field_validator("crash_at")
    @classmethod
    def _a_known_place(cls, setting: str | None) -> str | None:
        if setting:
            crash.parse(setting)
        return setting or None

    @model_validator(mode="after")
    def _the_public_way_in(self) -> Self:
        if "identity_internal_url" not in self.model_fields_set:
            self.identity_internal_url = self.identity_url
        return self

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.is_demo:
            return self
        self._hosts_of_their_own()
        if urlsplit(self.identity_internal_url).scheme != "https":
            raise UnsafeSettingsError("IDENTITY_INTERNAL_URL must be https in production")
        if "kafka_bootstrap_servers" not in self.model_fields_set:
            raise UnsafeSettingsError("KAFKA_BOOTSTRAP_SERVERS must be said in production: a demonstration's is on this machine")
        if not self.kafka_security_protocol.endswith("SSL"):
            raise UnsafeSettingsError(f"KAFKA_SECURITY_PROTOCOL must not be {self.kafka_security_protocol} in production")
        if self.border_bucket_seconds < FULL_BUCKET:
            raise UnsafeSettingsError(f"BORDER_BUCKET_SECONDS must be at least {FULL_BUCKET} in production")
        if self.clock_offset_seconds:
            raise UnsafeSettingsError("CLOCK_OFFSET_SECONDS must be 0 in production")
        if self.crash_at:
            raise UnsafeSettingsError("CRASH_AT must not be set in production")
        if (self.keys_dir / "GENERATED").exists():
            raise UnsafeSettingsError("KEYS_DIR holds keys that were generated for a demonstration; production needs the agency's own")
        return self

    def _hosts_of_their_own(self) -> None:
        hosts: dict[str | None, str] = {}
        for name in PUBLIC:
            address = urlsplit(getattr(self, name))
            if address.scheme != "https":
                raise UnsafeSettingsError(f"{name.upper()} must be https in production")
            if (other := hosts.setdefault(address.hostname, name)) != name:
                raise UnsafeSettingsError(f"{name.upper()} must not have the host of {other.upper()} in production: cookies reach both")

"""How a client reaches a cluster: address, transport and principal, in the words of each client library."""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

SCRAM = "SCRAM-SHA-256"
OPEN = "PLAINTEXT"


@dataclass(frozen=True, slots=True)
class Access:
    """One principal's way to one cluster; without a user name it is nobody's."""

    bootstrap: str
    """host:port, comma-separated."""
    protocol: str = OPEN
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: Path | None = None
    """PEM of who signs the brokers' certificates; None: one of the system's."""

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Access":
        """As the environment says, by the names that services have for their own: KAFKA_BOOTSTRAP_SERVERS and so on."""
        return cls(
            environment["KAFKA_BOOTSTRAP_SERVERS"],
            environment.get("KAFKA_SECURITY_PROTOCOL", OPEN),
            environment.get("KAFKA_USERNAME"),
            environment.get("KAFKA_PASSWORD"),
            Path(environment["KAFKA_CA_FILE"]) if environment.get("KAFKA_CA_FILE") else None,
        )

    def principal(self, username: str, password: str) -> "Access":
        """The same cluster, as somebody else."""
        return replace(self, username=username, password=password)

    @property
    def aiokafka(self) -> dict[str, Any]:
        """Settings of an aiokafka client."""
        tls = {"ssl_context": ssl.create_default_context(cafile=self.authority)} if self.protocol.endswith("SSL") else {}
        return {**self._address_and_principal, **tls}

    @property
    def _address_and_principal(self) -> dict[str, Any]:
        if self.username is None:
            return {"bootstrap_servers": self.bootstrap, "security_protocol": self.protocol}
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.protocol,
            "sasl_mechanism": SCRAM,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }

    @property
    def librdkafka(self) -> dict[str, Any]:
        """Settings of a confluent-kafka client."""
        names = {
            "bootstrap_servers": "bootstrap.servers",
            "security_protocol": "security.protocol",
            "sasl_mechanism": "sasl.mechanism",
            "sasl_plain_username": "sasl.username",
            "sasl_plain_password": "sasl.password",
        }
        tls = {"ssl.ca.location": str(self.authority)} if self.authority else {}
        return {**{names[name]: value for name, value in self._address_and_principal.items()}, **tls}

    @property
    def environment(self) -> dict[str, str]:
        """What a service process reads."""
        found = {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap, "KAFKA_SECURITY_PROTOCOL": self.protocol}
        if self.username is not None and self.password is not None:
            found |= {"KAFKA_USERNAME": self.username, "KAFKA_PASSWORD": self.password}
        if self.authority is not None:
            found["KAFKA_CA_FILE"] = str(self.authority)
        return found

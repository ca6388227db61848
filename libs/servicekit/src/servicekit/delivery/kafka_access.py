"""How a service reaches Kafka: address, transport and principal, for producers and for FastStream's broker."""

import ssl
from typing import Any

from faststream.security import BaseSecurity, SASLScram256, SASLScram512

from servicekit.settings import ServiceSettings

_SCRAM = {"SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}


def client_options(settings: ServiceSettings) -> dict[str, Any]:
    """Settings of an aiokafka client."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = _context(settings)
    if settings.kafka_username and settings.kafka_password:
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def broker_security(settings: ServiceSettings) -> BaseSecurity | None:
    """The same for FastStream; None = plain."""
    context = _context(settings) if settings.kafka_security_protocol.endswith("SSL") else None
    if settings.kafka_username and settings.kafka_password:
        scram = _SCRAM[settings.kafka_sasl_mechanism]
        return scram(settings.kafka_username, settings.kafka_password.get_secret_value(), ssl_context=context, use_ssl=bool(context))
    return BaseSecurity(ssl_context=context, use_ssl=True) if context else None


def _context(settings: ServiceSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(settings.kafka_ca_file) if settings.kafka_ca_file else None)

"""How a service reaches Kafka: address, transport and principal."""

import ssl
from typing import Any

from servicekit.settings import ServiceSettings


def client_options(settings: ServiceSettings) -> dict[str, Any]:
    """Settings of an aiokafka client."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        options["ssl_context"] = tls_context(settings)
    if settings.kafka_username and settings.kafka_password:
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def tls_context(settings: ServiceSettings) -> ssl.SSLContext:
    """Trusts who signs the broker's certificate."""
    return ssl.create_default_context(cafile=str(settings.kafka_ca_file) if settings.kafka_ca_file else None)

"""Makes each agency's private keys on first start, and publishes the public halves, as every agency does for itself in production."""

import json
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from contracts.catalogue import SERVICES
from joserfc.jwk import ECKey, RSAKey

from deploy.kafka.principals import PASSWORD_FILE

LIFE_SECONDS = 365 * 86_400
"""How long a generated key is valid."""
SKEW_SECONDS = 300
"""A key is valid this long before it was made, so that a clock a little behind takes it."""
GENERATED = "GENERATED"
"""A file of this name beside the keys makes production refuse them."""


def make_keys(folder: Path, agencies: Iterable[str] = SERVICES) -> None:
    """Fills `folder`/keys/<agency> (0700, files 0600) and `folder`/trust/<agency>.json; what is there already stays.

    Private: `sig.jwk` (RSA 2048, RS256), `enc.jwk` (EC P-256, ECDH-ES), `service.key` and `vault.key` (32 random bytes each),
    `kafka.password` (of its principal).
    Public: a JWKS with use, alg, kid, nbf and exp (epoch seconds).
    """
    trust = folder / "trust"
    trust.mkdir(parents=True, exist_ok=True)
    for agency in agencies:
        private = folder / "keys" / agency
        private.mkdir(parents=True, exist_ok=True)
        private.parent.chmod(0o700)
        private.chmod(0o700)
        if not (private / PASSWORD_FILE).exists():
            _write(private / PASSWORD_FILE, secrets.token_urlsafe(32).encode())
        published = trust / f"{agency}.json"
        if (private / GENERATED).exists() and published.exists():
            continue
        _make(agency, private, published)


def kafka_passwords(folder: Path, agencies: Iterable[str] = SERVICES) -> dict[str, str]:
    """The password of each agency's principal, as `make_keys` made it."""
    return {agency: (folder / "keys" / agency / PASSWORD_FILE).read_text() for agency in agencies}


def _make(agency: str, private: Path, published: Path) -> None:
    now = int(time.time())
    life = {"nbf": now - SKEW_SECONDS, "exp": now + LIFE_SECONDS}
    suffix = secrets.token_hex(4)
    signing = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": f"{agency}-sig-{suffix}"}, private=True)
    encryption = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES", "kid": f"{agency}-enc-{suffix}"}, private=True)
    _write(private / "sig.jwk", json.dumps(signing.as_dict(private=True)).encode())
    _write(private / "enc.jwk", json.dumps(encryption.as_dict(private=True)).encode())
    _write(private / "service.key", secrets.token_bytes(32))
    _write(private / "vault.key", secrets.token_bytes(32))
    public = [{**key.as_dict(private=False), **life} for key in (signing, encryption)]
    half = published.with_suffix(".half")  # readers reread these files while they run
    half.write_text(json.dumps({"keys": public}, indent=1))
    half.replace(published)
    _write(private / GENERATED, b"Made for a demonstration or a test. Production refuses these keys.\n")


def _write(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)

"""Agencies for tests: a folder of private keys each, and what they publish in a common trust folder."""

import json
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, RSAKey


def make_agency(name: str, folder: Path) -> tuple[Path, Path]:
    """Keys in `folder/keys/<name>` and `folder/trust/<name>.json`. Returns (KEYS_DIR, TRUST_DIR)."""
    keys, trust = folder / "keys" / name, folder / "trust"
    keys.mkdir(parents=True, mode=0o700)
    trust.mkdir(exist_ok=True)
    signing, encryption = _key_pair(name)
    (keys / "sig.jwk").write_text(json.dumps(signing.as_dict(private=True)))
    (keys / "enc.jwk").write_text(json.dumps(encryption.as_dict(private=True)))
    for raw in ("service.key", "vault.key"):
        (keys / raw).write_bytes(secrets.token_bytes(32))
    published: list[Any] = [signing.as_dict(private=False), encryption.as_dict(private=False)]
    (trust / f"{name}.json").write_text(json.dumps({"keys": published}))
    return keys, trust


@lru_cache
def _key_pair(name: str) -> tuple[RSAKey, ECKey]:
    """Made once per process and agency: an RSA key takes a while."""
    signing = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": f"{name}-sig-1"})
    encryption = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES", "kid": f"{name}-enc-1"})
    return signing, encryption

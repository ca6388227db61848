"""`python -m <service> keys FOLDER`: makes an agency's own keys, and the file of public halves that every agency gets.

`--beside` its published file: new pairs for a rotation, published beside what is still valid there. The two keys of 32 bytes are left alone
then: what they have wrapped could never be read again.
"""

import argparse
import json
import os
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

from joserfc.jwk import ECKey, RSAKey

LIFE_SECONDS = 365 * 86_400
"""How long a key is valid."""
SKEW_SECONDS = 300
"""A key is valid this long before it was made, so that a clock a little behind takes it."""


class FolderInUseError(Exception):
    """There is something in the folder: a key that is written over is lost."""

    def __str__(self) -> str:
        return f"{self.args[0]} isn't empty: keys are made in a folder of their own"


def parse(service: str, words: Sequence[str]) -> argparse.Namespace:
    """What stands behind `keys`. Exits with 2 where it makes no sense."""
    parser = argparse.ArgumentParser(prog=f"python -m {service} keys", description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder: private keys, and <service>.json, which is for everybody")
    parser.add_argument("--beside", type=Path, metavar="FILE", help="for a rotation: the file that is published now, trust/<service>.json")
    return parser.parse_args(words)


def keys(service: str, asked: argparse.Namespace) -> str:
    """Does what was asked for; one line that says what was made. Raises FolderInUseError, OSError, ValueError."""
    valid = _still_valid(asked.beside) if asked.beside else None
    asked.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(asked.folder.iterdir()):
        raise FolderInUseError(asked.folder)
    published = asked.folder / f"{service}.json"
    if valid is None:
        make(service, asked.folder, published)
        made = "sig.jwk, enc.jwk, service.key and vault.key for KEYS_DIR alone"
    else:
        suffix = make_pairs(service, asked.folder, published, beside=valid)
        (asked.folder / "enc.jwk").rename(asked.folder / f"enc-{suffix}.jwk")
        made = f"sig.jwk and enc-{suffix}.jwk for KEYS_DIR alone"
    return f"{made}; {published.name} for every agency's TRUST_DIR (docs/runbooks/key-expires.md); all in {asked.folder}"


def make(agency: str, private: Path, published: Path) -> None:
    """Private: `sig.jwk` (RSA 2048, RS256), `enc.jwk` (EC P-256, ECDH-ES), `service.key` and `vault.key` (32 random bytes each), all 0600.

    Public: a JWK set with use, alg, kid, nbf and exp (epoch seconds).
    """
    make_pairs(agency, private, published)
    for name in ("service.key", "vault.key"):
        _write(private / name, secrets.token_bytes(32))


def make_pairs(agency: str, private: Path, published: Path, beside: Sequence[dict[str, object]] = ()) -> str:
    """The two pairs of `make`; the public halves stand last, so they are the newest. Returns what their key ids end with."""
    now, suffix = int(time.time()), secrets.token_hex(4)
    life = {"nbf": now - SKEW_SECONDS, "exp": now + LIFE_SECONDS}
    signing = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": f"{agency}-sig-{suffix}"}, private=True)
    encryption = ECKey.generate_key("P-256", {"use": "enc", "alg": "ECDH-ES", "kid": f"{agency}-enc-{suffix}"}, private=True)
    _write(private / "sig.jwk", json.dumps(signing.as_dict(private=True)).encode())
    _write(private / "enc.jwk", json.dumps(encryption.as_dict(private=True)).encode())
    public = [*beside, *({**key.as_dict(private=False), **life} for key in (signing, encryption))]
    half = published.with_suffix(".half")  # readers reread these files while they run
    half.write_text(json.dumps({"keys": public}, indent=1))
    half.replace(published)
    return suffix


def _still_valid(published: Path) -> list[dict[str, object]]:
    keys: list[dict[str, object]] = json.loads(published.read_bytes())["keys"]
    return [key for key in keys if float(str(key.get("exp", "inf"))) > time.time()]


def _write(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(content)

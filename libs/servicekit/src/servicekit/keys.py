"""An agency's private keys, and the public keys of all agencies, reread while the process runs."""

import json
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from joserfc.jwk import ECKey, KeySet, RSAKey

REREAD = 30.0
"""Seconds after which a trust file is read again, so that a rotated key is known without a restart."""

Use = Literal["sig", "enc"]
KeyFile = Literal["sig.jwk", "enc.jwk", "service.key", "vault.key"]
Jwk = dict[str, str | list[str]]


class MissingKeyError(RuntimeError):
    """A key file is missing or unreadable; the message names the file."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The private keys in KEYS_DIR: `sig.jwk` and `enc.jwk` (private JWKs), `service.key` and `vault.key` (32 raw bytes each).

    While keys are rotated `enc-<anything>.jwk` beside `enc.jwk` open as well: what was sealed before is on its way for weeks.
    """

    directory: Path

    @property
    def signing(self) -> RSAKey:
        """RS256 key for client assertions and, at identity, tokens."""
        return _rsa(self._read("sig.jwk"))

    @property
    def encryption(self) -> tuple[ECKey, ...]:
        """P-256 keys that others encrypt to (ECDH-ES)."""
        return tuple(_ec(self._read(name)) for name in self._of("enc.jwk"))

    @property
    def service(self) -> bytes:
        """32 bytes from which what is shown once (receipts, claim codes) is derived."""
        return self._raw("service.key")

    @property
    def vault(self) -> bytes:
        """32 bytes that wrap the data key of each conversation."""
        return self._raw("vault.key")

    def check(self, name: KeyFile) -> None:
        """Raises MissingKeyError if the file isn't there, can't be read, or isn't what its name says."""
        if name.endswith(".key"):
            self._raw(name)
            return
        for file in self._of(name):
            try:
                private = "d" in json.loads(self._read(file))
            except ValueError:
                private = False
            if not private:
                raise MissingKeyError(f"{self.directory / file}: expected a private JWK")

    def _of(self, name: str) -> list[str]:
        """The file itself and, of keys that open, those beside it."""
        return [name, *(sorted(file.name for file in self.directory.glob("enc-*.jwk")) if name == "enc.jwk" else ())]

    def _raw(self, name: str) -> bytes:
        key = self._read(name)
        if len(key) != 32:
            raise MissingKeyError(f"{self.directory / name}: expected 32 bytes")
        return key

    def _read(self, name: str) -> bytes:
        try:
            return (self.directory / name).read_bytes()
        except OSError as error:
            raise MissingKeyError(f"{self.directory / name}: {error.strerror}") from error


@lru_cache(maxsize=4)
def _rsa(jwk: bytes) -> RSAKey:
    """By the file's content, so that a new key is used at once: checking an RSA key takes tens of milliseconds."""
    return RSAKey.import_key(json.loads(jwk))


@lru_cache(maxsize=4)
def _ec(jwk: bytes) -> ECKey:
    return ECKey.import_key(json.loads(jwk))


@dataclass(slots=True)
class Trust:
    """The public keys that the agencies published, one JWKS a file, with `use`, `kid`, `nbf` and `exp` (epoch seconds)."""

    directory: Path
    _read_at: dict[str, float] = field(default_factory=dict)
    _entries: dict[str, list[Jwk]] = field(default_factory=dict)

    def keys(self, agency: str, use: Use) -> KeySet:
        """The agency's keys for one use that are valid now. Raises MissingKeyError if there is none."""
        now = time.time()
        valid = [jwk for jwk in self._published(agency) if jwk.get("use") == use and _covers(jwk, now)]
        if not valid:
            raise MissingKeyError(f"{self.directory / (agency + '.json')}: no valid key for {use}")
        return KeySet.import_key_set({"keys": [_plain(jwk) for jwk in valid]})

    def expiries(self, agency: str) -> dict[str, float]:
        """Use -> when the last key that the agency published for it expires, epoch seconds; infinity: never. Raises MissingKeyError."""
        last: dict[str, float] = {}
        for jwk in self._published(agency):
            use, expiry = str(jwk.get("use")), float(str(jwk.get("exp", "inf")))
            if use in ("sig", "enc"):
                last[use] = max(last.get(use, 0.0), expiry)
        return last

    def _published(self, agency: str) -> list[Jwk]:
        if time.monotonic() - self._read_at.get(agency, -REREAD) >= REREAD:
            file = self.directory / f"{agency}.json"
            try:
                self._entries[agency] = _key_set(file.read_bytes())
                self._read_at[agency] = time.monotonic()
            except (OSError, ValueError) as error:
                if agency not in self._entries:
                    why = error.strerror if isinstance(error, OSError) else "expected a JWK set"
                    raise MissingKeyError(f"{file}: {why}") from error
        return self._entries[agency]


def _key_set(written: bytes) -> list[Jwk]:
    """The keys of a JWK set (RFC 7517, 5). Raises ValueError."""
    found = json.loads(written)
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(jwk, dict) for jwk in keys):
        raise ValueError
    return keys


def _covers(jwk: Jwk, now: float) -> bool:
    return float(str(jwk.get("nbf", 0))) <= now < float(str(jwk.get("exp", "inf")))


def _plain(jwk: Jwk) -> Jwk:
    return {name: value for name, value in jwk.items() if name not in {"nbf", "exp"}}

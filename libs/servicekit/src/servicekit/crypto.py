"""Derivations, field encryption, sealing to another agency, and codes that people can type. Knows no service."""

import hmac
import json
import secrets
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

KEY_BYTES = 32
NONCE_BYTES = 12
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CROCKFORD_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


class CannotOpenError(Exception):
    """Wrong key, or the text was altered."""


def hkdf(secret: bytes, label: str, length: int = KEY_BYTES, salt: bytes | None = None) -> bytes:
    """HKDF-SHA-256 (RFC 5869) of `secret` for one purpose."""
    return HKDF(SHA256(), length, salt, label.encode()).derive(secret)


def derive(service_key: bytes, request_key: bytes, label: str, length: int = KEY_BYTES) -> bytes:
    """What a request shows once, from its idempotency key and a key of the service: a repeat shows the same, no table holds it."""
    return hkdf(service_key, label, length, salt=request_key)


def keyed_hash(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over parts that can't run into each other."""
    mac = hmac.new(key, digestmod=sha256)
    for part in parts:
        mac.update(len(part).to_bytes(8, "big") + part)
    return mac.digest()


def stretch(typed: bytes, salt: bytes) -> bytes:
    """argon2id of something short that a person typed (RFC 9106, second recommended option: 64 MiB, 3 passes)."""
    return Argon2id(salt=salt, length=KEY_BYTES, iterations=3, lanes=4, memory_cost=64 * 1024).derive(typed)


def encrypt(key: bytes, text: bytes, context: bytes) -> bytes:
    """AES-256-GCM; the random nonce stands first. `context` (table, column, row) must be the same to decrypt."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text, context)


def decrypt(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """The text of `encrypt`. Raises CannotOpenError."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise CannotOpenError from error


@dataclass(frozen=True, slots=True)
class Vault:
    """Wraps one data key per conversation: when the wrapped key is deleted, the text is gone, also from backups of other tables."""

    wrapping_key: bytes

    def new_key(self, context: bytes) -> bytes:
        """A new data key, wrapped, to be stored on the conversation's row."""
        return encrypt(self.wrapping_key, secrets.token_bytes(KEY_BYTES), b"data key|" + context)

    def encrypt(self, wrapped: bytes, text: str, context: bytes) -> bytes:
        """Text under the conversation's data key; `context` is the one that the key was made with."""
        return encrypt(self._unwrap(wrapped, context), text.encode(), b"text|" + context)

    def decrypt(self, wrapped: bytes, sealed: bytes, context: bytes) -> str:
        """Raises CannotOpenError."""
        return decrypt(self._unwrap(wrapped, context), sealed, b"text|" + context).decode()

    def _unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return decrypt(self.wrapping_key, wrapped, b"data key|" + context)


def pad(text: bytes, to: int) -> bytes:
    """Length-prefixed and filled up, so that the length says nothing. Raises ValueError if it doesn't fit."""
    if len(text) + 4 > to:
        raise ValueError("too long to pad")
    return len(text).to_bytes(4, "big") + text + bytes(to - 4 - len(text))


def unpad(padded: bytes) -> bytes:
    """The inverse of `pad`."""
    return padded[4 : 4 + int.from_bytes(padded[:4], "big")]


def seal(text: bytes, receiver: KeySet) -> str:
    """JWE compact (ECDH-ES, A256GCM) to the newest key of another agency."""
    key = receiver.keys[-1]
    return jwe.encrypt_compact({"alg": "ECDH-ES", "enc": "A256GCM", "kid": key.kid}, text, key)


def open_sealed(token: str, *own: ECKey) -> bytes:
    """The text of `seal`, by whichever of the keys it was sealed to. Raises CannotOpenError."""
    for key in own:
        with suppress(JoseError, ValueError):
            return jwe.decrypt_compact(token, key, algorithms=["ECDH-ES", "A256GCM"]).plaintext or b""
    raise CannotOpenError


def to_crockford(number: bytes, characters: int) -> str:
    """The first `characters` x 5 bits as Crockford base32 (no I, L, O, U)."""
    bits = int.from_bytes(number, "big") >> (len(number) * 8 - characters * 5)
    return "".join(CROCKFORD[(bits >> 5 * place) & 31] for place in reversed(range(characters)))


def read_crockford(typed: str) -> str:
    """As a person may have typed it: letters and digits alone, whatever stands between them, upper case, O as 0, I and L as 1, U as V."""
    kept = filter(str.isalnum, unicodedata.normalize("NFKC", typed).upper())
    return "".join(kept).translate(CROCKFORD_LOOK_ALIKES)


def check_character(code: str) -> str:
    """One character that catches a wrong or swapped one (weights 1, 2, 3 ... modulo 31; only 0 and Z look the same to it)."""
    return CROCKFORD[sum(weight * CROCKFORD.index(letter) for weight, letter in enumerate(code, 1)) % 31]


def grouped(code: str, size: int = 4) -> str:
    """A code as it is shown: groups of four with hyphens between."""
    return "-".join(code[start : start + size] for start in range(0, len(code), size))


def b64(raw: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Raises ValueError on anything that isn't base64url."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def canonical(fields: Sequence[tuple[str, str]]) -> bytes:
    """Name-value pairs as bytes, the same for the same pairs in any order."""
    return json.dumps(sorted(fields), ensure_ascii=False, separators=(",", ":")).encode()

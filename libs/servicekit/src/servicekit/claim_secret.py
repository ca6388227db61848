"""The arithmetic of a claim that two services share: the giver makes a secret, the receiver recognises and opens with it.

A secret is 256 random bits, or a code that a person can type on another device: 16 Crockford characters, of which 3 find the
offer (locator), 12 are secret (60 bits, hence argon2id and a limit on tries) and 1 is a check character.
"""

from dataclasses import dataclass
from hashlib import sha256

from joserfc.jwk import ECKey, KeySet

from servicekit.crypto import (
    CROCKFORD,
    b64,
    check_character,
    decrypt,
    encrypt,
    grouped,
    hkdf,
    open_sealed,
    pad,
    read_crockford,
    seal,
    stretch,
    to_crockford,
    unb64,
    unpad,
)

SECRET_BYTES = 32
LOCATOR = 3
SECRET_CHARACTERS = 12
CODE_LENGTH = LOCATOR + SECRET_CHARACTERS + 1
PADDED = 4096
"""Bytes of every sealed summary, whatever its length."""
MOST_SUMMARY = PADDED - 4
"""Bytes of UTF-8 that a summary may have."""


class MalformedSecretError(ValueError):
    """Not a claim secret or code: wrong length, alphabet or check character."""


@dataclass(frozen=True, slots=True)
class TypedCode:
    """A claim code as a person types it."""

    locator: str
    secret: str

    def __str__(self) -> str:
        body = self.locator + self.secret
        return grouped(body + check_character(body))

    @classmethod
    def from_random(cls, random: bytes) -> "TypedCode":
        """From at least 10 random bytes."""
        letters = to_crockford(random, LOCATOR + SECRET_CHARACTERS)
        return cls(letters[:LOCATOR], letters[LOCATOR:])

    @classmethod
    def read(cls, typed: str) -> "TypedCode":
        """Raises MalformedSecretError; look-alikes, spaces and hyphens are forgiven."""
        code = read_crockford(typed)
        if len(code) != CODE_LENGTH or any(letter not in CROCKFORD for letter in code) or check_character(code[:-1]) != code[-1]:
            raise MalformedSecretError
        return cls(code[:LOCATOR], code[LOCATOR:-1])

    def stretched(self, salt: bytes) -> bytes:
        """The secret that the code stands for, given the offer's salt (16 bytes). Takes about 0.1 s and 64 MiB on purpose."""
        return stretch(self.secret.encode(), salt)


def read_secret(text: str) -> bytes:
    """A 256-bit secret from its base64url form. Raises MalformedSecretError."""
    try:
        secret = unb64(text)
    except ValueError as error:
        raise MalformedSecretError from error
    if len(secret) != SECRET_BYTES:
        raise MalformedSecretError
    return secret


def write_secret(secret: bytes) -> str:
    """A 256-bit secret as 43 base64url characters."""
    return b64(secret)


def lookup_hash(secret: bytes) -> str:
    """What the offer is found by: SHA-256 of HKDF(secret, "lookup"), hexadecimal. Says nothing about the secret."""
    return sha256(hkdf(secret, "lookup")).hexdigest()


def seal_summary(summary: str, secret: bytes, receiver: KeySet) -> str:
    """Encrypt under the secret and then to the receiver: neither alone can read it. At most MOST_SUMMARY bytes of UTF-8."""
    return seal(encrypt(hkdf(secret, "summary"), pad(summary.encode(), PADDED), b"summary"), receiver)


def open_summary(sealed: str, secret: bytes, *own: ECKey) -> str:
    """Raises servicekit.crypto.CannotOpenError."""
    return unpad(decrypt(hkdf(secret, "summary"), open_sealed(sealed, *own), b"summary")).decode()

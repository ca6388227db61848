"""What a service remembers of a login or logout on its way through identity: in an encrypted cookie of its own, for ten minutes."""

import json
import secrets
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Self

from servicekit.crypto import CannotOpenError, b64, decrypt, encrypt, hkdf, unb64

LOGIN_COOKIE = "__Host-innlogging"
LOGOUT_COOKIE = "__Host-utlogging"
SECONDS = 600


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One start of a login."""

    state: str
    nonce: str
    verifier: str
    """PKCE code verifier (RFC 7636), 64 characters."""
    who: str
    """youth or staff: the scope that is asked for."""
    level: str
    back: str
    """Path on this host to go on to."""
    fresh: bool
    """The person must prove who she is now, whatever sessions live in this browser."""
    started_at: float
    """Epoch seconds."""

    @classmethod
    def begin(cls, who: str, level: str, back: str, *, fresh: bool) -> Self:
        state, nonce, verifier = (b64(secrets.token_bytes(size)) for size in (32, 32, 48))
        return cls(state, nonce, verifier, who, level, back, fresh, time.time())

    @property
    def challenge(self) -> str:
        """S256 of the verifier."""
        return b64(sha256(self.verifier.encode()).digest())

    def sealed(self, service_key: bytes) -> str:
        """The cookie's value."""
        return _sealed(asdict(self), service_key, LOGIN_COOKIE)

    @classmethod
    def opened(cls, value: str, service_key: bytes) -> Self | None:
        """None if it isn't ours, was altered, or is too old."""
        found = _opened(value, service_key, LOGIN_COOKIE)
        if found is None or not 0 <= time.time() - found["started_at"] + 1 <= SECONDS:
            return None
        return cls(**found)


def sealed_sid(sid: str, service_key: bytes) -> str:
    """Which login identity shall end, for the cookie that leads from our logout to identity's."""
    return _sealed({"sid": sid}, service_key, LOGOUT_COOKIE)


def opened_sid(value: str, service_key: bytes) -> str | None:
    """The inverse; None if it isn't ours."""
    found = _opened(value, service_key, LOGOUT_COOKIE)
    return str(found["sid"]) if found else None


def _sealed(content: dict[str, Any], service_key: bytes, name: str) -> str:
    return b64(encrypt(hkdf(service_key, name), json.dumps(content).encode(), name.encode()))


def _opened(value: str, service_key: bytes, name: str) -> dict[str, Any] | None:
    try:
        opened: dict[str, Any] = json.loads(decrypt(hkdf(service_key, name), unb64(value), name.encode()))
    except (CannotOpenError, ValueError):
        return None
    return opened

"""What identity remembers while a browser is at a provider: in an encrypted cookie per login, for ten minutes; no row, no trace."""

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Self

from servicekit.crypto import CannotOpenError, b64, decrypt, encrypt, hkdf, unb64

SECONDS = 600
_LABEL = "upstream attempt"
_NAME = re.compile(r"__Host-forsok-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login on its way through a provider."""

    sent: Mapping[str, str]
    """The client's request as it came; read again on the way back."""
    provider: str
    state: str
    nonce: str
    verifier: str
    asked_at: int
    """Epoch seconds."""

    @classmethod
    def begin(cls, sent: Mapping[str, str], provider: str) -> Self:
        state, nonce, verifier = (b64(secrets.token_bytes(size)) for size in (32, 32, 48))
        return cls(dict(sent), provider, state, nonce, verifier, int(time.time()))

    @property
    def challenge(self) -> str:
        """S256 of the verifier."""
        return b64(sha256(self.verifier.encode()).digest())

    @property
    def asked(self) -> datetime:
        return datetime.fromtimestamp(self.asked_at, UTC)

    def sealed(self, service_key: bytes) -> str:
        """The cookie's value."""
        return b64(encrypt(hkdf(service_key, _LABEL), json.dumps(asdict(self)).encode(), self.state.encode()))

    @classmethod
    def opened(cls, value: str, state: str, service_key: bytes) -> Self | None:
        """None if it isn't ours, belongs to another state, or is too old."""
        try:
            found = cls(**json.loads(decrypt(hkdf(service_key, _LABEL), unb64(value), state.encode())))
        except (CannotOpenError, ValueError, TypeError):
            return None
        return found if 0 <= time.time() - found.asked_at + 1 <= SECONDS else None


def begun(cookies: Mapping[str, str]) -> int:
    """How many logins a browser has begun and not finished."""
    return sum(1 for name in cookies if _NAME.fullmatch(name))


def cookie_name(state: str) -> str:
    """Each login has its own cookie, so that two windows don't disturb each other."""
    return f"__Host-forsok-{sha256(state.encode()).hexdigest()[:16]}"

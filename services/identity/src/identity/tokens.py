"""The JWTs that identity signs for services: ID tokens (OpenID Connect Core 2) and access tokens (RFC 9068)."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from joserfc import jwt
from servicekit.keys import Keys

from identity.handlers.tokens import Grant
from identity.store.logins import Login, open_claims

ACCESS_SECONDS = 300
ID_SECONDS = 300
ALGORITHM = "RS256"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Identity as the signer of tokens."""

    name: str
    """The public address: `iss`."""
    keys: Keys

    def answer(self, grant: Grant) -> dict[str, Any]:
        """The body of the token endpoint's answer."""
        return {
            "access_token": self._access_token(grant.login),
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "refresh_token": grant.refresh_token,
            "id_token": self._id_token(grant.login, grant.nonce),
            "scope": f"openid {grant.login.scope}",
        }

    def _id_token(self, login: Login, nonce: str | None) -> str:
        claims = {**self._about(login), **({"nonce": nonce} if nonce else {})}
        return self._signed(claims, "JWT", ID_SECONDS)

    def _access_token(self, login: Login) -> str:
        about = self._about(login)
        about.pop("birthdate", None)
        extra = {"client_id": login.reader, "scope": f"openid {login.scope}", "jti": str(uuid4())}
        return self._signed({**about, **extra}, "at+jwt", ACCESS_SECONDS)

    def _about(self, login: Login) -> dict[str, Any]:
        return {
            "iss": self.name,
            "aud": login.reader,
            "sub": str(login.subject),
            "sid": str(login.sid),
            "acr": login.level,
            "auth_time": int(login.auth_time.timestamp()),
            **open_claims(self.keys.vault, login),
        }

    def _signed(self, claims: dict[str, Any], typ: str, seconds: int) -> str:
        key, now = self.keys.signing, int(time.time())
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": typ}, {**claims, "iat": now, "exp": now + seconds}, key)

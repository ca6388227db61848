"""The back channel to identity, the one call from service to service: codes and refresh tokens for tokens (OpenID Connect)."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import structlog
from fastapi import FastAPI
from joserfc import jwt

from servicekit.keys import Keys, MissingKeyError, Trust
from servicekit.settings import ServiceSettings
from servicekit.web.tokens import InvalidTokenError, read_claims

log = structlog.get_logger("login")

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
ASSERTION_SECONDS = 60
"""Life of a client assertion (RFC 7523)."""
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class RefusedByIdentityError(Exception):
    """Identity answered no, or with something that doesn't hold."""


class IdentityAwayError(Exception):
    """Identity could not be asked."""


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What identity's token endpoint gave, with the ID token already checked."""

    claims: dict[str, Any]
    refresh: str | None
    issued_at: float
    """Epoch seconds on this service's clock."""

    def kept(self) -> dict[str, Any]:
        """What the session keeps of it, sealed."""
        return {"refresh": self.refresh, "issued_at": self.issued_at}


@dataclass(frozen=True, slots=True)
class IdentityClient:
    """This service as identity's client."""

    client_id: str
    settings: ServiceSettings
    keys: Keys
    trust: Trust

    @classmethod
    def of(cls, app: FastAPI) -> Self:
        return cls(app.state.service.name, app.state.settings, app.state.keys, app.state.trust)

    @property
    def issuer(self) -> str:
        """Identity's public name."""
        return self.settings.public_url("identity")

    @property
    def redirect_uri(self) -> str:
        return self.settings.public_url(self.client_id) + "/logg-inn/tilbake"

    def authorize_url(self, **parameters: str) -> str:
        """Where the browser goes to log in."""
        fixed = {"response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect_uri}
        return f"{self.issuer}/authorize?{urlencode({**fixed, **parameters})}"

    def end_session_url(self, sid: str) -> str:
        """Where the browser goes to log out everywhere; `sid` shows that the wish is its own (RP-Initiated Logout, logout_hint)."""
        back = self.settings.public_url(self.client_id) + "/"
        return f"{self.issuer}/end_session?{urlencode({'client_id': self.client_id, 'logout_hint': sid, 'post_logout_redirect_uri': back})}"

    async def exchange(self, code: str, verifier: str, nonce: str) -> TokenAnswer:
        """Raises RefusedByIdentityError, IdentityAwayError."""
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "code_verifier": verifier}
        return await self._tokens(asked, nonce=nonce)

    async def renew(self, refresh: str) -> TokenAnswer:
        """Raises RefusedByIdentityError, IdentityAwayError."""
        return await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh})

    async def revoke(self, refresh: str) -> None:
        """Tell identity that this login is over, without the browser (RFC 7009). Raises IdentityAwayError."""
        await self._post("/revoke", {"token": refresh, "token_type_hint": "refresh_token"})

    async def _tokens(self, asked: dict[str, str], **expected: str) -> TokenAnswer:
        answer = await self._post("/token", asked)
        if answer.status_code != 200:
            raise RefusedByIdentityError
        try:
            body = answer.json()
            keys = await asyncio.to_thread(self.trust.keys, "identity", "sig")
            claims = read_claims(body["id_token"], keys, typ="JWT", issuer=self.issuer, audience=self.client_id, **expected)
            return TokenAnswer(claims, body.get("refresh_token"), self._now())
        except MissingKeyError as error:
            log.error("identity's key is missing", setting="TRUST_DIR", reason=str(error))
            raise RefusedByIdentityError from error
        except (ValueError, KeyError, TypeError, InvalidTokenError) as error:
            raise RefusedByIdentityError from error

    async def _post(self, path: str, fields: dict[str, str]) -> httpx.Response:
        base = self.settings.identity_internal_url.rstrip("/")
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, verify=_tls(), trust_env=False) as client:
                answer = await client.post(base + path, data={**fields, **self._proof()})
        except httpx.HTTPError as error:
            raise IdentityAwayError from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise IdentityAwayError
        return answer

    def _now(self) -> float:
        return time.time() + self.settings.clock_offset_seconds

    def _proof(self) -> dict[str, str]:
        """private_key_jwt (OpenID Connect Core, 9), addressed to the issuer."""
        key, now = self.keys.signing, int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "jti": str(uuid4()), "iat": now}
        assertion = jwt.encode({"alg": "RS256", "kid": key.kid}, {**claims, "exp": now + ASSERTION_SECONDS}, key)
        return {"client_id": self.client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()

"""Identity as a relying party of the upstream providers: discovery, PAR, PKCE, private_key_jwt, and the checks of what comes back."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from servicekit.keys import Keys

from identity.domain.providers import Proof, ProviderPolicy, Staff

TIMEOUT = httpx.Timeout(8.0, connect=3.0)
METADATA_SECONDS = 86_400
"""How long a provider's metadata and keys are believed (ID-porten asks for 24 h)."""
KEYS_AGAIN_SECONDS = 30
"""At most this often a key that we don't know makes us ask for the keys again."""
ASSERTION_SECONDS = 60
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
ALGORITHMS = ["RS256"]
LEEWAY = 5


class ProviderAwayError(Exception):
    """The provider could not be asked."""


class BadAnswerError(Exception):
    """The provider's answer doesn't hold: wrong issuer, signature, nonce, audience, time or shape."""


class SpentCodeError(Exception):
    """The provider no longer takes the code: it was used before, or came too late (`invalid_grant`, RFC 6749, 5.2)."""


@dataclass(slots=True)
class Upstream:
    """One provider, as identity's configuration knows it."""

    policy: ProviderPolicy
    issuer: str
    client_id: str
    own_url: str
    """Identity's public address."""
    keys: Keys
    _metadata: tuple[float, dict[str, Any]] | None = None
    _jwks: tuple[float, KeySet] | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def redirect_uri(self) -> str:
        return f"{self.own_url}/tilbake/{self.policy.name}"

    async def login_url(self, *, state: str, nonce: str, challenge: str, level: str, fresh: bool, language: str) -> str:
        """Where the browser goes to log in; the request itself is pushed where the provider takes that. Raises ProviderAwayError."""
        metadata = await self.metadata()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "acr_values": level,
            "ui_locales": language,
            **({"prompt": "login", "max_age": "0"} if fresh else {}),
        }
        if push := metadata.get("pushed_authorization_request_endpoint"):
            asked = {"client_id": self.client_id, "request_uri": await self._push(str(push), asked)}
        return f"{metadata['authorization_endpoint']}?{urlencode(asked)}"

    async def _push(self, endpoint: str, asked: Mapping[str, str]) -> str:
        pushed = await self._post(endpoint, asked)
        if pushed.status_code != 201:
            raise ProviderAwayError(f"pushed request: {pushed.status_code}")
        try:
            return str(pushed.json()["request_uri"])
        except (ValueError, KeyError, TypeError) as error:
            raise ProviderAwayError("pushed request: shape") from error

    async def finish(self, code: str, verifier: str, nonce: str) -> Proof:
        """What the provider vouches for. Raises ProviderAwayError, SpentCodeError, BadAnswerError."""
        metadata = await self.metadata()
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, "code_verifier": verifier}
        answer = await self._post(str(metadata["token_endpoint"]), asked)
        if answer.status_code != 200:
            if _error_of(answer) == "invalid_grant":
                raise SpentCodeError
            raise BadAnswerError(f"token: {answer.status_code}")
        try:
            token = str(answer.json()["id_token"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadAnswerError("token: shape") from error
        claims = await self._claims(token, nonce={"essential": True, "value": nonce}, exp={"essential": True})
        return _proof(claims, self.policy)

    async def logged_out_session(self, logout_token: str) -> tuple[str, str, int]:
        """The provider's session that a back-channel logout token ends, the token's jti and its time. Raises BadAnswerError.

        OpenID Connect Back-Channel Logout 1.0, 2.6.
        """
        claims = await self._claims(logout_token, typ="logout+jwt", jti={"essential": True}, sid={"essential": True})
        if "nonce" in claims or not isinstance(claims.get("events"), dict) or LOGOUT_EVENT not in claims["events"]:
            raise BadAnswerError("logout token: shape")
        if abs(time.time() - int(claims["iat"])) > ASSERTION_SECONDS * 5:
            raise BadAnswerError("logout token: old")
        return str(claims["sid"]), str(claims["jti"]), int(claims["iat"])

    async def logout_url(self, state: str) -> str | None:
        """Where the browser goes to end the provider's own session. No ID token goes along: it would lie in logs with her number."""
        try:
            endpoint = (await self.metadata()).get("end_session_endpoint")
        except ProviderAwayError:
            return None
        query = {"client_id": self.client_id, "post_logout_redirect_uri": f"{self.own_url}/logget-ut", "state": state}
        return f"{endpoint}?{urlencode(query)}" if endpoint else None

    async def metadata(self) -> dict[str, Any]:
        """The provider's configuration, asked for once a day; an older one while the provider is away. Raises ProviderAwayError."""
        async with self._lock:
            if self._metadata is None or time.monotonic() - self._metadata[0] > METADATA_SECONDS:
                try:
                    self._metadata = (time.monotonic(), await self._discovered())
                except ProviderAwayError:
                    if self._metadata is None:
                        raise
            return self._metadata[1]

    async def _discovered(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = (await self._get(f"{self.issuer}/.well-known/openid-configuration")).json()
            same = str(found["issuer"]).rstrip("/") == self.issuer and found["authorization_endpoint"] and found["token_endpoint"]
        except (ValueError, KeyError, TypeError) as error:
            raise ProviderAwayError("metadata: shape") from error
        if not same:
            raise ProviderAwayError("metadata: another issuer")
        return found

    async def _claims(self, token: str, *, typ: str = "JWT", **expected: Any) -> dict[str, Any]:
        try:
            try:
                decoded = jwt.decode(token, await self._keys(), algorithms=ALGORITHMS)
            except InvalidKeyIdError:
                decoded = jwt.decode(token, await self._keys(again=True), algorithms=ALGORITHMS)
            if str(decoded.header.get("typ", "JWT")).lower() != typ.lower():
                raise BadAnswerError("type")
            issuer = str((await self.metadata())["issuer"])
            fixed = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": self.client_id}}
            options: Any = {**fixed, "iat": {"essential": True}, **expected}
            jwt.JWTClaimsRegistry(leeway=LEEWAY, **options).validate(decoded.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise BadAnswerError(type(error).__name__) from error
        return dict(decoded.claims)

    async def _keys(self, *, again: bool = False) -> KeySet:
        metadata = await self.metadata()
        async with self._lock:
            age = time.monotonic() - self._jwks[0] if self._jwks else METADATA_SECONDS + 1
            if self._jwks is None or age > METADATA_SECONDS or (again and age > KEYS_AGAIN_SECONDS):
                self._jwks = (time.monotonic(), KeySet.import_key_set((await self._get(str(metadata["jwks_uri"]))).json()))
            return self._jwks[1]

    async def _get(self, url: str) -> httpx.Response:
        try:
            async with _http() as client:
                return (await client.get(url)).raise_for_status()
        except httpx.HTTPError as error:
            raise ProviderAwayError(type(error).__name__) from error

    async def _post(self, url: str, fields: Mapping[str, str]) -> httpx.Response:
        try:
            async with _http() as client:
                answer = await client.post(url, data={**fields, **self._proof_of_client()})
        except httpx.HTTPError as error:
            raise ProviderAwayError(type(error).__name__) from error
        if answer.status_code >= 500:
            raise ProviderAwayError(str(answer.status_code))
        return answer

    def _proof_of_client(self) -> dict[str, str]:
        """private_key_jwt; ID-porten wants its issuer as the audience."""
        key, now = self.keys.signing, int(time.time())
        issuer = str(self._metadata[1]["issuer"]) if self._metadata else self.issuer
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": issuer, "jti": str(uuid4()), "iat": now}
        assertion = jwt.encode({"alg": "RS256", "kid": key.kid}, {**claims, "exp": now + ASSERTION_SECONDS}, key)
        return {"client_id": self.client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


def _error_of(answer: httpx.Response) -> object:
    try:
        said = answer.json()
    except ValueError:
        return None
    return said.get("error") if isinstance(said, dict) else None


def _proof(claims: Mapping[str, Any], policy: ProviderPolicy) -> Proof:
    try:
        return Proof(
            subject=str(claims["sub"]),
            level=str(claims.get("acr", "")),
            auth_time=datetime.fromtimestamp(int(claims["auth_time"]), UTC),
            session=str(claims["sid"]) if claims.get("sid") else None,
            number=str(claims["pid"]) if policy.gives_number and claims.get("pid") else None,
            staff=_staff(claims) if policy.gives_organisation else None,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise BadAnswerError("claims") from error


def _staff(claims: Mapping[str, Any]) -> Staff | None:
    organisation = str(claims.get("organisation") or "")
    if len(organisation) != 9 or not organisation.isdigit():
        return None
    return Staff(
        organisation=organisation,
        organisation_name=str(claims.get("organisation_name") or ""),
        roles=tuple(str(role) for role in claims.get("roles") or ()),
        hpr_number=str(claims["hpr_number"]) if claims.get("hpr_number") else None,
        unit=UUID(str(claims["unit"])) if claims.get("unit") else None,
    )


def _http() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT, verify=_tls(), trust_env=False)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()

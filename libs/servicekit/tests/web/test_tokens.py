"""Access tokens of API clients: identity's, for this service, in date, or 401."""

import hmac
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from servicekit.crypto import b64
from servicekit.keys import Keys
from servicekit.settings import ServiceSettings

from deploy.testing.browser import Browser

ISSUER = "http://logg-inn.localhost:8080"


def the_claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": "helpjourney",
        "sub": str(uuid4()),
        "client_id": "helpjourney",
        "scope": "openid youth",
        "acr": "idporten-loa-high",
        "sid": str(uuid4()),
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid4()),
    }
    return {name: value for name, value in {**claims, **changed}.items() if value is not None}


def signed(settings: ServiceSettings, claims: dict[str, Any], agency: str = "identity", **header: str) -> str:
    key = Keys(settings.keys_dir.parent / agency).signing
    return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "at+jwt", **header}, claims, key)


def by_shared_secret(secret: bytes, kid: str) -> str:
    """HS256 with the public key as the secret, the classic confusion."""
    header, body = (b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": kid, "typ": "at+jwt"}, the_claims()))
    return f"{header}.{body}.{b64(hmac.digest(secret, f'{header}.{body}'.encode(), 'sha256'))}"


async def status(browser: Browser, token: str) -> tuple[int, str]:
    answer = await browser.get("/api/things", Authorization=f"Bearer {token}", Accept="application/json")
    return answer.status_code, answer.headers.get("www-authenticate", "")


async def test_a_token_of_identity_for_this_service_opens(browser: Browser, settings: ServiceSettings) -> None:
    claims = the_claims()
    answer = await browser.get("/api/things", Authorization=f"Bearer {signed(settings, claims)}")
    assert answer.json() == {"subject": claims["sub"]}


async def test_without_a_token_the_answer_is_a_problem(browser: Browser) -> None:
    answer = await browser.get("/api/things")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "dialog"},
        {"aud": None},
        {"iss": "http://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"iat": int(time.time()) + 86_400},
        {"sub": None},
        {"sub": "not-a-uuid"},
        {"sid": None},
        {"client_id": None},
    ],
)
async def test_a_token_that_is_not_meant_for_this_is_refused(browser: Browser, settings: ServiceSettings, changed: dict[str, Any]) -> None:
    """INVARIANT: a token for another service, of another issuer or out of date opens nothing."""
    assert await status(browser, signed(settings, the_claims(**changed))) == (401, 'Bearer error="invalid_token"')


async def test_a_token_of_another_kind_or_key_is_refused(browser: Browser, settings: ServiceSettings) -> None:
    """INVARIANT: an ID token is no access token; only identity's key signs; a token doesn't choose its algorithm."""
    refused = (401, 'Bearer error="invalid_token"')
    assert await status(browser, signed(settings, the_claims(), typ="JWT")) == refused
    assert await status(browser, signed(settings, the_claims(), agency="helpjourney")) == refused
    public = Keys(settings.keys_dir.parent / "identity").signing
    forged = RSAKey.generate_key(2048, {"kid": str(public.kid)})
    assert await status(browser, jwt.encode({"alg": "RS256", "kid": public.kid, "typ": "at+jwt"}, the_claims(), forged)) == refused
    assert await status(browser, by_shared_secret(public.as_pem(private=False), str(public.kid))) == refused
    for garbage in ("x", "a.b.c", "." * 50, "x" * 10_000):
        assert await status(browser, garbage) == refused

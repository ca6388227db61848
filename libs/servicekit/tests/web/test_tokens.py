"""ID tokens: identity's, for this service and this login, in date, or nothing."""

import hmac
import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from servicekit.crypto import b64
from servicekit.keys import Keys
from servicekit.web.tokens import InvalidTokenError, read_claims

ISSUER, AUDIENCE, NONCE = "http://logg-inn.localhost:8080", "helpjourney", "n-1"


def the_claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "nonce": NONCE, "sub": str(uuid4()), "iat": now, "exp": now + 300}
    return {name: value for name, value in {**claims, **changed}.items() if value is not None}


@pytest.fixture
def identity(agencies: Path) -> RSAKey:
    return Keys(agencies / "keys" / "identity").signing


def signed(key: RSAKey, claims: dict[str, Any], **header: str) -> str:
    return jwt.encode({"alg": "RS256", "kid": str(key.kid), **header}, claims, key)


def by_shared_secret(key: RSAKey) -> str:
    """HS256 with the public key as the secret, the classic confusion."""
    header, body = (b64(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": key.kid}, the_claims()))
    return f"{header}.{body}.{b64(hmac.digest(key.as_pem(private=False), f'{header}.{body}'.encode(), 'sha256'))}"


def read(token: str, identity: RSAKey) -> dict[str, Any]:
    return read_claims(token, KeySet([identity]), typ="JWT", issuer=ISSUER, audience=AUDIENCE, nonce=NONCE)


def test_a_token_of_identity_for_this_login_is_read(identity: RSAKey) -> None:
    claims = the_claims()
    assert read(signed(identity, claims), identity) == claims


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "dialog"},
        {"aud": None},
        {"iss": "http://evil.example"},
        {"nonce": "n-2"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": int(time.time()) + 86_400},
        {"sub": None},
    ],
)
def test_a_token_that_is_not_meant_for_this_is_refused(identity: RSAKey, changed: dict[str, Any]) -> None:
    """INVARIANT: a token for another service or login, of another issuer or out of date opens nothing."""
    with pytest.raises(InvalidTokenError):
        read(signed(identity, the_claims(**changed)), identity)


def test_a_token_of_another_kind_or_key_is_refused(identity: RSAKey, agencies: Path) -> None:
    """INVARIANT: an access token is no ID token; only identity's key signs; a token doesn't choose its algorithm."""
    forged = RSAKey.generate_key(2048, {"kid": str(identity.kid)})
    refused = [
        signed(identity, the_claims(), typ="at+jwt"),
        signed(Keys(agencies / "keys" / "helpjourney").signing, the_claims()),
        signed(forged, the_claims()),
        by_shared_secret(identity),
        *("x", "a.b.c", "." * 50, "x" * 10_000),
    ]
    for token in refused:
        with pytest.raises(InvalidTokenError):
            read(token, identity)

"""Bearer access tokens of API clients (RFC 9068), made by identity for this service and checked without asking it."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from servicekit.keys import MissingKeyError
from servicekit.problems import Problem
from servicekit.web.guards import guard

ALGORITHMS = ["RS256"]
"""Pinned: a token never chooses how it is checked."""
LEEWAY = 5
"""Seconds that two clocks may differ."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a valid token says."""

    subject: UUID
    client_id: str
    scope: frozenset[str]
    level: str
    sid: UUID
    organisation: str | None
    roles: frozenset[str]
    hpr_number: str | None
    unit: UUID | None


class InvalidTokenError(Exception):
    """The token isn't one of identity's, isn't for us, or is out of date."""


def read_claims(token: str, keys: KeySet, *, typ: str, issuer: str, audience: str, **expected: str) -> dict[str, Any]:
    """The claims of a JWT of identity's after all checks: algorithm, type, signature, issuer, audience, time. Raises InvalidTokenError."""
    try:
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        if str(decoded.header.get("typ", "JWT")).lower() != typ.lower():
            raise InvalidTokenError
        values = {"iss": issuer, "aud": audience, **expected}
        required = {name: {"essential": True, "value": value} for name, value in values.items()}
        times = {name: {"essential": True} for name in ("exp", "iat", "sub")}
        jwt.JWTClaimsRegistry(leeway=LEEWAY, **required, **times).validate(decoded.claims)  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise InvalidTokenError from error
    return dict(decoded.claims)


@guard
async def bearer(request: Request) -> AccessToken:
    """The dependency of JSON routes for other programs. 401 as RFC 6750 says."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, headers={"WWW-Authenticate": "Bearer"})
    state = request.app.state
    try:
        keys = state.trust.keys("identity", "sig")
        claims = read_claims(token, keys, typ="at+jwt", issuer=state.settings.public_url("identity"), audience=state.service.name)
        return _access_token(claims)
    except (InvalidTokenError, MissingKeyError, KeyError, ValueError) as error:
        raise Problem(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}) from error


BearerToken = Annotated[AccessToken, Depends(bearer)]


def _access_token(claims: dict[str, Any]) -> AccessToken:
    return AccessToken(
        subject=UUID(claims["sub"]),
        client_id=str(claims["client_id"]),
        scope=frozenset(str(claims["scope"]).split()),
        level=str(claims["acr"]),
        sid=UUID(claims["sid"]),
        organisation=claims.get("organisation"),
        roles=frozenset(claims.get("roles", ())),
        hpr_number=claims.get("hpr_number"),
        unit=UUID(claims["unit"]) if claims.get("unit") else None,
    )

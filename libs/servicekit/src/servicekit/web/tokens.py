"""Tokens that identity signs (JSON Web Tokens, RFC 7519): checked here, without asking it."""

from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256"]
"""Pinned: a token never chooses how it is checked."""
LEEWAY = 5
"""Seconds that two clocks may differ."""


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

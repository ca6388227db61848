"""Services prove who they are by a signed assertion (private_key_jwt, OpenID Connect Core 9), good once and for a minute."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

import structlog
from fastapi import Depends, Request
from joserfc import jws, jwt
from joserfc.errors import JoseError
from servicekit.keys import MissingKeyError
from servicekit.problems import Problem
from servicekit.web.guards import guard
from servicekit.web.transaction import Transaction

from identity.context import Here
from identity.domain.clients import Client
from identity.store.logins import take_assertion

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_LIFE = 120
"""Seconds that an assertion may be valid for; ours are 60."""
LEEWAY = 5
MOST_BYTES = 20_000
log = structlog.get_logger("clients")


class WrongAssertionError(Exception):
    """The message says what, without values."""


@dataclass(frozen=True, slots=True)
class ClientCall:
    """A request of a service that proved who it is."""

    client: Client
    fields: Mapping[str, str]


async def read_fields(request: Request) -> dict[str, str]:
    """A form of at most 20 kB, each name once. Raises Problem."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise Problem(415, "bad_request")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Problem(413, headers={"Connection": "close"})
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise Problem(400) from error
    if len({name for name, _ in pairs}) != len(pairs):
        raise Problem(400)
    return dict(pairs)


@guard
async def authenticated(request: Request, here: Here, begin: Transaction) -> ClientCall | None:
    """The service that calls; None where it doesn't prove who it is: the route then answers `invalid_client`."""
    fields = await read_fields(request)
    try:
        client, claims = _verified(request, here, fields)
        async with begin() as uow:
            expires = datetime.fromtimestamp(int(claims["exp"]) + LEEWAY, UTC)
            if not await take_assertion(uow.connection, client.name, str(claims["jti"]), expires):
                raise WrongAssertionError("replayed")
    except WrongAssertionError as error:
        log.warning("client refused", reason=str(error))
        return None
    return ClientCall(client, fields)


Authenticated = Annotated[ClientCall | None, Depends(authenticated)]


def _verified(request: Request, here: Here, fields: Mapping[str, str]) -> tuple[Client, Mapping[str, Any]]:
    if fields.get("client_assertion_type") != ASSERTION_TYPE:
        raise WrongAssertionError("no assertion")
    assertion = fields.get("client_assertion", "")
    try:
        client = here.clients.get(str(json.loads(jws.extract_compact(assertion.encode()).payload)["iss"]))
        if client is None or fields.get("client_id", client.name) != client.name:
            raise WrongAssertionError("unknown client")
        claims = jwt.decode(assertion, request.app.state.trust.keys(client.name, "sig"), algorithms=["RS256"]).claims
        fixed = {name: {"essential": True, "value": client.name} for name in ("iss", "sub")}
        needed = {name: {"essential": True} for name in ("jti", "exp", "iat")}
        jwt.JWTClaimsRegistry(leeway=LEEWAY, **fixed, **needed).validate(claims)  # type: ignore[arg-type]
    except (JoseError, MissingKeyError, ValueError, KeyError, TypeError) as error:
        raise WrongAssertionError(type(error).__name__) from error
    if claims.get("aud") not in (here.issuer.name, [here.issuer.name]):
        raise WrongAssertionError("audience")
    if int(claims["exp"]) - time.time() > LONGEST_LIFE + LEEWAY:
        raise WrongAssertionError("too long")
    return client, claims

"""Identity as a provider for the services: discovery, keys, tokens, revocation."""

import math
import time
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from servicekit.web.transaction import Transaction

from identity.api.client_authentication import Authenticated
from identity.context import Here
from identity.domain.clients import LANGUAGES, RANKS, Scope
from identity.handlers.endings import EndByToken, end_by_token
from identity.handlers.tokens import ExchangeCode, Grant, Renew, exchange_code, renew
from identity.tokens import ALGORITHM

router = APIRouter(tags=["provider"])
log = structlog.get_logger("tokens")
NO_STORE = {"Cache-Control": "no-store"}


@router.get("/.well-known/openid-configuration", summary="What this provider can do (OpenID Connect Discovery)")
async def discovery(here: Here) -> JSONResponse:
    issuer = here.issuer.name
    told: dict[str, Any] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "revocation_endpoint": f"{issuer}/revoke",
        "end_session_endpoint": f"{issuer}/end_session",
        "jwks_uri": f"{issuer}/jwks",
        "scopes_supported": ["openid", *(scope.value for scope in Scope)],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": list(RANKS),
        "ui_locales_supported": list(LANGUAGES),
        "claims_supported": [
            *("sub", "sid", "acr", "auth_time", "nonce", "birthdate"),
            *("organisation", "organisation_name", "roles", "hpr_number", "unit"),
        ],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    return JSONResponse(told, headers={"Cache-Control": "public, max-age=3600"})


@router.get("/jwks", summary="The public keys that tokens are checked with")
async def jwks(request: Request) -> JSONResponse:
    keys = request.app.state.trust.keys("identity", "sig").as_dict(private=False)
    return JSONResponse(keys, headers={"Cache-Control": "public, max-age=300"})


@router.post("/token", summary="A code or a refresh token for tokens")
async def token(call: Authenticated, here: Here, begin: Transaction) -> JSONResponse:
    if call is None:
        return _refused("invalid_client", 401)
    if wait := here.limits.tokens.take(call.client.name, time.monotonic()):
        log.warning("too many token requests", client=call.client.name)
        return JSONResponse({"error": "temporarily_unavailable"}, 429, {**NO_STORE, "Retry-After": str(math.ceil(wait))})
    fields, grant = call.fields, None
    async with begin() as uow:
        match fields.get("grant_type"):
            case "authorization_code":
                command = ExchangeCode(call.client, fields.get("code", ""), fields.get("redirect_uri", ""), fields.get("code_verifier", ""))
                grant = await exchange_code(command, uow)
            case "refresh_token":
                grant = await renew(Renew(call.client, fields.get("refresh_token", "")), uow)
            case _:
                return _refused("unsupported_grant_type")
    return _answer(here, grant)


@router.post("/revoke", summary="A login is over (RFC 7009)")
async def revoke(call: Authenticated, begin: Transaction) -> JSONResponse:
    if call is None:
        return _refused("invalid_client", 401)
    async with begin() as uow:
        await end_by_token(EndByToken(call.client.name, call.fields.get("token", "")), uow)
    return JSONResponse({}, headers=NO_STORE)


def _answer(here: Here, grant: Grant | None) -> JSONResponse:
    if grant is None:
        return _refused("invalid_grant")
    return JSONResponse(here.issuer.answer(grant), headers=NO_STORE)


def _refused(code: str, status: int = 400) -> JSONResponse:
    """RFC 6749, 5.2; only the code, never what was sent."""
    log.info("token refused", code=code)
    return JSONResponse({"error": code}, status, NO_STORE)

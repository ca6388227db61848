"""Providers tell, without a browser, that a session of theirs is over (OpenID Connect Back-Channel Logout 1.0)."""

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from servicekit.web.guards import guard
from servicekit.web.transaction import Transaction

from identity.api.client_authentication import read_fields
from identity.clients import BadAnswerError, ProviderAwayError
from identity.context import Here
from identity.handlers.endings import EndByProvider, end_by_provider

router = APIRouter(tags=["back channel"])
log = structlog.get_logger("back_channel")


@dataclass(frozen=True, slots=True)
class LogoutCall:
    """A logout token that holds, or the reason why there is none."""

    command: EndByProvider | None


@guard
async def logout_call(request: Request, provider: str, here: Here) -> LogoutCall:
    """Reads and checks the logout token of the provider in the path."""
    fields, upstream = await read_fields(request), here.upstreams.get(provider)
    try:
        if upstream is None:
            raise BadAnswerError("unknown provider")
        session, token_id, issued_at = await upstream.logged_out_session(fields.get("logout_token", ""))
    except (BadAnswerError, ProviderAwayError) as error:
        log.warning("logout token refused", reason=str(error))
        return LogoutCall(None)
    return LogoutCall(EndByProvider(provider, session, token_id, issued_at))


@router.post("/bakkanal/{provider}", summary="A provider's session is over")
async def end_session(call: Annotated[LogoutCall, Depends(logout_call)], begin: Transaction) -> Response:
    headers = {"Cache-Control": "no-store"}
    if call.command is None:
        return JSONResponse({"error": "invalid_request"}, 400, headers)
    async with begin() as uow:
        first = await end_by_provider(call.command, uow)
    return Response(status_code=200, headers=headers) if first else JSONResponse({"error": "invalid_request"}, 400, headers)

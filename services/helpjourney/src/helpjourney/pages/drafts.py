"""The session was over when she pressed "send": what she wrote is kept for her next login, and the page says so."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from servicekit.crypto import b64, unb64
from servicekit.delivery.outbox import Begin
from servicekit.problems import Problem
from servicekit.web.cookie import host_cookie
from servicekit.web.sessions import SessionNow, youth_session
from servicekit.web.submission import Submission, Submitted
from servicekit.web.transaction import Transaction

from helpjourney.handlers.drafts import LIFE, KeepDraft, forget_draft, keep_draft, open_draft
from helpjourney.handlers.presenting import HOLDER_BYTES
from helpjourney.pages.visit import Youth, confirmed_youth, new_holder

COOKIE = "__Host-kladd"
"""The key to what this browser wrote. It opens nothing without a login that owns the journey."""
KEPT = ("unit", "suits", "note", "shares", "reminds", "contact")
MOST_KEPT = 1_000
"""Characters of one field; a longer text isn't a valid wish anyway, and its beginning is kept."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who sent a form, and the form."""

    youth: Youth
    submitted: Submission


async def writer(request: Request, journey_id: UUID, submitted: Submitted, session: SessionNow, begin: Transaction) -> Writer:
    """Like `Confirmed`, but what was written is kept, and a page says so before she logs in again."""
    try:
        return Writer(await confirmed_youth(await youth_session(request, session)), submitted)
    except Problem as problem:
        if problem.status != 303:
            raise
        token = new_holder()
        fields = {name: [value[:MOST_KEPT] for value in submitted.all(name)][:20] for name in KEPT}
        async with begin() as uow:
            await keep_draft(KeepDraft(token, journey_id, fields), uow)
        kept = {
            "Location": f"/reise/{journey_id}/kladd",
            "Set-Cookie": host_cookie(COOKIE, b64(token), int(LIFE.total_seconds())),
        }
        raise Problem(303, problem.code, headers={**problem.headers, **kept}) from problem


WriterNow = Annotated[Writer, Depends(writer)]


def draft_key(request: Request) -> bytes | None:
    """The key that the browser has, if it has one."""
    try:
        token = unb64(request.cookies.get(COOKIE, ""))
    except ValueError:
        return None
    return token if len(token) == HOLDER_BYTES else None


async def draft_for(request: Request, journey_id: UUID, begin: Begin) -> dict[str, tuple[str, ...]] | None:
    """What she wrote for a journey of hers."""
    token = draft_key(request)
    if token is None:
        return None
    async with begin() as uow:
        return await open_draft(token, journey_id, uow)


async def served(request: Request, begin: Begin) -> str | None:
    """The draft is sent or given up: forget it, here and in the browser. A Set-Cookie value, if there was one."""
    token = draft_key(request)
    if token is None:
        return None
    async with begin() as uow:
        await forget_draft(token, uow)
    return host_cookie(COOKIE, "", max_age=0)

"""A form that came too late (its session is over, or another has taken its place): what was written comes back, ready to be sent again.

Not after the quick exit or a logout, and not what was received before: then it is the back button that sends it again, perhaps under
somebody else's finger.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.responses import Response

from servicekit.crypto import unb64
from servicekit.delivery.outbox import Begin
from servicekit.idempotency import is_used
from servicekit.problems import Pages, Problem, reads_pages, respond
from servicekit.web.browser_session import is_left
from servicekit.web.form import Form, new_form
from servicekit.web.interrupted import InterruptedFormError
from servicekit.web.sessions import current_session, login_address
from servicekit.web.submission import HIDDEN, fingerprint_of, key_of, written

TEMPLATE = "webkit/kept.html"


class KeepingPages(Pages, Protocol):
    """Pages that can show what was written."""

    def render(self, request: Request, template: str, status: int = 200, **context: Any) -> Response: ...


def install(app: FastAPI, pages: KeepingPages) -> None:
    """Answer an interrupted form with what was written, if anything was; else as any other problem."""

    @app.exception_handler(InterruptedFormError)
    async def of_interrupted(request: Request, error: InterruptedFormError) -> Response:
        pairs = await written(request) if reads_pages(request) else ()
        fields = {name: value for name, value in pairs if name not in HIDDEN}
        if not any(is_prose(value) for value in fields.values()) or await _is_left(request, dict(pairs)):
            return respond(pages, request, error)
        if await _is_received(request, pairs):
            return respond(pages, request, error if error.who else Problem(409))
        session = await current_session(request)
        form = Form(session.csrf, key_of(dict(pairs)) or new_form(session).key)
        return pages.render(request, TEMPLATE, 403, login=login_address(request, error.who), form=form, **_parts(fields))


async def _is_left(request: Request, sent: Mapping[str, str]) -> bool:
    begin: Begin = request.app.state.begin
    async with begin() as uow:
        return await is_left(uow, sent.get("csrf", ""))


async def _is_received(request: Request, pairs: tuple[tuple[str, str], ...]) -> bool:
    begin: Begin = request.app.state.begin
    key = key_of(dict(pairs))
    async with begin() as uow:
        asked = fingerprint_of(request.app.state.keys.service, request.url.path, pairs)
        return key is not None and await is_used(uow, unb64(key), asked)


def is_prose(value: str) -> bool:
    """Whether a person wrote it: a choice or a code has no space in it."""
    return " " in value or "\n" in value


def _parts(fields: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    return {
        "texts": {name: value for name, value in fields.items() if is_prose(value)},
        "others": {name: value for name, value in fields.items() if not is_prose(value)},
    }

"""Errors over HTTP: RFC 9457 problem documents for programs, pages for people; neither echoes what was sent."""

from collections.abc import Mapping
from typing import Protocol

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from servicekit.database import is_transient
from servicekit.idempotency import KeyReusedError

log = structlog.get_logger("problems")

PROBLEM_PREFIX = "urn:stegvis:problem:"

TITLES: Mapping[str, Mapping[str, str]] = {
    "bad_request": {"nb": "Forespørselen kan ikke leses", "nn": "Førespurnaden kan ikkje lesast", "en": "The request can't be read"},
    "not_logged_in": {"nb": "Du må logge inn", "nn": "Du må logge inn", "en": "You need to log in"},
    "forbidden": {"nb": "Du har ikke tilgang til dette", "nn": "Du har ikkje tilgang til dette", "en": "You don't have access to this"},
    "not_found": {"nb": "Vi finner ikke dette", "nn": "Vi finn ikkje dette", "en": "We can't find this"},
    "wrong_method": {"nb": "Dette kan ikke gjøres slik", "nn": "Dette kan ikkje gjerast slik", "en": "This can't be done this way"},
    "conflict": {"nb": "Noen rakk det før deg", "nn": "Nokon rakk det før deg", "en": "Someone got there first"},
    "gone": {"nb": "Dette finnes ikke lenger", "nn": "Dette finst ikkje lenger", "en": "This no longer exists"},
    "too_large": {"nb": "Teksten er for lang", "nn": "Teksten er for lang", "en": "The text is too long"},
    "invalid": {"nb": "Noe er ikke fylt ut riktig", "nn": "Noko er ikkje fylt ut rett", "en": "Something isn't filled in correctly"},
    "too_many": {"nb": "For mange forsøk. Vent litt", "nn": "For mange forsøk. Vent litt", "en": "Too many tries. Wait a little"},
    "failed": {"nb": "Noe gikk galt hos oss", "nn": "Noko gjekk gale hos oss", "en": "Something went wrong on our side"},
    "unavailable": {"nb": "Tjenesten er nede akkurat nå", "nn": "Tenesta er nede akkurat no", "en": "The service is down right now"},
}
"""What a reader is told, by code and language; Bokmål where a language has no words of its own."""

_CODES = {
    400: "bad_request",
    401: "not_logged_in",
    403: "forbidden",
    404: "not_found",
    405: "wrong_method",
    409: "conflict",
    410: "gone",
    413: "too_large",
    422: "invalid",
    429: "too_many",
    503: "unavailable",
}


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """Ends a request with a status and a code that the reader's page or document is chosen by. Holds nothing that was sent."""

    def __init__(
        self, status: int, code: str | None = None, *, headers: Mapping[str, str] | None = None, fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(code or str(status))
        self.status, self.code = status, code or code_of(status)
        self.headers = dict(headers or {})
        self.fields = dict(fields or {})
        """Field name -> code of what is wrong with it; never its value."""


class Pages(Protocol):
    """What a service's pages must be able to do for errors."""

    def error(self, request: Request, status: int, code: str) -> Response: ...

    def language(self, request: Request) -> str: ...


def code_of(status: int) -> str:
    """The general code of a status."""
    return _CODES.get(status, "failed" if status >= 500 else "bad_request")


def install(app: FastAPI, pages: Pages | None) -> None:
    """Answer every error of `app` as a page or as a problem document, whichever the client reads."""

    def answer(request: Request, problem: Problem) -> Response:
        return respond(pages, request, problem)

    @app.exception_handler(Problem)
    async def of_problem(request: Request, error: Problem) -> Response:
        return answer(request, error)

    @app.exception_handler(KeyReusedError)
    async def of_reused_key(request: Request, _: KeyReusedError) -> Response:
        return answer(request, Problem(409))

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        return answer(request, Problem(error.status_code, headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> Response:
        in_path = any(part["loc"][:1] == ("path",) for part in error.errors())
        fields = {str(part["loc"][-1]): str(part["type"]) for part in error.errors() if part["loc"]}
        return answer(request, Problem(404) if in_path else Problem(422, fields=fields))

    @app.exception_handler(Exception)
    async def of_failure(request: Request, error: Exception) -> Response:
        log.error("request failed", route=getattr(request.scope.get("route"), "path", None), exc_info=error)
        status = status_of(error)
        return answer(request, Problem(status, headers={"Retry-After": "5"} if status == 503 else None))


def respond(pages: Pages | None, request: Request, problem: Problem) -> Response:
    """The problem as a page or as a document, whichever the client reads."""
    if pages is not None and reads_pages(request):
        response = pages.error(request, problem.status, problem.code)
    else:
        response = document(problem, pages.language(request) if pages else "en")
    response.headers.update(problem.headers)
    return response


def status_of(error: Exception) -> int:
    """What an error that no door expected is answered with: 503 for what passes by itself, else 500."""
    return 503 if is_transient(error) else 500


def reads_pages(request: Request) -> bool:
    """Whether the client is a browser that shows pages."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def document(problem: Problem, language: str) -> JSONResponse:
    """The problem as RFC 9457 says."""
    titles = TITLES.get(problem.code) or TITLES[code_of(problem.status)]
    spoken = language if language in titles else "nb"
    body = {"type": PROBLEM_PREFIX + problem.code, "title": titles[spoken], "status": problem.status}
    if problem.fields:
        body["fields"] = problem.fields
    headers = {"Content-Language": spoken, "Cache-Control": "no-store"}
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")

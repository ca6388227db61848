"""A small service with webkit's pages, and a browser without JavaScript to read it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response
from webkit import Pages

HERE = Path(__file__).parent
FORM = SimpleNamespace(csrf="c" * 43, key="k" * 43)


def build(service: str = "dialog", level: str = "anonymous", **options: Any) -> FastAPI:
    """Pages at /, a page with every part at /parts, an error for every code at /error/<status>/<code>."""
    app = FastAPI()
    pages = Pages(service=service, level=level, templates_dir=HERE / "templates", locale_dir=HERE / "locale", **options)

    @app.get("/")
    @app.get("/ansatt/kø")
    async def front(request: Request, name: str = "") -> Response:
        return pages.render(request, "front.html", name=name, form=FORM)

    @app.get("/parts")
    async def parts(request: Request) -> Response:
        return pages.render(request, "every_part.html", form=FORM, errors={"text": "Skriv noe", "age": "Velg"}, hostile="<b>&\"'")

    @app.get("/framed")
    async def framed(request: Request) -> Response:
        return pages.render(request, "front.html", name="", form=FORM, frame_ancestors="'self'", refresh=10)

    @app.post("/ansatt/only-post")
    async def refused(request: Request) -> Response:
        return pages.error(request, 403, "form_not_ours")

    @app.get("/ansatt")
    async def not_hers(request: Request) -> Response:
        return pages.error(request, 403)

    @app.post("/only-post")
    async def only_post(request: Request) -> Response:
        return pages.render(request, "front.html", 422, name="", form=FORM)

    @app.get("/json")
    async def json() -> dict[str, str]:
        return {"a": "b"}

    @app.get("/error/{status}/{code}")
    @app.get("/ansatt/error/{status}/{code}")
    async def error(request: Request, status: int, code: str) -> Response:
        return pages.error(request, status, code)

    pages.install(app)
    return app


@asynccontextmanager
async def visit(app: FastAPI | None = None, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `app` (a small anonymous service unless given) that follows no redirect by itself."""
    transport = httpx.ASGITransport(app=app or build())
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=transport, base_url="https://snakk.example", headers=sent) as client:
        yield client


@pytest.fixture(name="visit")
def visit_fixture() -> Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]:
    return visit


@pytest.fixture(name="small_service")
def small_service_fixture() -> Callable[..., FastAPI]:
    return build

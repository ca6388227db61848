"""What a service is made of, and how its parts become a web application and a running process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from typing import Any, Protocol
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from servicekit import api_docs, health, http_metrics, problems, telemetry
from servicekit.database import create_engine
from servicekit.delivery.inbox import Handlers
from servicekit.delivery.lineage import is_accepted
from servicekit.delivery.outbox import UnitOfWork, beginner
from servicekit.keys import KeyFile, Keys, Trust
from servicekit.measuring import Measure
from servicekit.settings import ServiceSettings
from servicekit.timers import Timers
from servicekit.web import kept
from servicekit.web.cookie import SessionCookie
from servicekit.web.crowd import REFUSED, Crowd
from servicekit.web.head import HeadAsGet
from servicekit.web.sessions import leave

Background = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""Something that runs as long as the web application does, e.g. a listener on the database."""


class ServicePages(kept.KeepingPages, Protocol):
    """The look of a service: error pages, static files and headers."""

    def install(self, app: FastAPI) -> None: ...

    def share(self, app: FastAPI) -> None: ...

    def crowded(self, request: Request) -> Response: ...


Erasers = Mapping[str, Callable[[UnitOfWork, Collection[UUID]], Awaitable[int]]]
"""Kind, as in `uow.forget` -> deletes those that are there and tells what a deletion tells; how many there were."""


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that `main.py` puts together; the only place where a service's doors, handlers and settings meet."""

    name: str
    settings: ServiceSettings
    routers: Sequence[APIRouter]
    pages: ServicePages
    handlers: Handlers = field(default_factory=dict)
    timers: Timers = field(default_factory=dict)
    measure: Measure | None = None
    """Sets the service's own gauges, every few seconds in the process that relays."""
    erasers: Erasers = field(default_factory=dict)
    """Deletes again what the ledger of deletions says, after a restore."""
    backgrounds: Sequence[Background] = ()
    verbs: Mapping[str, Callable[["Service"], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    """Verbs of operation that only this service has, e.g. `seed`."""
    keys: Sequence[KeyFile] = ("sig.jwk", "service.key")
    """Private keys of the agency without which it doesn't serve."""
    writes_files: bool = False
    """Whether it writes to DATA_DIR."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """What else the doors of this service need on `app.state`, by name."""

    @property
    def version(self) -> str:
        """The service's own version, as its package says; `unreleased` where it isn't installed, like a stand-in."""
        try:
            return metadata.version(self.name)
        except metadata.PackageNotFoundError:
            return "unreleased"


def create_app(service: Service) -> FastAPI:
    """The public web application: the service's routers with headers, errors, traces and metrics. API documents are internal."""
    settings = service.settings
    engine = create_engine(settings.dsn, service.name)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(engine.dispose)
            for background in service.backgrounds:
                await stack.enter_async_context(background(app))
            yield

    app = FastAPI(
        title=service.name,
        version=service.version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=telemetry.OF_REQUESTS,
    )
    app.state.service, app.state.settings, app.state.engine = service, settings, engine
    app.state.begin = beginner(engine, service.name, settings.clock_offset, settings.ledger)
    app.state.keys, app.state.trust = Keys(settings.keys_dir), Trust(settings.trust_dir)
    app.state.pages = service.pages
    app.state.stopping = asyncio.Event()
    for name, value in service.state.items():
        setattr(app.state, name, value)
    for router in service.routers:
        app.include_router(router)
    service.pages.install(app)
    problems.install(app, service.pages)
    kept.install(app, service.pages)
    app.state.leave = leave
    app.add_middleware(SessionCookie)
    app.add_middleware(Crowd, refuse=partial(_crowded, service.pages))

    @app.exception_handler(PoolTimeoutError)
    async def of_full_pool(request: Request, _: PoolTimeoutError) -> Response:
        return _crowded(service.pages, request)

    service.pages.share(app)
    app.add_middleware(HeadAsGet)
    app.add_middleware(http_metrics.RequestMetrics)
    if settings.traces:
        telemetry.instrument(engine)
    return app


def _crowded(pages: ServicePages, request: Request) -> Response:
    REFUSED.inc()
    answer = pages.crowded(request) if problems.reads_pages(request) else problems.document(problems.Problem(503), pages.language(request))
    answer.headers["Retry-After"] = "5"
    return answer


def create_internal_app(
    service: Service, public: FastAPI, live: Mapping[str, health.Check], ready: Mapping[str, health.Check] | None = None
) -> FastAPI:
    """Health, metrics and the description of the API, on a port that the gateway doesn't know. `ready`: what else counts."""
    app = FastAPI(
        title=f"{service.name} (internal)",
        version=service.version,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=telemetry.NONE,
    )

    async def database() -> bool:
        return await _answers(public.state.engine)

    health.install(app, live=live, ready={"database": database, **(ready or {})})

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return public.openapi()

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(api_docs.page(public.openapi()))

    return app


async def _answers(engine: AsyncEngine) -> bool:
    async with asyncio.timeout(2), engine.connect() as connection:
        return bool(await connection.scalar(text("select count(*) from alembic_version"))) and await is_accepted(connection)

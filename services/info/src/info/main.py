"""Composition root of info: the only file that knows every room."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from fastapi import FastAPI
from servicekit.database import create_engine
from servicekit.delivery.outbox import beginner
from servicekit.service import Service
from servicekit.web.relying_party import login_routes
from webkit import Pages

from info import api, consumers, seeds, timers
from info.pages import desk, reading, register, searching
from info.settings import Settings
from info.usage import UsageCounter, flushing

HERE = Path(__file__).parent
log = structlog.get_logger("seeds")


def create_service(settings: Settings) -> Service:
    """Everything that an info process is made of."""

    async def seed(_service: Service) -> None:
        engine = create_engine(settings.dsn, "info seed", pool_size=1)
        try:
            _report(await seeds.load(beginner(engine, "info", settings.clock_offset), seeds.read(settings.seeds_dir)))
        except seeds.SeedError as error:
            raise SystemExit(f"info: {error}") from error
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def seeding(app: FastAPI) -> AsyncIterator[None]:
        if settings.seed_on_start:
            _report(await seeds.load(app.state.begin, seeds.read(settings.seeds_dir)))
        yield

    return Service(
        name="info",
        settings=settings,
        routers=[reading.router, searching.router, register.router, desk.router, api.router, login_routes(youth=False, staff=True)],
        pages=Pages(service="info", level="open", templates_dir=HERE / "templates", locale_dir=HERE / "locale", static_dir=HERE / "static"),
        handlers=consumers.HANDLERS,
        timers=timers.TIMERS,
        backgrounds=[seeding, flushing],
        verbs={"seed": seed},
        state={"usage": UsageCounter()},
    )


def _report(loaded: seeds.Loaded) -> None:
    log.info("seeded", articles=loaded.articles, answers=loaded.answers, services=loaded.services, taken_away=loaded.taken_away)

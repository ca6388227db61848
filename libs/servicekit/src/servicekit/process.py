"""One process of a service: serve, relay and consume, together or apart, until it is asked to stop."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum

import structlog
import uvicorn
from contracts.catalogue import topics_owned_by
from fastapi import FastAPI

from servicekit import crash, health
from servicekit.crash import Place
from servicekit.delivery.consumer import Consumer
from servicekit.delivery.relay import Relay
from servicekit.service import Service, create_app, create_internal_app
from servicekit.timers import run_timers

DRAIN_SECONDS = 3
"""How long open requests and streams may go on after SIGTERM."""

log = structlog.get_logger("process")


class Part(StrEnum):
    """What a process does. Timers run with the relay."""

    SERVE = "serve"
    RELAY = "relay"
    CONSUME = "consume"


async def run(service: Service, parts: frozenset[Part]) -> None:
    """Run until SIGTERM or SIGINT, then drain: requests end, offsets are committed, the relay finishes its round."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    app = create_app(service)
    gc.collect()
    gc.freeze()  # modules and routes live as long as the process: looking through them again and again would stop every request for 50 ms
    live: dict[str, health.Check] = {}
    async with asyncio.TaskGroup() as tasks:
        if Part.CONSUME in parts:
            consumer = Consumer(service.name, service.settings, app.state.begin, service.handlers)
            live["consumer"] = consumer.is_live
            tasks.create_task(consumer.run(stop))
        if Part.RELAY in parts:
            shards = service.settings.relay_shards if topics_owned_by(service.name) else 0  # who owns none is refused as a writer
            for shard in range(shards):
                relay = Relay(app.state.engine, service.settings, shard=shard, shards=shards)
                live[f"relay {shard}" if shard else "relay"] = relay.is_live
                tasks.create_task(relay.run(stop))
            tasks.create_task(run_timers(app.state.begin, service.timers, stop))
        tasks.create_task(_serve(app if Part.SERVE in parts else None, create_internal_app(service, app, live), service, stop))
    await app.state.engine.dispose()
    log.info("stopped")


async def _serve(public: FastAPI | None, internal: FastAPI, service: Service, stop: asyncio.Event) -> None:
    settings = service.settings
    servers = [server(internal, settings.bind_host, settings.internal_port)]
    if public is not None:
        servers.append(server(public, settings.bind_host, settings.port))
    async with _stopping_together(servers, public, stop):
        await asyncio.gather(*(server.serve() for server in servers))
        stop.set()  # a server that could not start ends the process


@asynccontextmanager
async def _stopping_together(servers: Sequence[uvicorn.Server], public: FastAPI | None, stop: asyncio.Event) -> AsyncIterator[None]:
    async def wait() -> None:
        await stop.wait()
        crash.reach(Place.PROCESS_STOPPING)
        if public is not None:
            public.state.stopping.set()
        for server in servers:
            server.should_exit = True

    waiter = asyncio.create_task(wait())
    try:
        yield
    finally:
        waiter.cancel()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # `run` hears the signals, once for all parts


def server(app: FastAPI, host: str, port: int) -> uvicorn.Server:
    """With the settings that every service has."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return _Server(config)

"""One process of a service: serve, relay and consume, together or apart, until it is asked to stop."""

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Any

import structlog
import uvicorn
from contracts.catalogue import topics_owned_by
from fastapi import FastAPI

from servicekit import crash, health, restored
from servicekit.clock import watch_clock
from servicekit.crash import Place
from servicekit.delivery.depth import watch_outbox
from servicekit.delivery.relay import Relay
from servicekit.measuring import keep_measuring
from servicekit.overdue import watch_timers
from servicekit.preconditions import Ground, RefusedError
from servicekit.service import Service, create_app, create_internal_app
from servicekit.settings import ServiceSettings
from servicekit.stopping import unless
from servicekit.surroundings import watch_surroundings
from servicekit.timers import run_timers, with_housekeeping

DRAIN_SECONDS = 3
"""How long open requests and streams may go on after SIGTERM."""
END_SECONDS = 6.0
"""How long everything may take; what takes longer waits for a broker or a database that hangs, and is given up. 10 s are promised."""
CLOSE_SECONDS = 0.5
"""How long connections may take to say goodbye."""
BACKLOG = 2048
"""Calls that may wait for a process that is busy: uvicorn's own number."""

log = structlog.get_logger("process")


class Part(StrEnum):
    """What a process does. Timers run with the relay."""

    SERVE = "serve"
    RELAY = "relay"
    CONSUME = "consume"


async def run(service: Service, parts: frozenset[Part], ground: Ground | None = None) -> None:
    """Run until SIGTERM or SIGINT, then drain: requests end, offsets are committed, the relay finishes its round.

    `ground`: what must hold first; meanwhile only the internal port answers. Raises RefusedError where a port is taken.
    """
    settings = service.settings
    internal_port = listening(settings, "internal_port")
    _open(internal_port, settings, "internal_port")
    public_port = listening(settings, "port") if Part.SERVE in parts else None
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    app = create_app(service)
    gc.collect()
    gc.freeze()  # modules and routes live as long as the process: looking through them again and again would stop every request for 50 ms
    live: dict[str, health.Check] = {}
    begun = asyncio.Event()

    async def has_begun() -> bool:
        return begun.is_set()

    internal = create_internal_app(service, app, live, {"start": has_begun})
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(unless(stop, _serve(internal, internal_port, stop), END_SECONDS))
        tasks.create_task(_until(stop, watch_surroundings(service.name, settings)))
        if ground is None or await ground.wait(stop):
            await restored.until_fit(service, stop)
        if not stop.is_set():
            if public_port is not None:
                _open(public_port, settings, "port")
            _start(service, parts, app, live, tasks, stop)
            if public_port is not None:
                tasks.create_task(unless(stop, _serve(app, public_port, stop, tell=True, begun=begun), END_SECONDS))
            else:
                begun.set()
    await unless(stop, app.state.engine.dispose(), grace=CLOSE_SECONDS)
    log.info("stopped")


def _start(
    service: Service, parts: frozenset[Part], app: FastAPI, live: dict[str, health.Check], tasks: asyncio.TaskGroup, stop: asyncio.Event
) -> None:
    """All but the doors."""
    settings, begin = service.settings, app.state.begin
    tasks.create_task(_until(stop, watch_clock(app.state.engine)))
    owned = topics_owned_by(service.name)
    if Part.CONSUME in parts:
        from servicekit.delivery.consumer import Consumer  # FastStream, which only a consumer needs

        consumer = Consumer(service.name, settings, begin, service.handlers)
        live["consumer"] = consumer.is_live
        tasks.create_task(unless(stop, consumer.run(stop), END_SECONDS))
    if Part.RELAY in parts:
        shards = settings.relay_shards if owned else 0  # who owns none is refused as a writer
        for shard in range(shards):
            relay = Relay(settings, shard=shard, shards=shards)
            live[f"relay {shard}" if shard else "relay"] = relay.is_live
            tasks.create_task(unless(stop, relay.run(stop), END_SECONDS))
        tasks.create_task(unless(stop, run_timers(begin, service.timers, stop), END_SECONDS))
        if service.measure is not None:
            tasks.create_task(_until(stop, keep_measuring(begin, service.measure)))
    if parts & {Part.SERVE, Part.RELAY}:
        tasks.create_task(_until(stop, watch_timers(begin, with_housekeeping(service.timers).keys())))
        if owned:
            tasks.create_task(_until(stop, watch_outbox(app.state.engine, owned)))


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Watch something as long as the process does its work."""
    task = asyncio.create_task(work)
    await stop.wait()
    task.cancel()


def listening(settings: ServiceSettings, name: str) -> socket.socket:
    """A socket on BIND_HOST and the port that a setting names, kept before anything else begins. Raises RefusedError."""
    port = int(getattr(settings, name))
    family = socket.AF_INET6 if ":" in settings.bind_host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the protocol is named; else each answer waits 40 ms for an acknowledgement.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.bind_host, port))
    except (OSError, OverflowError) as error:
        taken.close()
        raise _refused(settings, name, error) from None
    return taken


def _open(port: socket.socket, settings: ServiceSettings, name: str) -> None:
    """Calls come in from now on, and wait. Another program may have kept the same port and been first. Raises RefusedError."""
    try:
        port.listen(BACKLOG)
    except OSError as error:
        raise _refused(settings, name, error) from None


def _refused(settings: ServiceSettings, name: str, error: OSError | OverflowError) -> RefusedError:
    host, port = settings.bind_host, getattr(settings, name)
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.EADDRINUSE:
        return RefusedError(f"{name.upper()}: port {port} of {host} is taken by another program")
    setting = name.upper() if code in (errno.EACCES, None) else "BIND_HOST"
    return RefusedError(f"{setting}: can't listen on {host} port {port}: {error}")


async def _serve(app: FastAPI, port: socket.socket, stop: asyncio.Event, *, tell: bool = False, begun: asyncio.Event | None = None) -> None:
    """One web application until `stop`. `tell`: it has streams, which end by themselves once they're told. `begun`: it answers."""
    uvicorn_server = server(app, *port.getsockname()[:2])
    uvicorn_server.begun = begun
    async with _stopping(uvicorn_server, app if tell else None, stop):
        await uvicorn_server.serve(sockets=[port])
        stop.set()  # a server that could not start ends the process


@asynccontextmanager
async def _stopping(server: uvicorn.Server, public: FastAPI | None, stop: asyncio.Event) -> AsyncIterator[None]:
    async def wait() -> None:
        await stop.wait()
        crash.reach(Place.PROCESS_STOPPING)
        if public is not None:
            public.state.stopping.set()
        server.should_exit = True

    waiter = asyncio.create_task(wait())
    try:
        yield
    finally:
        waiter.cancel()


class _Server(uvicorn.Server):
    begun: asyncio.Event | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.begun is not None:
            self.begun.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # `run` hears the signals, once for all parts


def server(app: FastAPI, host: str, port: int) -> _Server:
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

"""The verbs of operation: `python -m <service> run | serve | relay | consume | migrate | parked`."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from functools import partial
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from servicekit import crash, logs, migrations, telemetry
from servicekit.database import create_engine
from servicekit.delivery.parking import parked_events, parked_keys
from servicekit.keys import MissingKeyError
from servicekit.process import Part, run
from servicekit.service import Service
from servicekit.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)
PARTS = {
    "run": frozenset(Part),
    "serve": frozenset({Part.SERVE}),
    "relay": frozenset({Part.RELAY}),
    "consume": frozenset({Part.CONSUME}),
}


def main(name: str, create_service: Callable[[S], Service], settings_class: type[S]) -> None:
    """Run one verb of the service `name` and exit: 0 when it ended as asked, 2 when it can't start, with one line that says why."""
    arguments = _parse(name)
    try:
        settings = settings_class()
        service = create_service(settings)
    except ValidationError as error:
        _refuse(name, "; ".join(_reason(problem) for problem in error.errors(include_input=False, include_url=False)))
    except MissingKeyError as error:
        _refuse(name, str(error))
    work: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        **{verb: partial(run, service, parts) for verb, parts in PARTS.items()},
        **{verb: partial(own, service) for verb, own in service.verbs.items()},
        "parked": partial(show_parked, service, arguments.key),
    }
    if arguments.verb not in {*work, "migrate"}:
        _refuse(name, f"no verb {arguments.verb!r}; choose from {', '.join(sorted({*work, 'migrate'}))}")
    logs.configure(name, settings.log_level)
    crash.arm(settings.crash_at)
    telemetry.configure(name, service.version, settings.otel_exporter_otlp_endpoint, settings.traces_file)
    if arguments.verb == "migrate" or arguments.migrate:
        migrations.upgrade(name, settings.dsn)
    if arguments.verb in work:
        asyncio.run(work[arguments.verb]())


async def show_parked(service: Service, key: str | None) -> None:
    """Print what waits for a person: the keys, or the events of one key. What surrounds them, never what they say."""
    engine = create_engine(service.settings.dsn, service.name)
    async with engine.connect() as connection:
        rows = await parked_events(connection, service.name, key) if key else await parked_keys(connection, service.name)
    await engine.dispose()
    for row in rows:
        sys.stdout.write(json.dumps(asdict(row), default=str) + "\n")
    sys.stderr.write(f"{len(rows)} {'events' if key else 'keys'} parked\n")


def _parse(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument(
        "verb", help="run (= serve + relay + consume in one process), serve, relay, consume, migrate, parked, or the service's own"
    )
    parser.add_argument("key", nargs="?", help="parked: show the events of this key")
    parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
    return parser.parse_args()


def _refuse(name: str, reason: str) -> NoReturn:
    sys.stderr.write(f"{name}: {reason}\n")
    sys.exit(2)


def _reason(problem: ErrorDetails) -> str:
    place = ".".join(str(part).upper() for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"]).removeprefix("Value error, ")

"""The verbs of operation: `python -m <service> run | serve | relay | consume | migrate | parked`."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from servicekit import logs, migrations, telemetry
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
    try:
        settings = settings_class()
        service = create_service(settings)
    except ValidationError as error:
        sys.exit(f"{name}: {'; '.join(_reason(problem) for problem in error.errors(include_input=False, include_url=False))}")
    except MissingKeyError as error:
        sys.exit(f"{name}: {error}")
    arguments = _parse(name, service.verbs)
    logs.configure(name, settings.log_level)
    telemetry.configure(name, service.version, settings.otel_exporter_otlp_endpoint, settings.traces_file)
    if arguments.verb == "migrate" or arguments.migrate:
        migrations.upgrade(name, settings.dsn)
    if arguments.verb in PARTS:
        asyncio.run(run(service, PARTS[arguments.verb]))
    elif own := service.verbs.get(arguments.verb):
        asyncio.run(own(service))


def _parse(name: str, own_verbs: Iterable[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument("verb", choices=[*PARTS, "migrate", *own_verbs], help="run = serve + relay + consume in one process")
    parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
    return parser.parse_args()


def _reason(problem: ErrorDetails) -> str:
    place = ".".join(str(part).upper() for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"]).removeprefix("Value error, ")

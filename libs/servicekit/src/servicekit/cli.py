"""The verbs of operation: `python -m <service> run | serve | relay | consume | migrate | parked | restored | keys`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NoReturn, TypeVar

import structlog
from asyncpg import InterfaceError, PostgresError
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from sqlalchemy.exc import DBAPIError

from servicekit import crash, logs, new_keys, parked, restored, telemetry
from servicekit.keys import MissingKeyError
from servicekit.preconditions import Ground, RefusedError, check_files, check_kafka_password, check_ledger, check_trust, reason_of
from servicekit.process import Part, run
from servicekit.service import Service
from servicekit.settings import SECRETS_DIR, ServiceSettings

S = TypeVar("S", bound=ServiceSettings)
log = structlog.get_logger("process")

PARTS = {
    "run": frozenset(Part),
    "serve": frozenset({Part.SERVE}),
    "relay": frozenset({Part.RELAY}),
    "consume": frozenset({Part.CONSUME}),
}
NEEDS = PARTS | {"restored": frozenset({Part.RELAY})}
"""Verb -> the parts whose files and passwords it needs: what mends a restore reads the ledger of deletions and asks Kafka."""
UNUSABLE = (OSError, DBAPIError, PostgresError, InterfaceError)
"""What comes of a database that is away, refuses or lacks a table."""


def main(name: str, create_service: Callable[[S], Service], settings_class: type[S]) -> None:
    """Run one verb of the service `name` and exit: 0 when it ended as asked, 2 when it can't start, with one line that says why."""
    arguments = _parse(name)
    if arguments.verb == "keys":  # before there is anything to set
        _make_keys(name, arguments.keys)
        return
    try:
        settings = settings_class()
        service = create_service(settings)
    except ValidationError as error:
        _refuse(name, "; ".join(_reason(problem) for problem in error.errors(include_input=False, include_url=False)))
    except SettingsError as error:
        _refuse(name, f"SECRETS_DIR: {_why(error.__cause__)}")
    except MissingKeyError as error:
        _refuse(name, f"KEYS_DIR: {error}")
    work: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        **{verb: partial(_run, service, parts) for verb, parts in PARTS.items()},
        **{verb: partial(own, service) for verb, own in service.verbs.items()},
    }
    if arguments.verb == "parked":
        work["parked"] = partial(parked.parked, service, arguments.parked)
    work["restored"] = partial(restored.restored, service)
    if arguments.verb not in {*work, "migrate"}:
        _refuse(name, f"no verb {arguments.verb!r}; choose from {', '.join(sorted({*work, 'migrate', 'parked', 'keys'}))}")
    if arguments.verb in NEEDS or (arguments.verb == "parked" and arguments.parked.action in {"retry", "skip"}):
        _check(service, NEEDS.get(arguments.verb, frozenset()))
    logs.configure(name, settings.log_level, sys.stderr if arguments.verb in {"parked", "restored"} else None)
    crash.arm(settings.crash_at)
    telemetry.configure(name, service.version, settings.otel_exporter_otlp_endpoint, settings.traces_file)
    if arguments.verb == "migrate" or arguments.migrate:
        _migrate(name, settings.dsn)
    if arguments.verb in work:
        asyncio.run(_told(name, work[arguments.verb]))  # not uvloop: it accepts one connection per turn, however long that takes


def _check(service: Service, parts: frozenset[Part]) -> None:
    """Ends the process with one line where only a person can help."""
    try:
        keys = service.keys if Part.SERVE in parts else ()
        check_files(service.settings, keys, writes=service.writes_files)
        if Part.SERVE in parts:
            check_trust(service.name, service.settings)
        if service.erasers:
            check_ledger(service.settings)
        if parts - {Part.SERVE}:
            check_kafka_password(service.settings)
    except RefusedError as error:
        _refuse(service.name, str(error))


def _make_keys(name: str, asked: argparse.Namespace) -> None:
    try:
        sys.stdout.write(f"{name}: {new_keys.keys(name, asked)}\n")
    except new_keys.FolderInUseError as error:
        _refuse(name, str(error))
    except OSError as error:
        _refuse(name, f"{error.filename}: {error.strerror}")
    except (ValueError, LookupError, TypeError):
        _refuse(name, f"{asked.beside}: expected a JWK set")


def _migrate(name: str, dsn: str) -> None:
    from servicekit import migrations  # 7 MB of Alembic, which no other verb needs

    try:
        migrations.upgrade(name, dsn)
    except UNUSABLE as error:
        _refuse(name, f"DATABASE_URL: {reason_of(error)}")


async def _told(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A database that can't be used is told in one line. What runs on waits for it by itself."""
    try:
        await work()
    except UNUSABLE as error:
        _refuse(name, f"DATABASE_URL: {reason_of(error)}")


async def _run(service: Service, parts: frozenset[Part]) -> None:
    try:
        await run(service, parts, Ground(service.name, service.settings, uses_kafka=bool(parts - {Part.SERVE})))
    except Exception as error:
        first = error
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]
        if isinstance(first, RefusedError):
            _refuse(service.name, str(first))
        log.critical("ended by a fault", exc_info=first)  # Python would print its message, which may quote input
        sys.exit(1)


def _parse(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument(
        "verb",
        help="run (= serve + relay + consume in one process), serve, relay, consume, migrate, parked, restored, keys, or the service's own",
    )
    parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
    arguments, rest = parser.parse_known_args()
    if arguments.verb == "parked":
        arguments.parked = parked.parse(name, rest)
    elif arguments.verb == "keys":
        arguments.keys = new_keys.parse(name, rest)
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return arguments


def _refuse(name: str, reason: str) -> NoReturn:
    sys.stderr.write(f"{name}: {reason}\n")
    sys.exit(2)


def _why(cause: BaseException | None) -> str:
    """Why a file of SECRETS_DIR can't be read: most often it isn't this account's."""
    if isinstance(cause, OSError):
        return f"{cause.filename or SECRETS_DIR}: {cause.strerror} (the process runs as account {os.getuid()})"
    return f"a file in {SECRETS_DIR} isn't text"


def _reason(problem: ErrorDetails) -> str:
    place, said = ".".join(str(part).upper() for part in problem["loc"]), str(problem["msg"]).removeprefix("Value error, ")
    return f"{place}: {said}" if place else said

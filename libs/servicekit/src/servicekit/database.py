"""How a service reaches its own PostgreSQL, and which of its errors pass by themselves."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import asyncpg
from sqlalchemy import ExceptionContext, event, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

DRIVER = "postgresql+asyncpg://"
"""SQLAlchemy's name of it; the address is `connector`'s."""
POOL_SIZE = 10
MAX_OVERFLOW = 10
POOL_TIMEOUT = 5.0
"""Seconds that a request waits for a free connection before it is told that the service is full."""
CONNECT_TIMEOUT = 5.0
STATEMENT_TIMEOUT_MS = 15_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000
"""A process that was frozen inside a transaction loses it after this time, so that another can take over its rows."""

# PostgreSQL, appendix A: connection, transaction rollback (deadlock, serialization), out of resources, operator intervention
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57"})
# A connection that breaks in the middle of something shows as the last three as well
_AWAY = (ConnectionError, TimeoutError, PoolTimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, PendingRollbackError)
_LOCK_NOT_AVAILABLE = "55P03"
_QUERY_CANCELED = "57014"
_CACHED_PLAN = "0A000"
_READ_ONLY = "25006"
_ASK = text("select 1")


def connector(dsn: str, settings: Mapping[str, str] | None = None) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Makes connections. The address is read as libpq reads it (`sslmode`, `sslrootcert`, several hosts): SQLAlchemy knows less."""
    return partial(asyncpg.connect, driver_dsn(dsn), server_settings=dict(settings or {}), timeout=CONNECT_TIMEOUT)


def driver_dsn(dsn: str) -> str:
    """Any form of the address as asyncpg wants it."""
    return f"postgresql://{dsn.partition('://')[2]}"


def server_settings(application_name: str, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS) -> dict[str, str]:
    """What every connection of ours tells the server about itself."""
    return {
        "application_name": application_name,
        "statement_timeout": str(statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
        "timezone": "UTC",
    }


def create_engine(
    dsn: str,
    application_name: str,
    *,
    pool_size: int = POOL_SIZE,
    max_overflow: int = MAX_OVERFLOW,
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
) -> AsyncEngine:
    """The pool of one process. Errors never show parameters: they may hold what a person wrote."""
    engine = create_async_engine(
        DRIVER,
        async_creator=connector(dsn, server_settings(application_name, statement_timeout_ms)),
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_TIMEOUT,
    )
    event.listen(engine.sync_engine, "handle_error", _give_up_read_only)
    return engine


def _give_up_read_only(failed: ExceptionContext) -> None:
    """A connection that was made while the database took no writes, or to a standby, may stay so when others can write again."""
    if getattr(failed.original_exception, "sqlstate", None) == _READ_ONLY:
        failed.is_disconnect = True


def is_away(error: BaseException) -> bool:
    """The database or the network is away, as far as the kind of the error tells: code that reaches no database can raise some of them."""
    if isinstance(error, _AWAY):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return says_away(error)


def says_away(error: BaseException) -> bool:
    """The database itself said that it goes away or takes nothing: however often the same is tried, it isn't the event's fault."""
    state = _sqlstate(error)
    return says_unwritable(error) or (state != _QUERY_CANCELED and state[:2] in {"08", "57"})


def says_unwritable(error: BaseException) -> bool:
    """The database answers and takes nothing: it is full, or read only, as a standby is and a database that its operators stopped."""
    state = _sqlstate(error)
    return state == _READ_ONLY or state[:2] == "53"


async def answers(connection: AsyncConnection) -> bool:
    """Whether a transaction can go on."""
    try:
        await connection.execute(_ASK)
    except Exception:
        return False
    return True


def is_transient(error: BaseException) -> bool:
    """The same may succeed later: the database is away or full, or chose us as the victim of a deadlock."""
    if is_away(error) or isinstance(error, OSError):
        return True
    state = _sqlstate(error)
    return state[:2] in _TRANSIENT_CLASSES or state in {_LOCK_NOT_AVAILABLE, _CACHED_PLAN}


def _sqlstate(error: BaseException) -> str:
    found = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(found, "sqlstate", None) or "")

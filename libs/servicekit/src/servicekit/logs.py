"""Structured logs: one JSON object a line, without a value that a person typed.

Exceptions are logged by type and place only: their messages may quote input (pydantic, asyncpg's DETAIL, SQL parameters).
"""

import logging
import re
import sys
import time
import traceback
from collections import deque
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor

QUIET_SECONDS = 10.0
"""The same message of a chatty library is logged at most this often: a broker that is away would fill the disk."""
CHATTY = ("aiokafka", "faststream", "kafka", "opentelemetry")

ABOUT_EVERY_LINE = frozenset({"service", "timestamp", "level", "logger", "event", "trace_id", "span_id", "error", "at"})
"""`error`: types, the outermost first; `at`: file, line and function of the innermost calls."""
FIELDS = ABOUT_EVERY_LINE | {
    "assurance",  # level of a login
    "attempts",
    "articles", "answers", "services", "taken_away",  # counts of a seed
    "bytes",
    "client", "reader",  # names of services
    "code",  # of an error (RFC 6749)
    "endpoint",  # host:port of a server
    "kind",  # of a timer
    "offset", "partition", "topic", "type",  # of Kafka
    "oldest_seconds", "rows", "seconds",
    "unknown_keys", "unknown_facts", "parked", "settled", "read_back", "deleted",  # counts of a restore
    "provider",  # of logins
    "reason",  # a code, or the type of an error
    "route",  # of the route table, never an address
    "setting",
}  # fmt: skip
"""Every field that a line may have. None of them can hold a person, or what one typed."""


def configure(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log of this process, own and foreign, to `stream` (standard output)."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        _place_of_exception,
    ]
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                lambda _logger, _name, event: {"service": service} | {name: value for name, value in event.items() if name in FIELDS},
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    handler.addFilter(_OwnDetails())
    handler.addFilter(_first_words)
    handler.addFilter(_NotTooOften())
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # else a line that can't be written prints its exception's text to standard error
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # logs full addresses, which hold codes
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # names each of its parts when it's loaded
    logging.getLogger("uvicorn.access").disabled = True
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _add_trace(_logger: object, _name: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"], event["span_id"] = format(context.trace_id, "032x"), format(context.span_id, "016x")
    return event


def _place_of_exception(_logger: object, _name: str, event: EventDict) -> EventDict:
    found = _exception(event.pop("exc_info", None))
    event.pop("stack_info", None)
    record = event.get("_record")
    if record is not None:
        record.exc_info = record.exc_text = None
    if found:
        event["error"] = [type(error).__name__ for error in _chain(found)]
        places = deque(traceback.walk_tb(found.__traceback__), 8)  # `extract_tb` reads source files: felt under load
        event["at"] = [f"{frame.f_code.co_filename.rpartition('/src/')[2]}:{line} {frame.f_code.co_name}" for frame, line in places]
    return event


def _exception(info: Any) -> BaseException | None:
    if info is True:
        info = sys.exc_info()
    if isinstance(info, tuple):
        info = info[1]
    return info if isinstance(info, BaseException) else None


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


class _OwnDetails(logging.Filter):
    """Below INFO only our own words: there libraries print what passes through them, records and headers whole."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.INFO or isinstance(record.msg, dict)  # structlog hands its event on as a dict


def _first_words(record: logging.LogRecord) -> bool:
    """asyncio describes what failed with its arguments and its exception's message, which may quote input: only what happened is told.

    A warning of Python ends with its line of code: only where and what it is, is told.
    """
    if record.name in {"asyncio", "py.warnings"}:
        record.msg, record.args = re.split(r"(?<=.)[\n(<]", record.getMessage(), maxsplit=1)[0].strip(), ()
    return True


class _NotTooOften(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith(CHATTY):
            return True
        key, now = (record.name, str(record.msg)[:60]), time.monotonic()
        if now - self._last.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._last[key] = now
        return True

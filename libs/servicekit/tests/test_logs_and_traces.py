"""INVARIANT: what a person typed never reaches a log line or a span."""

import json
import logging
import subprocess
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind
from servicekit.telemetry import JsonLines, Scrubbed

CANARY = "05897499887 Kari Canary"

LOGGING = f"""
import logging, structlog
from pydantic import BaseModel
from servicekit import logs
logs.configure("trial")
class Strict(BaseModel):
    number: int
def fail():
    try:
        raise ValueError({CANARY!r})
    except ValueError as error:
        try:
            Strict(number={CANARY!r})
        except ValueError as second:
            raise RuntimeError({CANARY!r}) from second
for logger in (structlog.get_logger("own"), logging.getLogger("foreign")):
    try:
        fail()
    except Exception as error:
        logger.error("it failed", exc_info=error)
for _ in range(5):
    logging.getLogger("aiokafka.conn").warning("broker away")
"""


def test_an_exception_is_logged_by_type_and_place_only():
    ran = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert CANARY not in ran.stdout + ran.stderr
    assert [line["error"] for line in lines[:2]] == [["RuntimeError", "ValidationError"]] * 2
    assert all(line["service"] == "trial" and line["at"] for line in lines[:2])


def test_a_chatty_library_is_heard_once():
    ran = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True)
    assert ran.stdout.count("broker away") == 1


FORGOTTEN = f"""
import asyncio
from servicekit import logs
logs.configure("trial")
async def fail():
    raise ValueError({CANARY!r})
async def main():
    asyncio.get_running_loop().call_soon(lambda said: 1 / 0, {CANARY!r})
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
asyncio.run(main())
"""


def test_what_asyncio_says_of_a_task_that_nobody_waited_for_holds_no_message_and_no_argument():
    ran = subprocess.run([sys.executable, "-c", FORGOTTEN], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert CANARY not in ran.stdout + ran.stderr
    assert {(line["event"], *line["error"]) for line in lines} == {
        ("Task exception was never retrieved", "ValueError"),
        ("Exception in callback main.", "ZeroDivisionError"),
    }


WARNING = f"""
import warnings
from servicekit import logs
logs.configure("trial")
warnings.warn("a warning ({CANARY})", RuntimeWarning)
"""


def test_a_warning_of_python_is_a_line_like_any_other():
    ran = subprocess.run([sys.executable, "-c", WARNING], capture_output=True, text=True, check=True)
    [line] = map(json.loads, ran.stdout.splitlines())
    assert (line["logger"], line["event"].partition(": ")[2]) == ("py.warnings", "RuntimeWarning: a warning")
    assert CANARY not in ran.stdout + ran.stderr


FAULT = f"""
from types import SimpleNamespace
import asyncio
from servicekit import cli, logs
logs.configure("trial")
async def run(*_):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fail())
async def fail():
    raise ValueError({CANARY!r})
cli.run = run
asyncio.run(cli._run(SimpleNamespace(name="trial", settings=None), frozenset()))
"""


def test_a_process_that_a_fault_ends_says_so_as_any_other_line():
    ran = subprocess.run([sys.executable, "-c", FAULT], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert CANARY not in ran.stdout + ran.stderr
    [line] = map(json.loads, ran.stdout.splitlines())
    assert (line["event"], line["level"], line["error"]) == ("ended by a fault", "critical", ["ValueError"])
    assert not ran.stderr


DETAILS = f"""
import logging, structlog
from servicekit import logs
logs.configure("trial", "DEBUG")
structlog.get_logger("own").debug("a detail of ours")
logging.getLogger("aiokafka.conn").debug("Request: %s", {CANARY!r})
logging.getLogger("httpcore").debug("Header: %s", {CANARY!r})
"""


def test_details_of_libraries_are_never_logged():
    """INVARIANT: with LOG_LEVEL=DEBUG no library prints the records, headers or texts that pass through it."""
    ran = subprocess.run([sys.executable, "-c", DETAILS], capture_output=True, text=True, check=True)
    assert [json.loads(line)["event"] for line in ran.stdout.splitlines()] == ["a detail of ours"]
    assert CANARY not in ran.stdout + ran.stderr


def test_a_span_keeps_only_what_is_allowed(tmp_path):
    file = tmp_path / "spans.jsonl"
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Scrubbed(JsonLines(file))))
    tracer = provider.get_tracer("trial")
    with tracer.start_as_current_span("GET /chat", kind=SpanKind.SERVER) as span:
        span.set_attribute("http.route", "/chat")
        span.set_attribute("url.query", CANARY)
        span.set_attribute("http.user_agent", CANARY)
        span.add_event("exception", {"exception.message": CANARY})
        with tracer.start_as_current_span(f"GET {CANARY}", kind=SpanKind.CLIENT):
            pass
    text = file.read_text()
    assert CANARY not in text
    assert [json.loads(line)["attributes"] for line in text.splitlines()] == [{}, {"http.route": "/chat"}]


def test_the_root_logger_of_this_process_is_untouched():
    assert not any(type(handler.formatter).__name__ == "ProcessorFormatter" for handler in logging.getLogger().handlers)

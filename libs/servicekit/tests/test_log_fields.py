"""INVARIANT: a log line has fields from a closed list, and its text is a constant: nothing that somebody typed finds a place in it."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from servicekit.logs import ABOUT_EVERY_LINE, FIELDS

ROOT = Path(__file__).parents[3]
SOURCES = sorted(path for folder in ("libs", "services") for path in (ROOT / folder).glob("*/src/**/*.py"))
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "msg"}


def calls(source: str) -> list[ast.Call]:
    """Those of a module's `log`."""
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return [call for call in found if call.func.attr in LEVELS and isinstance(call.func.value, ast.Name) and call.func.value.id == "log"]


def faults(source: str) -> list[str]:
    """What a call says that isn't a constant, and fields that aren't listed."""
    found = []
    for call in calls(source):
        if not (call.args and isinstance(call.args[0], ast.Constant)):
            found.append(f"line {call.lineno}: its text isn't a constant")
        found += [f"line {call.lineno}: {word.arg}" for word in call.keywords if word.arg not in FIELDS | {"exc_info"} - ABOUT_EVERY_LINE]
    return found


def test_every_line_of_the_code_keeps_to_the_list():
    assert sum(len(calls(path.read_text())) for path in SOURCES) > 20
    found = {str(path.relative_to(ROOT)): faults(path.read_text()) for path in SOURCES}
    assert {path: said for path, said in found.items() if said} == {}


@pytest.mark.parametrize("line", ['log.info(f"{name} came")', 'log.info("came", name=name)', 'log.error("x", **everything)'])
def test_a_line_that_does_not_is_noticed(line):
    assert faults(line)


def test_every_listed_field_is_used():
    used = {word.arg for path in SOURCES for call in calls(path.read_text()) for word in call.keywords}
    assert FIELDS - ABOUT_EVERY_LINE - used == set()


LOGGING = """
import logging, structlog
from servicekit import logs
logs.configure("trial")
structlog.get_logger("own").info("ours", topic="t", name="Kari Canary")
structlog.contextvars.bind_contextvars(user="Kari Canary")
logging.getLogger("foreign").warning("theirs", extra={"name_of": "Kari Canary"})
"""


def test_what_is_not_listed_never_leaves_the_process():
    ran = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True)
    assert "Canary" not in ran.stdout + ran.stderr
    ours, theirs = (json.loads(line) for line in ran.stdout.splitlines())
    assert ours.keys() == {"service", "timestamp", "level", "logger", "event", "topic"}
    assert theirs.keys() <= ABOUT_EVERY_LINE

"""docs/trace.md: every row names a test that exists, and the number of covered rows never falls."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ((?:a\d|b)-\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"^`([\w/.-]+\.py)::(test_\w+)`$")
COVERED_AT_LEAST = 25
"""Raise it with every row that gets covered; never lower it."""


@cache
def names_in(path: Path) -> frozenset[str]:
    names = (node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


def unknown_tests(trace: str, root: Path = ROOT) -> list[str]:
    """Ids of rows whose last column is none of: existing tests, `partly: test; lacks what`, `not yet`, `out: why`."""
    return [row for row, shown_by in ROW.findall(trace) if not is_told(shown_by.strip(), root)]


def is_told(shown_by: str, root: Path) -> bool:
    if shown_by == "not yet" or (shown_by.startswith("out: ") and len(shown_by) > len("out: ")):
        return True
    partly = re.fullmatch(r"partly: (`[^`]+`); lacks .+", shown_by)
    named = [TEST.match(entry) for entry in (partly[1] if partly else shown_by).split(", ")]
    return all(test and (root / test[1]).is_file() and test[2] in names_in(root / test[1]) for test in named)


def covered(trace: str) -> int:
    return sum(shown_by.startswith("`") for _, shown_by in ROW.findall(trace))


def test_every_row_names_a_test_that_exists_or_says_why_not():
    trace = (ROOT / "docs/trace.md").read_text()
    assert len(ROW.findall(trace)) >= 100
    assert unknown_tests(trace) == []


def test_no_fewer_rows_are_covered_than_before():
    assert covered((ROOT / "docs/trace.md").read_text()) >= COVERED_AT_LEAST


@pytest.mark.parametrize(
    "shown_by", ["`tests/architecture/test_trace.py::test_that_is_not_there`", "`tests/nowhere.py::test_x`", "soon", ""]
)
def test_a_row_without_a_real_test_is_noticed(shown_by):
    assert unknown_tests(f"| a1-1 | something | works | {shown_by or ' '} |\n") == ["a1-1"]

"""What the house promises about itself: small files, one definition per fact, a lock that names public indexes only."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from deploy.checks import GENERATED

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
MOST_IN_A_FUNCTION = 50
SOURCES = {".py", ".mjs", ".js", ".css", ".html", ".sql", ".sh"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def python() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def long_files(paths: list[Path]) -> list[str]:
    return [path.name for path in paths if path.suffix in SOURCES and path.read_text().count("\n") > MOST_LINES]


def long_functions(path: Path) -> list[str]:
    functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [f"{path.name}:{node.name}" for node in functions if (node.end_lineno or 0) - node.lineno > MOST_IN_A_FUNCTION]


def test_no_file_is_longer_than_400_lines():
    assert long_files([path for path in tracked() if path != ROOT / GENERATED]) == []


def test_a_long_file_is_noticed(tmp_path):
    (tmp_path / "long.py").write_text("x = 1\n" * (MOST_LINES + 1))
    assert long_files([tmp_path / "long.py"]) == ["long.py"]


def test_no_function_is_longer_than_50_lines():
    assert [name for path in python() if "migrations" not in path.parts for name in long_functions(path)] == []


def test_a_handoff_has_one_definition_a_producer_a_consumer_and_tests():
    using = {str(path.relative_to(ROOT)) for path in python() if re.search(r"\bHandoffOffered\b", path.read_text())}
    defining = [path for path in python() if re.search(r"^class HandoffOffered\b", path.read_text(), re.MULTILINE)]
    assert [str(path.relative_to(ROOT)) for path in defining] == ["libs/contracts/src/contracts/dialog.py"]
    assert any(name.startswith("services/dialog/src/dialog/handlers") for name in using)
    assert "services/helpjourney/src/helpjourney/consumers.py" in using
    assert any("/tests/" in name for name in using)


@pytest.mark.parametrize("event", ["class QuestionAsked", "class ClaimsCounted", "class SessionEnded", "class AnswerApproved"])
def test_an_event_is_defined_once(event):
    assert sum(f"\n{event}(" in path.read_text() for path in python()) == 1


def test_the_lock_names_public_indexes_only():
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_node_locks_name_no_host():
    locks = [path for path in tracked() if path.name == "package-lock.json"]
    assert len(locks) >= 2
    assert not [path for path in locks if '"resolved"' in path.read_text()]


def test_every_service_has_the_same_rooms():
    for service in ("info", "dialog", "identity", "helpjourney", "reporting"):
        root = ROOT / "services" / service
        for room in ("__main__", "main", "settings", "domain", "store", "queries", "pages"):
            code = root / "src" / service
            assert (code / f"{room}.py").is_file() or (code / room / "__init__.py").is_file(), f"{service}: {room}"
        assert all((root / name).is_file() for name in ("README.md", "CHANGELOG.md", "pyproject.toml")), service
        assert list((root / "src" / service / "migrations/versions").glob("0001*.py")), service

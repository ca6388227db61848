"""The checks of the code, and the runner of the tests: each rule is broken on purpose."""

from collections import Counter
from pathlib import Path

import pytest

from deploy import checks, suites


def test_a_lock_that_names_a_mirror_is_refused():
    """INVARIANT: everybody can install from the lock."""
    good = 'source = { registry = "https://pypi.org/simple" }\nurl = "https://files.pythonhosted.org/packages/a.whl"'
    assert checks.foreign_hosts(good) == set()
    assert checks.foreign_hosts(good + '\nurl = "https://mirror.example/a.whl"') == {"mirror.example"}
    assert checks.foreign_addresses('{"node_modules/a": {"resolved": "https://mirror.example/a.tgz"}}') == {"https://mirror.example/a.tgz"}


def test_a_file_that_nobody_reads_to_its_end_is_named(tmp_path):
    long, short = tmp_path / "long.py", tmp_path / "short.py"
    long.write_text("\n" * 401)
    short.write_text("\n" * 400)
    assert checks.too_long([long, short]) == [f"{long}: 401 lines, at most 400"]


def test_a_program_that_fails_is_told_with_what_it_said_and_one_that_passes_is_silent():
    assert checks.run("x", ["sh", "-c", "echo found; exit 3"]).said == "found"
    assert checks.run("x", ["sh", "-c", "exit 3"]).said == "ended with code 3"
    assert checks.run("x", ["sh", "-c", "echo fine"]).said == ""


def test_index_settings_of_this_machine_reach_no_check(monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mirror.example")
    assert checks.run("x", ["sh", "-c", '[ -z "$UV_DEFAULT_INDEX" ]']).said == ""


def test_the_locks_of_this_checkout_hold():
    assert checks.own_rules().said == ""


REPORT = '<testsuites><testsuite errors="1" failures="2" skipped="3" tests="10"/></testsuites>'


def test_errors_count_as_failed_and_a_missing_report_as_nothing(tmp_path):
    report = tmp_path / "a.xml"
    report.write_text(REPORT)
    assert suites.counts(report) == Counter(passed=4, failed=3, skipped=3)
    assert suites.counts(tmp_path / "none.xml") == Counter()


def test_every_service_is_tested_in_an_environment_of_its_own():
    """INVARIANT: a dependency that a service doesn't declare is missing where it's tested."""
    alone = [suite for suite in suites.SUITES if suite.folder.startswith("services/")]
    assert len(alone) == len([path for path in (checks.ROOT / "services").iterdir() if (path / "pyproject.toml").exists()])
    assert {suite.python.parts[-4] for suite in alone} == {".venvs"}


@pytest.mark.parametrize(("file", "code"), [("def test_a(): assert 1", 0), ("def test_a(): assert 0", 1), ("", 0)])
def test_a_suites_exit_code_is_pytests_and_an_empty_one_is_no_failure(tmp_path, monkeypatch, file, code):
    monkeypatch.setattr(suites, "REPORTS", tmp_path)
    (tmp_path / "test_x.py").write_text(file)
    found, got = suites.run(suites.Suite(str(tmp_path)), ["-p", "no:cacheprovider", "-p", "no:servicekit"])
    assert (got, found["failed"]) == (code, code)
    assert Path(tmp_path / f"{str(tmp_path).replace('/', '-')}.xml").exists()

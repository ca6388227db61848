"""The report says of each row what shows it, and what it names is there."""

import random
from types import SimpleNamespace
from typing import cast

import pytest

from deploy.checks import ROOT
from deploy.local.platform import Platform
from tests.faults.report import page, unproven
from tests.faults.rig import Run
from tests.faults.rows import ROWS
from tests.faults.strikes import Strikes

pytestmark = pytest.mark.faults


def test_every_row_of_the_table_is_there_once():
    assert [row.name for row in ROWS] == [f"D{number}" for number in range(1, 20)]
    assert unproven() == [row.name for row in ROWS if row.not_shown.startswith("all of it")]


def test_the_tests_that_a_row_names_exist():
    named = [test for row in ROWS for test in row.tests if "/" in test]
    assert [test for test in named if not (ROOT / test).exists()] == []


def test_every_strike_belongs_to_a_row():
    three_brokers = cast("Platform", SimpleNamespace(kafka=SimpleNamespace(nodes=range(3))))
    struck = {work.__name__ for work in Strikes(three_brokers, random.Random(1)).weights()}
    assert struck == {strike for row in ROWS for strike in row.strikes}


def test_a_run_without_a_strike_says_so():
    assert "not struck" in page(Run(1), 0, 0, 1.0)

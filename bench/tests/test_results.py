"""What a figure says: percentiles, ratios, promises, and how they are shown."""

import json
from pathlib import Path

import pytest

from bench.results import Result, percentile, plot, table, write_json


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (0.991, 100), (1, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_few_values_never_look_better_than_they_are() -> None:
    assert percentile([7.0], 0.95) == 7.0
    assert percentile([1.0, 2.0, 30.0], 0.95) == 30.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_promise_is_kept_in_its_own_direction() -> None:
    assert Result("p99", "ms", 200, 4, 200).kept is True
    assert Result("p99", "ms", 201, 4, 200).kept is False
    assert Result("rate", "1/s", 299, target=300, higher_is_better=True).kept is False
    assert Result("rate", "1/s", 299).kept is None
    assert Result("p99", "ms", 200, 4).ratio == 50
    assert Result("p99", "ms", 200, None).ratio is None


def test_the_table_names_what_is_not_kept() -> None:
    shown = table([Result("front", "ms", 12.34, 2, 10), Result("search", "ms", 9, 2, 10)]).splitlines()
    assert len({len(line) for line in shown}) == 1
    assert [cell.strip() for cell in shown[2].strip("|").split("|")] == ["front", "ms", "12.3", "2", "6.17", "<= 10", "NO"]
    assert shown[3].rstrip("| ").endswith("yes")


def test_every_number_is_written_with_the_machine_it_is_from(tmp_path: Path) -> None:
    path = write_json("pages", [Result("front", "ms", 12, 2, 10, raw={"ms": [11, 12]})], tmp_path)
    read = json.loads(path.read_text())
    assert read["results"][0]["raw"] == {"ms": [11, 12]}
    assert (read["results"][0]["ratio"], read["results"][0]["kept"]) == (6, False)
    assert read["machine"]["cores"] >= 1
    assert read["versions"]["python"]
    assert len(list(tmp_path.glob("pages-*.json"))) == 1


def test_nothing_to_plot_makes_no_plot(tmp_path: Path) -> None:
    assert plot("pages", [], tmp_path) is None

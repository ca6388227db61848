"""What is said of two of each process, from results as a run gives them."""

import pytest

from bench import replicas
from bench.replicas import kills
from bench.replicas.order import wrong
from bench.results import Result


def results():
    rates = [
        Result(f"{name}, {count} of each process", unit, 100.0 * count, 100.0 if count > 1 else None, higher_is_better=True)
        for name, unit in replicas.UNITS.items()
        for count in (1, 2)
    ]
    killed = [Result(name, "s", 1.5, target=most) for name, most in replicas.KILLED.items()]
    return [*rates, *killed, Result(replicas.DISORDER, "keys", 0, target=0)]


def test_the_last_line_says_what_two_do_beside_one_and_how_long_each_killing_was_felt():
    assert replicas.summary(results()) == (
        "relay_2_beside_1=2.00x consumer_2_beside_1=2.00x pages_2_beside_1=2.00x"
        " consumer_killed_s=1.5 relay_killed_s=1.5 serving_killed_s=1.5 out_of_order=0"
    )


def test_where_no_engine_can_be_had_nothing_is_claimed():
    assert replicas.summary([]) == "not_measured"


def test_a_key_in_order_is_told_from_one_that_is_not():
    assert wrong({"a": 3}, {"a": [1, 2, 3]}, {"a": [2, 3]}) == []  # a batch applies several at once


@pytest.mark.parametrize(
    ("sent", "applied"),
    [([1, 3, 2], [3]), ([1, 3], [3]), ([1, 2, 3], [3, 2]), ([1, 2, 3], [1, 2]), ([1, 2, 3], [3, 3]), ([1, 2, 3], []), ([], [3])],
)
def test_what_is_swapped_missing_or_doubled_is_found(sent, applied):
    assert wrong({"a": 3}, {"a": sent}, {"a": applied})


def test_every_killing_has_a_limit():
    assert set(kills.ALL) == set(replicas.KILLED)

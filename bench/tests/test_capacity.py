"""From costs to what a day needs, and from two readings to a cost."""

from dataclasses import replace

import pytest

from bench.capacity.meters import Cost, Reading, between
from bench.capacity.model import BUSIEST_HOUR, Coefficients, Day

FREE = Coefficients(0, 0, 0, 0, at_rest=0.5, open_memory=0, memory=800, chat_bytes=0, handoff_bytes=0, chat_events=0, handoff_events=0)


def test_a_platform_at_rest_needs_what_it_takes_at_rest() -> None:
    needs = FREE.needs(Day.national())
    assert (needs["cores in the busiest hour"], needs["memory, MB"], needs["events a day"]) == (0.5, 800, 0)


@pytest.mark.parametrize(
    ("piece", "seconds_a_day"),
    [({"page": 0.01}, 2_700), ({"chat": 1}, 2_000), ({"handoff": 1}, 400), ({"open_second": 0.001}, 10_800)],
)
def test_each_piece_counts_as_often_as_it_happens(piece: dict[str, float], seconds_a_day: float) -> None:
    costs = replace(FREE, **piece)
    assert costs.cpu(Day.national()) == pytest.approx(seconds_a_day)
    assert costs.cpu(Day.national(10)) == pytest.approx(10 * seconds_a_day)
    assert costs.needs(Day.national())["cores in the busiest hour"] == pytest.approx(0.5 + seconds_a_day * BUSIEST_HOUR / 3600)


def test_open_pages_take_memory_while_they_are_open() -> None:
    needs = replace(FREE, open_memory=0.1).needs(Day.national())
    assert needs["open chat pages at once"] == pytest.approx(360)
    assert needs["memory, MB"] == pytest.approx(836)


def test_what_the_platform_does_anyhow_is_no_cost_of_the_work() -> None:
    rest = Cost(10, {"info": 1.0, "kafka": 2.0}, {}, 0, 0, 0)
    worked = Cost(20, {"info": 7.0, "kafka": 3.9}, {}, 5, 6, 7)
    assert worked.less(rest).cpu == {"info": 5.0, "kafka": 0.0}
    assert (worked.less(rest).databases, worked.less(rest).topics, worked.less(rest).events) == (5, 6, 7)


def test_a_part_that_came_later_counts_from_its_start() -> None:
    before = Reading(0, {"info": 5}, {"info": 100}, {"info": 10}, 1, 2)
    after = Reading(4, {"info": 6, "dialog": 3}, {"info": 90, "dialog": 50}, {"info": 30}, 8, 9)
    cost = between(before, after)
    assert (cost.seconds, cost.cpu, cost.databases, cost.topics, cost.events) == (4, {"info": 1, "dialog": 3}, 20, 7, 7)

"""The rules of the figures."""

from datetime import UTC, date, datetime, timedelta

import pytest
from reporting.charts import WIDTH, bar_chart, column_chart
from reporting.domain import (
    FUNNEL,
    PROMISES,
    WAIT_BOUNDS,
    InvalidPeriodError,
    Period,
    SharePromise,
    Step,
    Wait,
    WaitPromise,
    band_of,
    funnel,
    kept,
    median_bound,
    share,
    shown,
    whole_days,
)


@pytest.mark.parametrize("count", range(5))
def test_a_count_below_the_threshold_is_not_shown(count):
    """INVARIANT: no count below 5 is shown."""
    assert shown(count) is None
    assert share(count, 100) is None
    assert share(3, count) is None


def test_no_difference_of_two_shown_counts_is_a_small_cell():
    """INVARIANT: subtracting one figure from another never gives 1, 2, 3 or 4."""
    figures = [shown(count) for count in range(5, 200)]
    assert {abs(a - b) for a in figures for b in figures} & {1, 2, 3, 4} == set()


def test_a_share_says_no_more_than_the_counts_it_stands_beside():
    """INVARIANT: two pairs of exact counts that are shown alike have the same share."""
    assert share(23, 42) == share(27, 38) == share(25, 40) == round(100 * 25 / 40)


def test_the_funnel_joins_levels_by_ratios_of_counts():
    rows = {row.step: row for row in funnel({Step.CHATS_ACCEPTED: 40, Step.HANDOFFS_OFFERED: 20, Step.HANDOFFS_CLAIMED: 4})}
    assert rows[Step.HANDOFFS_OFFERED].percent == 50
    assert rows[Step.HANDOFFS_CLAIMED].count is None
    assert rows[Step.HANDOFFS_CLAIMED].percent is None
    assert [row.level for row in funnel({})] == sorted(level for level, _, _ in FUNNEL)


@pytest.mark.parametrize(("minutes", "band"), [(0, 0), (1, 0), (1.5, 1), (5, 2), (61, 6), (10**6, len(WAIT_BOUNDS))])
def test_a_wait_falls_into_one_band(minutes, band):
    assert band_of(minutes) == band


def test_the_median_wait_is_a_bound_and_needs_enough_waits():
    assert median_bound({0: 2, 3: 2}) is None
    assert median_bound({0: 3, 3: 2}) == 1
    assert median_bound({0: 1, 3: 9}) == 10
    assert median_bound({len(WAIT_BOUNDS): 9}) is None


@pytest.mark.parametrize("days", [0, -1, 401])
def test_a_period_that_makes_no_sense_is_refused(days):
    start = datetime(2026, 11, 1, tzinfo=UTC)
    with pytest.raises(InvalidPeriodError):
        Period(start, start + timedelta(days=days))


def test_a_promise_is_kept_broken_or_not_known():
    """INVARIANT: a promise about few says nothing: neither a share nor a verdict."""
    wait = WaitPromise("dialog", Wait.CHAT, 10, 80)
    assert kept(wait, {}, {Wait.CHAT: {0: 3}}).is_kept is None
    assert kept(wait, {}, {Wait.CHAT: {3: 40, 4: 10}}).is_kept is True
    assert kept(wait, {}, {Wait.CHAT: {3: 30, 4: 20}}).is_kept is False
    most = SharePromise("info", (Step.SEARCHES_EMPTY,), (Step.PAGES_READ,), at_most_percent=5)
    assert kept(most, {Step.SEARCHES_EMPTY: 5, Step.PAGES_READ: 100}, {}).is_kept is True
    assert kept(most, {Step.SEARCHES_EMPTY: 10, Step.PAGES_READ: 100}, {}).is_kept is False


def test_promises_are_about_bands_that_are_measured():
    assert all(promise.within_minutes in WAIT_BOUNDS for promise in PROMISES if isinstance(promise, WaitPromise))


def test_a_hidden_count_has_no_length():
    """INVARIANT: a drawing says no more than its table."""
    chart = bar_chart([(1, "a", 100, None, None), (2, "b", 40, None, None), (2, "c", None, "b", None), (2, "d", 10, "b", 25)])
    assert [bar.length for bar in chart.bars] == [WIDTH, WIDTH, None, WIDTH // 4]
    assert [level.number for level in chart.levels] == [1, 2]
    assert [column.height for column in column_chart([("", None), ("", 10)]).columns] == [None, 110]
    assert column_chart([("", None)] * 24).most is None


def test_days_are_whole_in_oslo_also_when_the_clock_changes():
    day = date(2026, 10, 25)
    assert (whole_days(day, day).first_day, whole_days(day, day).last_day) == (day, day)
    assert whole_days(day, day).end - whole_days(day, day).start == timedelta(hours=25)
    with pytest.raises(InvalidPeriodError):
        whole_days(date.max, date.max)

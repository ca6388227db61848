"""Where the shapes of a chart lie. Pure: counts in, coordinates out; what is hidden has no length that could be measured.

Units are those of the drawing's view box: one is one CSS pixel on a phone of 390 px.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 340
ROW = 46
"""Height of a row of the funnel: a line of text, the bar, some air."""
HEADING = 30
COLUMNS_HEIGHT = 110


@dataclass(frozen=True, slots=True)
class Bar:
    """One step of the funnel."""

    top: int
    level: int
    length: int | None
    """None = the count is hidden."""
    count: int | None
    percent: int | None
    step: str
    share_of: str | None


@dataclass(frozen=True, slots=True)
class Level:
    """The heading above the bars of one level."""

    top: int
    number: int


@dataclass(frozen=True, slots=True)
class BarChart:
    """The funnel: each level has a scale of its own, since level 1 is so much larger that the others would vanish."""

    height: int
    levels: Sequence[Level]
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `height` None = the count is hidden."""

    left: int
    width: int
    height: int | None
    label: str
    """Below it; empty where there is no room."""


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """Counts side by side."""

    columns: Sequence[Column]
    most: int | None
    """The largest count shown, at the top of the scale; None = all are hidden."""


FunnelRows = Iterable[tuple[int, str, int | None, str | None, int | None]]


def bar_chart(rows: FunnelRows) -> BarChart:
    """From (level, step, count, share_of, percent), in order."""
    known = list(rows)
    longest = {level: max((count or 0 for other, _, count, _, _ in known if other == level), default=0) for level, *_ in known}
    levels: list[Level] = []
    bars: list[Bar] = []
    top = 0
    for level, step, count, share_of, percent in known:
        if not levels or levels[-1].number != level:
            levels.append(Level(top, level))
            top += HEADING
        length = None if count is None else max(2, round(WIDTH * count / longest[level]))
        bars.append(Bar(top, level, length, count, percent, step, share_of))
        top += ROW
    return BarChart(top, levels, bars)


def column_chart(values: Sequence[tuple[str, int | None]]) -> ColumnChart:
    """From (label, count), in order."""
    most = max((count for _, count in values if count is not None), default=None)
    step = WIDTH / len(values)
    columns = [
        Column(
            left=round(number * step),
            width=max(4, round(step) - 3),
            height=None if count is None or most is None else max(2, round(COLUMNS_HEIGHT * count / most)),
            label=label,
        )
        for number, (label, count) in enumerate(values)
    ]
    return ColumnChart(columns, most)

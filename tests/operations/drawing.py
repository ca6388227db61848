"""Every panel's own queries, put to Prometheus and drawn: what Grafana would show."""

import math
import re
import time
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes

from deploy.observability.local import LocalPrometheus
from deploy.observability.panels import BOARDS, INTERVAL, Board, Panel

mpl.use("Agg")
from matplotlib import pyplot as plt

COLUMNS = 3
UNITS = {"short": ("", 1.0), "reqps": ("a second", 1.0), "cps": ("a second", 1.0), "percentunit": ("share", 1.0), "bytes": ("MB", 1e-6)}
"""Grafana's name of a unit -> ours, and by what the numbers are multiplied."""
DAY = 86_400.0
Line = tuple[str, list[tuple[float, float]]]
"""Name and points: epoch seconds, value."""
UNFILLED = re.compile(r"\{\{\w+\}\}")


def draw(prometheus: LocalPrometheus, folder: Path, seconds: float) -> tuple[int, list[str]]:
    """One picture per dashboard over the last `seconds`. Returns how many panels there are and which had nothing to show."""
    empty: list[str] = []
    end = time.time()
    for board in BOARDS:
        empty += _draw_board(prometheus, board, folder / f"{board.uid}.png", (end, seconds))
    return sum(len(board.panels) for board in BOARDS), empty


def asked(prometheus: LocalPrometheus, panel: Panel, end: float, seconds: float) -> list[Line]:
    """The lines of a panel that show anything."""
    lines = []
    for query in panel.queries:
        for found in prometheus.over_time(query.expr.replace(INTERVAL, "10s"), end, seconds, step=max(1.0, seconds / 600)):
            name = query.legend
            for label, value in found["metric"].items():
                name = name.replace(f"{{{{{label}}}}}", value)
            lines.append((UNFILLED.sub("", name).strip(), [(at, float(value)) for at, value in found["values"]]))
    return [line for line in lines if any(math.isfinite(value) for _, value in line[1])]


def _draw_board(prometheus: LocalPrometheus, board: Board, file: Path, window: tuple[float, float]) -> list[str]:
    rows = math.ceil(len(board.panels) / COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(15, 3.2 * rows), squeeze=False, layout="constrained")
    figure.suptitle(f"{board.title}; over seconds before the end")
    empty = []
    for axis, panel in zip(axes.flat, board.panels, strict=False):
        lines = asked(prometheus, panel, *window)
        if not lines:
            empty.append(f"{board.uid}: {panel.title}: no data")
        _draw(axis, panel, lines, window)
    for axis in axes.flat[len(board.panels) :]:
        axis.remove()
    figure.savefig(file, dpi=80)
    plt.close(figure)
    return empty


def _draw(axis: Axes, panel: Panel, lines: list[Line], window: tuple[float, float]) -> None:
    most = max((value for _, points in lines for _, value in points if math.isfinite(value)), default=0.0)
    unit, times = UNITS.get(panel.unit) or (("days", 1 / DAY) if most > DAY else ("s", 1.0))
    for name, points in lines:
        axis.plot([at - window[0] for at, _ in points], [value * times for _, value in points], linewidth=1.3, label=name or "-")
    axis.set_title(f"{panel.title} ({unit})" if unit else panel.title, fontsize=9)
    axis.tick_params(labelsize=7)
    axis.grid(color="#e5e5e5", linewidth=0.6)
    axis.set_xlim(-window[1], 0)
    top = max(most * times * 1.08, 1.0) if panel.unit == "short" or not most else most * times * 1.08
    axis.set_ylim(-0.04 * top, top)  # a line at 0 can be told from the axis
    if lines:
        axis.legend(fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, frameon=False)

"""Every panel's own queries, put to Prometheus and drawn: what Grafana would show."""

import math
import re
import time
from pathlib import Path
from typing import Any

from deploy.observability.local import LocalPrometheus
from deploy.observability.panels import BOARDS, INTERVAL, Board, Panel

COLUMNS = 3
LEGEND_LINES = 6
UNFILLED = re.compile(r"\{\{\w+\}\}")


def draw(prometheus: LocalPrometheus, folder: Path, seconds: float) -> tuple[int, list[str]]:
    """One picture per dashboard over the last `seconds`. Returns how many panels there are and which had nothing to show."""
    empty: list[str] = []
    end = time.time()
    for board in BOARDS:
        empty += _draw_board(prometheus, board, folder / f"{board.uid}.png", (end, seconds))
    return sum(len(board.panels) for board in BOARDS), empty


def asked(prometheus: LocalPrometheus, panel: Panel, end: float, seconds: float) -> list[tuple[str, list[list[Any]]]]:
    """The lines of a panel: name and points."""
    lines = []
    for query in panel.queries:
        for found in prometheus.over_time(query.expr.replace(INTERVAL, "10s"), end, seconds, step=max(1.0, seconds / 600)):
            name = query.legend
            for label, value in found["metric"].items():
                name = name.replace(f"{{{{{label}}}}}", value)
            lines.append((UNFILLED.sub("", name).strip(), found["values"]))
    return lines


def _draw_board(prometheus: LocalPrometheus, board: Board, file: Path, window: tuple[float, float]) -> list[str]:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = math.ceil(len(board.panels) / COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(15, 2.9 * rows), squeeze=False, layout="constrained")
    figure.suptitle(board.title)
    empty = []
    for axis, panel in zip(axes.flat, board.panels, strict=False):
        lines = asked(prometheus, panel, *window)
        if not lines:
            empty.append(f"{board.uid}: {panel.title}: no data")
        for name, points in lines:
            axis.plot([at - window[0] for at, _ in points], [float(value) for _, value in points], linewidth=1.2, label=name or "-")
        axis.set_title(f"{panel.title} ({panel.unit})", fontsize=9)
        axis.tick_params(labelsize=7)
        axis.set_xlim(-window[1], 0)
        axis.set_ylim(0, max(axis.get_ylim()[1], 1 if panel.unit == "short" else 0))
        if lines:
            axis.legend(*(part[:LEGEND_LINES] for part in axis.get_legend_handles_labels()), fontsize=6, loc="upper left")
    for axis in axes.flat[len(board.panels) :]:
        axis.remove()
    figure.savefig(file, dpi=80)
    plt.close(figure)
    return empty

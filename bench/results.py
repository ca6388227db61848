"""What a measurement says, and how it is shown: JSON with every number, a Markdown table, a plot."""

import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".local" / "bench"
"""Where results go, by part; git ignores it."""
MOST_BARS = 30
"""Of one unit in a plot."""
MEASURED = ("info", "servicekit", "webkit", "fastapi", "starlette", "uvicorn", "sqlalchemy", "asyncpg", "aiokafka", "pydantic", "jinja2")

Progress = Callable[[str], None]


@cache
def machine() -> Mapping[str, Any]:
    """What it ran on; `load` is the average number of runnable processes over the last minute, before the run."""
    cpu = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ""
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "system": platform.platform(),
        "cpu": cpu or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": memory,
        "load": round(os.getloadavg()[0], 2),
    }


@cache
def versions() -> Mapping[str, str]:
    """Python's and those of the packages that decide how fast it goes."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in MEASURED if find_spec(name)}


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure."""

    name: str
    unit: str
    """Of figure, floor and target, e.g. ms, events/s."""
    figure: float
    floor: float | None = None
    """The same measure of the least that could do such work here, under the same load; None where nothing compares."""
    target: float | None = None
    """What is promised; None for a figure that is only there to compare."""
    higher_is_better: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)
    """What the figure was made of: percentiles, counts, single measurements."""
    machine: Mapping[str, Any] = field(default_factory=machine)
    versions: Mapping[str, str] = field(default_factory=versions)

    @property
    def ratio(self) -> float | None:
        """Figure over floor."""
        return self.figure / self.floor if self.floor else None

    @property
    def kept(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.figure >= self.target if self.higher_is_better else self.figure <= self.target


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values don't exceed (nearest rank); ValueError without values."""
    if not values:
        raise ValueError("no values to take a percentile of")
    rank = ceil(round(share * len(values), 6))
    return sorted(values)[max(0, rank - 1)]


def write_json(part: str, results: Sequence[Result], folder: Path = FOLDER) -> Path:
    """Every number of a run, as `<part>.json` (the last one) and once more under the time it was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = datetime.now(UTC)
    document: dict[str, Any] = {
        "part": part,
        "measured_at": written.isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
    }
    document["results"] = [_plain(result) for result in results]
    text = json.dumps(document, ensure_ascii=False, indent=1)
    (folder / f"{part}-{written:%Y%m%dT%H%M%SZ}.json").write_text(text)
    (path := folder / f"{part}.json").write_text(text)
    return path


def _plain(result: Result) -> dict[str, Any]:
    shown = {name: value for name, value in asdict(result).items() if name not in ("machine", "versions")}
    return shown | {"ratio": result.ratio, "kept": result.kept}


def table(results: Sequence[Result]) -> str:
    """The figures as a Markdown table, for a terminal or a document."""
    rows = [("what", "unit", "figure", "floor", "ratio", "target", "kept")]
    rows += [
        (
            result.name,
            result.unit,
            _number(result.figure),
            _number(result.floor),
            _number(result.ratio),
            "" if result.target is None else f"{'>=' if result.higher_is_better else '<='} {_number(result.target)}",
            {None: "", True: "yes", False: "NO"}[result.kept],
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_row(row, widths) for row in rows]
    return "\n".join([lines[0], _row(tuple("-" * width for width in widths), widths), *lines[1:]])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = [cell.ljust(width) if index < 2 else cell.rjust(width) for index, (cell, width) in enumerate(zip(cells, widths, strict=True))]
    return f"| {' | '.join(shown)} |"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def plot(part: str, results: Sequence[Result], folder: Path = FOLDER) -> Path | None:
    """Bars of each figure with its floor and target, a panel per unit, as `<part>.png`; None where matplotlib isn't installed."""
    if not results or find_spec("matplotlib") is None:
        return None
    from matplotlib.figure import Figure

    units = list(dict.fromkeys(result.unit for result in results))
    heights = [min(MOST_BARS, sum(result.unit == unit for result in results)) + 1 for unit in units]
    figure = Figure(figsize=(10, 1 + 0.32 * sum(heights)), layout="constrained")
    panels = figure.subplots(len(units), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, unit in zip(panels, units, strict=True):
        shown = [result for result in results if result.unit == unit][:MOST_BARS][::-1]
        places = range(len(shown))
        panel.barh(places, [result.figure for result in shown], 0.6, color="#2d6a8f", label="measured")
        panel.barh(places, [result.floor or 0 for result in shown], 0.25, color="#e0a458", label="floor")
        for place, result in zip(places, shown, strict=True):
            if result.target is not None:
                panel.plot([result.target] * 2, [place - 0.4, place + 0.4], color="#b3261e", linewidth=2)
        panel.set_yticks(places, [result.name for result in shown], fontsize=8)
        panel.set_xlabel(f"{unit} (red: target)")
    panels[0].legend(loc="best", fontsize=8)
    figure.savefig(path := folder / f"{part}.png", dpi=120)
    return path


def say(text: str) -> None:
    """A line of progress, at once."""
    print(text, file=sys.stderr, flush=True)

"""The dashboards as Grafana reads them, made with Grafana's own builders."""

from itertools import count
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, SortOrder, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from deploy.observability.panels import Board, Panel

SOURCE = DataSourceRef(type_val="prometheus", uid="stegvis-prometheus")
HEIGHT, SPAN = 7, 8
"""Of 24 columns: three panels side by side."""


def as_json(board: Board) -> str:
    """The file that Grafana's provisioning reads."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .tags(["stegvis"])
        .readonly()
        .timezone("Europe/Oslo")
        .refresh("30s")
        .time("now-6h", "now")
    )
    numbers = count(1)
    for heading, panels in board.rows:
        made = made.with_row(dashboard.Row(heading).id(next(numbers)))
        for panel in panels:
            made = made.with_panel(_panel(panel).id(next(numbers)))
    return str(JSONEncoder(sort_keys=True, indent=1).encode(made.build())) + "\n"


def _panel(panel: Panel) -> Any:
    made = (
        timeseries.Panel().title(panel.title).description(panel.what).unit(panel.unit).datasource(SOURCE).height(HEIGHT).span(SPAN).min(0)
    )
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True).calcs([])
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    made = made.fill_opacity(8).line_width(2).legend(legend).tooltip(tooltip)
    for number, query in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(chr(ord("A") + number))
        made = made.with_target(target.datasource(SOURCE))
    return made

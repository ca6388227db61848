"""The figures as pages: the journey and the agencies' promises for everybody, operations' view for staff. All show protected counts."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from servicekit.problems import Problem
from servicekit.web.form import new_form
from servicekit.web.sessions import StaffSession
from webkit.i18n import mark
from webkit.renewal import renewal_of
from webkit.texts import places

from reporting.charts import WIDTH, bar_chart, column_chart
from reporting.domain import OSLO, ROUNDING, THRESHOLD, InvalidPeriodError, Period, whole_days
from reporting.labels import LEVELS, OWNERS, STEPS, WAIT_LABELS, WAITS
from reporting.queries import JourneyFigures, journey_figures, open_services, promises_kept, unanswered_by_hour

ROLE = "operator"
RENEWED = 10
"""Seconds between two looks at what is open now."""
PRESETS = (7, 28, 90, 365)
"""Days of the periods that one link away."""
NOT_A_DAY = mark("Skriv dagen som år-måned-dag, for eksempel 2026-11-01.")
WRONG_ORDER = mark("Den første dagen må komme før den siste.")
TOO_LONG = mark("Velg høyst 400 dager. Lenger tilbake er tallene slettet.")
router = APIRouter()


@router.get("/", summary="The journey in figures")
async def journey(request: Request) -> Response:
    period, asked = _asked(request)
    async with request.app.state.engine.connect() as connection:
        figures = await journey_figures(connection, period)
        missed = await unanswered_by_hour(connection, period)
    return _render(request, "journey.html", period, asked, **_shown(figures, missed))


@router.get("/lofter", summary="What each agency has promised, and how it was kept")
async def promises(request: Request) -> Response:
    period, asked = _asked(request)
    async with request.app.state.engine.connect() as connection:
        kept = await promises_kept(connection, period)
    by_owner = [(name, places()[name].owner, [row for row in kept if row.promise.owner == name]) for name in OWNERS]
    return _render(request, "promises.html", period, asked, agencies=by_owner, owners=OWNERS)


@router.get("/ansatt", summary="Operations: what is open, waits, unanswered by hour")
async def operations(request: Request, staff: StaffSession) -> Response:
    _require_operator(staff)
    period, asked = _asked(request)
    async with request.app.state.engine.connect() as connection:
        figures = await journey_figures(connection, period)
        missed = await unanswered_by_hour(connection, period)
        now_open = await open_services(connection)
    live = renewal_of(request, RENEWED)
    return _render(
        request,
        "operations.html",
        period,
        asked,
        level="staff",
        now_open=now_open,
        seen_at=_now(),
        live=live,
        form=new_form(staff),
        **_shown(figures, missed),
    )


@router.get("/ansatt/na", summary="What is open now; renews itself, also without script")
async def now(request: Request, staff: StaffSession) -> Response:
    _require_operator(staff)
    async with request.app.state.engine.connect() as connection:
        now_open = await open_services(connection)
    pages = request.app.state.pages
    response: Response = pages.render(
        request, "now.html", level="staff", refresh=RENEWED, now_open=now_open, seen_at=_now(), seconds=RENEWED
    )
    return response


def _require_operator(staff: Any) -> None:
    if ROLE not in staff.roles:
        raise Problem(403, "no_role")


def _now() -> datetime:
    return datetime.now(OSLO)


def _asked(request: Request) -> tuple[Period, Mapping[str, Any]]:
    """The period that was asked for. One that can't be shown leaves the usual one, and says why beside what was written."""
    today = _now().date()
    usual = whole_days(today - timedelta(days=request.app.state.settings.period_days - 1), today)
    values = {name: request.query_params.get(name, "")[:40] for name in ("fra", "til")}
    say = request.app.state.pages.translation(request)
    errors: dict[str, str] = {}
    days: dict[str, date] = {}
    for name, value in values.items():
        try:
            days[name] = date.fromisoformat(value) if value else today
        except ValueError:
            errors[name] = say(NOT_A_DAY)
    if not any(values.values()) or errors:
        return usual, {"values": values if errors else _values(usual), "errors": errors}
    if not values["fra"]:
        days["fra"] = days["til"] - timedelta(days=request.app.state.settings.period_days - 1)
    try:
        return whole_days(days["fra"], days["til"]), {"values": _values(whole_days(days["fra"], days["til"])), "errors": {}}
    except InvalidPeriodError:
        error = say(WRONG_ORDER if days["fra"] > days["til"] else TOO_LONG)
        return usual, {"values": values, "errors": {"fra": error}}


def _values(period: Period) -> dict[str, str]:
    return {"fra": period.first_day.isoformat(), "til": period.last_day.isoformat()}


def _render(request: Request, template: str, period: Period, asked: Mapping[str, Any], **context: Any) -> Response:
    today = _now().date()
    presets = [(days, f"?fra={today - timedelta(days=days - 1)}&til={today}") for days in PRESETS]
    response: Response = request.app.state.pages.render(
        request,
        template,
        422 if asked["errors"] else 200,
        period=period,
        presets=presets,
        query=f"?fra={period.first_day}&til={period.last_day}",
        threshold=THRESHOLD,
        rounding=ROUNDING,
        **asked,
        **context,
    )
    return response


def _shown(figures: JourneyFigures, missed: list[int | None]) -> dict[str, Any]:
    rows = [(row.level, row.step, row.count, row.share_of, row.percent) for row in figures.funnel]
    return {
        "figures": figures,
        "steps": STEPS,
        "waits": WAITS,
        "levels": LEVELS,
        "missed": missed,
        "chart_width": WIDTH,
        "bars": bar_chart(rows),
        "hours": column_chart([(f"{hour:02d}" if hour % 6 == 0 else "", count) for hour, count in enumerate(missed)]),
        "wait_charts": {
            row.wait: column_chart([(WAIT_LABELS[band], count) for band, (_, count) in enumerate(row.bands)]) for row in figures.waits
        },
    }

"""The figures as pages: the journey for everybody, and operations' view for staff. Both show the same protected counts."""

import csv
import io
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response
from servicekit.problems import Problem
from servicekit.web.sessions import StaffSession

from reporting.api import OSLO, FromDay, ToDay, period_of
from reporting.domain import ROUNDING, THRESHOLD
from reporting.labels import STEPS, WAITS
from reporting.queries import JourneyFigures, journey_figures, open_services, unanswered_by_hour

ROLE = "operator"
router = APIRouter()


@router.get("/", summary="The journey in figures")
async def journey(request: Request, first: FromDay = None, last: ToDay = None) -> Response:
    period = period_of(request, first, last)
    async with request.app.state.engine.connect() as connection:
        figures = await journey_figures(connection, period)
    response: Response = request.app.state.pages.render(request, "journey.html", **_shown(figures))
    return response


@router.get("/reisen.csv", summary="What the journey page shows, as CSV")
async def journey_csv(request: Request, first: FromDay = None, last: ToDay = None) -> Response:
    period = period_of(request, first, last)
    async with request.app.state.engine.connect() as connection:
        figures = await journey_figures(connection, period)
    text = request.app.state.pages.translation(request)
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";")
    writer.writerow([text("Nivå"), text("Steg"), text("Antall"), text("Andel av"), text("Prosent")])
    for row in figures.funnel:
        share_of = text(STEPS[row.share_of]) if row.share_of else ""
        writer.writerow([row.level, text(STEPS[row.step]), _cell(row.count), share_of, _cell(row.percent) if row.share_of else ""])
    headers = {"Content-Disposition": 'attachment; filename="reisen.csv"'}
    return Response("\ufeff" + file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/ansatt", summary="Operations: what is open, waits, unanswered by hour")
async def operations(request: Request, staff: StaffSession, first: FromDay = None, last: ToDay = None) -> Response:
    if ROLE not in staff.roles:
        raise Problem(403)
    period = period_of(request, first, last)
    async with request.app.state.engine.connect() as connection:
        figures = await journey_figures(connection, period)
        missed = await unanswered_by_hour(connection, period)
        now_open = await open_services(connection)
    response: Response = request.app.state.pages.render(
        request, "operations.html", level="staff", missed=list(enumerate(missed)), now_open=now_open, **_shown(figures)
    )
    return response


def _shown(figures: JourneyFigures) -> dict[str, object]:
    period = figures.period
    return {
        "figures": figures,
        "steps": STEPS,
        "waits": WAITS,
        "threshold": THRESHOLD,
        "rounding": ROUNDING,
        "from_day": period.start.astimezone(OSLO).date(),
        "to_day": (period.end - timedelta(seconds=1)).astimezone(OSLO).date(),
    }


def _cell(count: int | None) -> str:
    return f"<{THRESHOLD}" if count is None else str(count)

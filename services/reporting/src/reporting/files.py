"""The figures as files for a spreadsheet: what the pages show, no more. Semicolons and a byte order mark, as Norwegian Excel reads them."""

import csv
import io
from collections.abc import Iterable

from fastapi import APIRouter, Request
from fastapi.responses import Response

from reporting.api import FromDay, ToDay, period_of
from reporting.domain import THRESHOLD
from reporting.labels import STEPS, WAITS
from reporting.queries import journey_figures, unanswered_by_hour

router = APIRouter()


@router.get("/reisen.csv", summary="The journey step by step, as CSV")
async def journey_csv(request: Request, first: FromDay = None, last: ToDay = None) -> Response:
    period = period_of(request, first, last)
    async with request.app.state.engine.connect() as connection:
        figures = await journey_figures(connection, period)
    say = request.app.state.pages.translation(request)
    rows = [[say("Nivå"), say("Steg"), say("Antall"), say("Andel av"), say("Prosent")]]
    for row in figures.funnel:
        share_of = say(STEPS[row.share_of]) if row.share_of else ""
        rows.append([str(row.level), say(STEPS[row.step]), _cell(row.count), share_of, _cell(row.percent) if row.share_of else ""])
    return _file("reisen.csv", rows)


@router.get("/ventetid.csv", summary="Waits by band, and chats without an answer by hour of the day, as CSV")
async def waits_csv(request: Request, first: FromDay = None, last: ToDay = None) -> Response:
    period = period_of(request, first, last)
    async with request.app.state.engine.connect() as connection:
        figures = await journey_figures(connection, period)
        missed = await unanswered_by_hour(connection, period)
    say = request.app.state.pages.translation(request)
    rows = [[say("Hva"), say("Inntil minutter"), say("Klokka"), say("Antall")]]
    for wait in figures.waits:
        rows += [[say(WAITS[wait.wait]), "" if bound is None else str(bound), "", _cell(count)] for bound, count in wait.bands]
    rows += [[say("Chatter uten svar"), "", f"{hour:02d}", _cell(count)] for hour, count in enumerate(missed)]
    return _file("ventetid.csv", rows)


def _file(name: str, rows: Iterable[Iterable[str]]) -> Response:
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows(rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(count: int | None) -> str:
    return f"<{THRESHOLD}" if count is None else str(count)

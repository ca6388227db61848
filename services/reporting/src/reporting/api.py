"""The figures as JSON. Public, since nothing in them is below the threshold."""

from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from servicekit.problems import Problem

from reporting.domain import OSLO, ROUNDING, THRESHOLD, InvalidPeriodError, Period, whole_days
from reporting.queries import JourneyFigures, journey_figures

router = APIRouter(prefix="/api", tags=["figures"])


class FunnelStep(BaseModel):
    """One step of the journey."""

    step: str
    level: int = Field(description="1 open, 2 anonymous, 3 known")
    count: int | None = Field(description=f"Rounded to {ROUNDING}; null = below {THRESHOLD}")
    share_of: str | None = Field(description="The step that `percent` is taken of")
    percent: int | None


class WaitFigures(BaseModel):
    """One kind of wait."""

    wait: str
    median_minutes: int | None = Field(description="Upper bound of the band that holds the median; null = too few or longer")


class Journey(BaseModel):
    """The journey in one period: counts of contacts, not of persons."""

    from_day: date
    to_day: date
    threshold: int = THRESHOLD
    rounded_to: int = ROUNDING
    funnel: list[FunnelStep]
    waits: list[WaitFigures]
    chats_unanswered: int | None
    chats_unanswered_percent: int | None


FromDay = Annotated[date | None, Query(alias="fra", description="First day, Europe/Oslo")]
ToDay = Annotated[date | None, Query(alias="til", description="Last day, Europe/Oslo")]


def period_of(request: Request, first: date | None, last: date | None) -> Period:
    """The period from the first day to the last, both whole days in Europe/Oslo. Raises Problem 422."""
    today = datetime.now(OSLO).date()
    end = last or today
    start = first or end - timedelta(days=request.app.state.settings.period_days - 1)
    try:
        return whole_days(start, end)
    except InvalidPeriodError as error:
        raise Problem(422, "invalid_period", fields={"fra": "period", "til": "period"}) from error


@router.get("/journey", summary="The journey from level 1 to level 3 in one period")
async def journey(request: Request, first: FromDay = None, last: ToDay = None) -> Journey:
    period = period_of(request, first, last)
    async with request.app.state.engine.connect() as connection:
        return _document(await journey_figures(connection, period))


def _document(figures: JourneyFigures) -> Journey:
    return Journey(
        from_day=figures.period.first_day,
        to_day=figures.period.last_day,
        funnel=[
            FunnelStep(step=row.step, level=row.level, count=row.count, share_of=row.share_of, percent=row.percent)
            for row in figures.funnel
        ],
        waits=[WaitFigures(wait=row.wait, median_minutes=row.median_minutes) for row in figures.waits],
        chats_unanswered=figures.unanswered,
        chats_unanswered_percent=figures.unanswered_percent,
    )

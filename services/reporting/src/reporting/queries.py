"""What the figures say for one period, already fit to be shown: small counts are hidden here, not in the doors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.domain import PROMISES, WAIT_BOUNDS, FunnelRow, Kept, Period, Step, Wait, funnel, kept, median_bound, share, shown
from reporting.store import bands_of, by_hour_of_day, counts_of, help_services


@dataclass(frozen=True, slots=True)
class WaitRow:
    """How long one kind of wait was."""

    wait: Wait
    median_minutes: int | None
    """At most this long for half of them; None = too few, or longer than the last band."""
    bands: Sequence[tuple[int | None, int | None]]
    """Upper bound in minutes (None = longer), and the count that may be shown."""


@dataclass(frozen=True, slots=True)
class JourneyFigures:
    """The journey in one period."""

    period: Period
    funnel: Sequence[FunnelRow]
    waits: Sequence[WaitRow]
    unanswered: int | None
    unanswered_percent: int | None
    counts: Mapping[Step, int | None]


@dataclass(frozen=True, slots=True)
class OpenService:
    """A help service as it is now."""

    service_id: UUID
    name: str
    queue_length: int | None
    wait_minutes: int | None


async def journey_figures(connection: AsyncConnection, period: Period) -> JourneyFigures:
    counted = await counts_of(connection, period)
    waits = [_wait_row(wait, await bands_of(connection, period, wait)) for wait in Wait]
    unanswered = counted.get(Step.CHATS_UNANSWERED, 0) + counted.get(Step.CHATS_ABANDONED, 0)
    return JourneyFigures(
        period=period,
        funnel=funnel(counted),
        waits=waits,
        unanswered=shown(unanswered),
        unanswered_percent=share(unanswered, counted.get(Step.CHATS_REQUESTED, 0)),
        counts={step: shown(counted.get(step, 0)) for step in Step},
    )


def _wait_row(wait: Wait, bands: Mapping[int, int]) -> WaitRow:
    bounds = [*WAIT_BOUNDS, None]
    return WaitRow(wait, median_bound(bands), [(bound, shown(bands.get(band, 0))) for band, bound in enumerate(bounds)])


async def promises_kept(connection: AsyncConnection, period: Period) -> list[Kept]:
    """Every agency's promises, in the order of the catalogue."""
    counted = await counts_of(connection, period)
    waited = {wait: await bands_of(connection, period, wait) for wait in Wait}
    return [kept(promise, counted, waited) for promise in PROMISES]


async def unanswered_by_hour(connection: AsyncConnection, period: Period) -> list[int | None]:
    """Twenty-four counts that may be shown, by hour of the day in Europe/Oslo."""
    left = await by_hour_of_day(connection, period, Step.CHATS_ABANDONED)
    missed = await by_hour_of_day(connection, period, Step.CHATS_UNANSWERED)
    return [shown(left.get(hour, 0) + missed.get(hour, 0)) for hour in range(24)]


async def open_services(connection: AsyncConnection) -> list[OpenService]:
    chosen = help_services.c.is_open & help_services.c.name.is_not(None)
    rows = await connection.execute(select(help_services).where(chosen).order_by(help_services.c.name))
    return [OpenService(row.service_id, row.name, row.queue_length, row.wait_minutes) for row in rows]


async def step_totals(connection: AsyncConnection, period: Period) -> dict[Step, int]:
    """Exact totals for operations' own gauges; never for a page."""
    return await counts_of(connection, period)

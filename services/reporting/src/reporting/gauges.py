"""Keeps the gauges of the journey fresh for /metrics. Labels are steps, nothing else."""

from datetime import timedelta

from prometheus_client import Gauge
from servicekit.delivery.outbox import UnitOfWork

from reporting.domain import Period, Step
from reporting.queries import step_totals

STEP_COUNT = Gauge("stegvis_journey_steps", "Contacts and acts of the last 24 hours, by step of the journey", ["step"])


async def measure(uow: UnitOfWork) -> None:
    """Every step, also those that nobody took."""
    now = await uow.now()
    totals = await step_totals(uow.connection, Period(now - timedelta(hours=24), now + timedelta(hours=1)))
    for step in Step:
        STEP_COUNT.labels(step.value).set(totals.get(step, 0))

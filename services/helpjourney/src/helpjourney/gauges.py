"""What operations see of those who wait for a unit: how many that need it today, and the longest. No unit, no need, nobody."""

from prometheus_client import Gauge
from servicekit.delivery.outbox import UnitOfWork
from sqlalchemy import func, select

from helpjourney.domain.appointments import State
from helpjourney.queries.clinic import ACUTE
from helpjourney.store.appointments import appointments
from helpjourney.store.journeys import journeys

WISHES = Gauge("stegvis_wishes_waiting", "Wishes for an appointment that no unit has answered")
WISHES_OLDEST = Gauge("stegvis_wish_oldest_seconds", "How long the first of them waits, seconds")
ACUTE_WISHES = Gauge("stegvis_acute_wishes", "Of these, those who need help today")
ACUTE_OLDEST = Gauge("stegvis_acute_wish_oldest_seconds", "How long the first of those who need help today waits, seconds")


async def measure(uow: UnitOfWork) -> None:
    """By the database's clock."""
    wished = appointments.c.state == State.WISHED.value
    today = journeys.c.urgency == ACUTE
    joined = appointments.join(journeys, journeys.c.id == appointments.c.journey_id)
    now = await uow.now()
    for which, count, oldest in ((wished, WISHES, WISHES_OLDEST), (wished & today, ACUTE_WISHES, ACUTE_OLDEST)):
        query = select(func.count(), func.min(appointments.c.wished_at)).select_from(joined).where(which)
        number, first = (await uow.connection.execute(query)).one()
        count.set(number)
        oldest.set((now - first).total_seconds() if first else 0)

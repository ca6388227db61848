"""A youth with a journey and a clinician at a unit, as the tests of appointments begin."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

from helpjourney.domain.appointments import Reminding
from helpjourney.handlers.appointments import BookTime, OfferTimes, WishAppointment, book_time, offer_times, wish_appointment
from helpjourney.handlers.journeys import Clinician, EnterDirectly, enter_directly
from helpjourney.store.appointments import appointments, slots
from helpjourney_givens import BUCKET, KEEPING, OPENER, a_unit, born, listed
from servicekit.delivery.outbox import Begin, UnitOfWork
from sqlalchemy import select

from deploy.testing import Database, told

NOTE = "Helst ikke når klassen har gym. Kanarifugl-4410."


class Scene:
    """A youth with a journey, and a clinician at a unit that she can wish for."""

    def __init__(self, database: Database) -> None:
        self.database, self.begin = database, database.begin
        self.subject = uuid4()
        self.by = Clinician(uuid4(), "1234567")
        self.journey_id = UUID(int=0)

    async def enter(self) -> "Scene":
        await listed(self.database, a_unit(self.by.service_id))
        async with self.begin() as uow:
            command = EnterDirectly(self.subject, born(15), BUCKET, KEEPING)
            self.journey_id = await enter_directly(command, OPENER.vault, uow)
        return self

    async def wish(self, note: str = NOTE, **changes: object) -> UUID:
        asked = {"journey_id": self.journey_id, "subject": self.subject, "service_id": self.by.service_id, "suits": ("mon", "evening")}
        asked |= {"note": note, "shares_summary": True, "reminder": Reminding.TEXT, "language": "nb", "keeping": KEEPING}
        async with self.begin() as uow:
            return await wish_appointment(WishAppointment(**(asked | changes)), OPENER.vault, uow)  # type: ignore[arg-type]

    async def offer(self, appointment_id: UUID, *days: int, by: Clinician | None = None) -> list[UUID]:
        async with self.begin() as uow:
            now = await uow.now()
            times = tuple(now + timedelta(days=day) for day in days)
            await offer_times(OfferTimes(appointment_id, by or self.by, times, 30), uow)
        async with self.database.engine.connect() as connection:
            query = select(slots.c.id).where(slots.c.appointment_id == appointment_id).order_by(slots.c.starts_at)
            return list(await connection.scalars(query))

    async def book(self, appointment_id: UUID, slot_id: UUID) -> None:
        async with self.begin() as uow:
            await book_time(BookTime(appointment_id, self.subject, slot_id, KEEPING), uow)

    async def booked(self, days: int = 3) -> UUID:
        appointment_id = await self.wish()
        await self.book(appointment_id, (await self.offer(appointment_id, days))[0])
        return appointment_id

    async def state(self, appointment_id: UUID) -> str | None:
        async with self.database.engine.connect() as connection:
            return await connection.scalar(select(appointments.c.state).where(appointments.c.id == appointment_id))

    async def facts(self, key: UUID) -> list[tuple[int, str]]:
        async with self.database.engine.connect() as connection:
            return [(fact.sequence, fact.type.split(".")[2]) for fact in await told(connection) if fact.key == key]


async def run(begin: Begin, act: Callable[[UnitOfWork], Awaitable[None]]) -> None:
    async with begin() as uow:
        await act(uow)

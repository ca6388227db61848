"""What operations see of those who wait for a unit."""

from datetime import timedelta

from helpjourney import gauges
from helpjourney.gauges import measure
from helpjourney.store.journeys import journeys
from helpjourney_scene import Scene
from sqlalchemy import update


async def test_a_wish_of_today_is_counted_until_the_unit_answers(scene: Scene) -> None:
    """INVARIANT: the gauge behind the alert grows while no unit has answered, and is 0 afterwards."""
    appointment_id = await scene.wish()
    async with scene.database.engine.begin() as connection:
        await connection.execute(update(journeys).where(journeys.c.id == scene.journey_id).values(urgency="today"))
    async with scene.database.begin_at(timedelta(minutes=40))() as uow:
        await measure(uow)
    assert (gauges.WISHES._value.get(), gauges.ACUTE_WISHES._value.get()) == (1, 1)
    assert 2400 <= gauges.ACUTE_OLDEST._value.get() < 2500
    await scene.offer(appointment_id, 2)
    async with scene.begin() as uow:
        await measure(uow)
    assert (gauges.WISHES._value.get(), gauges.ACUTE_WISHES._value.get(), gauges.ACUTE_OLDEST._value.get()) == (0, 0, 0)

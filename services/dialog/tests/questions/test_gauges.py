"""What operations see of those who wait."""

from datetime import timedelta

from dialog import gauges
from dialog.gauges import measure
from dialog.handlers.answers import AssignQuestion, assign_question


async def test_an_acute_question_is_counted_until_somebody_takes_it(panel) -> None:
    """INVARIANT: the gauge behind the alert grows while nobody has taken the question, and is 0 afterwards."""
    await panel.ask(text="Jeg lurer på noe.")
    code = await panel.ask(text="Jeg vil ta livet mitt.")
    async with panel.database.begin_at(timedelta(minutes=6))() as uow:
        await measure(uow)
    assert (gauges.QUESTIONS._value.get(), gauges.ACUTE._value.get()) == (2, 1)
    assert 360 <= gauges.ACUTE_OLDEST._value.get() < 480  # asked at a whole minute, at most one before
    async with panel.database.begin() as uow:
        await assign_question(AssignQuestion((await panel.question(code)).id, panel.writer), uow)
    async with panel.database.begin() as uow:
        await measure(uow)
    assert (gauges.QUESTIONS._value.get(), gauges.ACUTE._value.get(), gauges.ACUTE_OLDEST._value.get()) == (1, 0, 0)

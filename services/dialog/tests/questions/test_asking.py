"""What happens when a youth asks, on a real database."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from dialog.domain.questions import QuestionsFullError, TooManyQuestionsError
from dialog.store.questions import questions
from sqlalchemy import select, text

from deploy.testing import Told

Types = Callable[[list[Told]], list[tuple[str, int]]]


async def test_a_question_is_kept_encrypted_and_told_without_its_text(panel: Any, types: Types) -> None:
    """INVARIANT: what she writes stands in clear nowhere: no column, no fact."""
    code = await panel.ask(text="Kanarifugl Hansen lurer på noe")
    question = await panel.question(code)
    async with panel.database.engine.connect() as connection:
        tables = list(await connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")))
        for table in tables:
            rows = (await connection.execute(text(f'select t::text from "{table}" t'))).scalars().all()
            assert not any("Kanarifugl" in row or b"Kanarifugl".hex() in row for row in rows), table
    assert panel.desk.vault.decrypt(question.data_key, question.text, question.context) == "Kanarifugl Hansen lurer på noe"
    facts = await panel.told()
    assert types(facts) == [("question.asked", 1)]
    assert facts[0].data == {
        "question_id": str(question.id),
        "topic_code": "mental_health",
        "age_band": "13_15",
        "language": "nn",
    }


async def test_nothing_in_a_question_tells_who_or_when_to_the_second(panel: Any) -> None:
    """INVARIANT: no column of a question names a browser, and no time is finer than a minute."""
    browser = uuid4().bytes
    code = await panel.ask(browser=browser)
    async with panel.database.engine.connect() as connection:
        row = (await connection.execute(select(questions).where(questions.c.receipt_hash == code))).one()
    assert (row.asked_at.second, row.asked_at.microsecond, row.delete_after.second) == (0, 0, 0)
    assert browser not in row._tuple()


async def test_a_listed_word_puts_it_first_and_is_told(panel: Any, types: Types) -> None:
    code = await panel.ask(text="Eg vil ikkje leve lenger")
    question = await panel.question(code)
    assert question.acute
    assert types(await panel.told(question.id)) == [("question.asked", 1), ("question.flagged_acute", 2)]
    assert question.told == 2


async def test_the_fourth_question_within_an_hour_is_refused_and_the_next_hour_is_open(panel: Any) -> None:
    """INVARIANT: three questions per browser and hour; another browser, perhaps at the same school, isn't touched."""
    browser = uuid4().bytes
    for _ in range(3):
        await panel.ask(browser=browser)
    with pytest.raises(TooManyQuestionsError):
        await panel.ask(browser=browser)
    await panel.ask(browser=uuid4().bytes)
    later = panel.database.begin_at(timedelta(minutes=61))
    await panel.ask(browser=browser, begin=later)


async def test_of_many_at_once_only_three_get_through(panel: Any) -> None:
    """INVARIANT: two requests at the same time can't both be the last allowed."""
    browser = uuid4().bytes
    outcomes = await asyncio.gather(*(panel.ask(browser=browser) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 3
    assert {type(outcome) for outcome in outcomes} == {bytes, TooManyQuestionsError}


async def test_above_capacity_nothing_is_taken_in_and_an_answer_makes_room(panel: Any) -> None:
    small = panel.limited(capacity=2)
    first = await small.ask()
    await small.ask()
    with pytest.raises(QuestionsFullError) as full:
        await small.ask()
    assert (full.value.waiting, full.value.capacity) == (2, 2)
    await small.answer(first)
    await small.ask()


async def test_a_refused_question_tells_nobody(panel: Any, types: Types) -> None:
    """INVARIANT: no fact without its state."""
    small = panel.limited(capacity=0)
    with pytest.raises(QuestionsFullError):
        await small.ask(text="jeg vil dø")
    assert await panel.told() == []

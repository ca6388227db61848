"""Deletion, withdrawal and the day when a text must be gone, on a real database."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from dialog.domain.questions import NotForPublishingError, TooManyCodesError
from dialog.handlers.questions import (
    DeleteQuestion,
    RateAnswer,
    WithdrawPublication,
    delete_question,
    rate_answer,
    withdraw_publication,
)
from dialog.store.publications import publications
from dialog.store.questions import questions
from dialog.store.tries import tries
from dialog.timers.questions import TIMERS
from servicekit.delivery.outbox import Begin
from servicekit.timers import ensure_recurring, run_due
from sqlalchemy import func, select

from deploy.testing import Told

Types = Callable[[list[Told]], list[tuple[str, int]]]


async def delete(panel: Any, code: bytes, *, recall: bool = True, browser: bytes | None = None) -> None:
    async with panel.database.begin() as uow:
        await delete_question(DeleteQuestion(code, browser or uuid4().bytes, recall), uow, panel.desk)


async def withdraw(panel: Any, code: bytes) -> None:
    async with panel.database.begin() as uow:
        await withdraw_publication(WithdrawPublication(code, uuid4().bytes), uow, panel.desk)


async def rows(panel: Any, table: Any) -> int:
    async with panel.database.engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def sweep(begin: Begin) -> None:
    """Everything that is due at that time, as the running service would do it."""
    await ensure_recurring(begin, TIMERS)
    await run_due(begin, TIMERS)


async def test_a_deleted_question_leaves_neither_row_nor_key_and_is_told(panel: Any, types: Types) -> None:
    """INVARIANT: her deletion is at once and leaves nothing to open."""
    code = await panel.ask()
    question = await panel.question(code)
    await delete(panel, code)
    assert await rows(panel, questions) == 0
    assert await panel.open(code) is None
    assert types(await panel.told(question.id)) == [("question.asked", 1), ("question.withdrawn", 2), ("question.deleted", 3)]


async def test_deleting_twice_tells_once(panel: Any) -> None:
    code = await panel.ask()
    await delete(panel, code)
    before = await panel.told()
    await delete(panel, code)
    assert await panel.told() == before


async def test_deleting_with_the_public_text_recalls_it(panel: Any, types: Types) -> None:
    code = await panel.ask()
    publication = await panel.publish(await panel.answer(code))
    await delete(panel, code, recall=True)
    assert types(await panel.told(publication)) == [("answer.approved", 1), ("answer.recalled", 2)]
    assert await rows(panel, publications) == 0


async def test_a_public_text_left_standing_can_still_be_taken_back_by_the_code(panel: Any, types: Types) -> None:
    """INVARIANT: her code recalls the public text as long as it stands, also after the question is gone."""
    code = await panel.ask()
    publication = await panel.publish(await panel.answer(code))
    await delete(panel, code, recall=False)
    own = await panel.open(code)
    assert (own.text, own.answer, own.is_public) == (None, None, True)
    await withdraw(panel, code)
    assert types(await panel.told(publication)) == [("answer.approved", 1), ("answer.recalled", 2)]
    assert await panel.open(code) is None


async def test_a_withdrawal_before_the_editor_stops_the_editor(panel: Any) -> None:
    """INVARIANT: her no, also after a yes, is the last word."""
    code = await panel.ask()
    question_id = await panel.answer(code)
    await withdraw(panel, code)
    with pytest.raises(NotForPublishingError):
        await panel.publish(question_id)
    own = await panel.open(code)
    assert own.answer is not None
    assert not own.may_publish


async def test_a_withdrawal_keeps_the_answer_readable(panel: Any) -> None:
    code = await panel.ask()
    await panel.publish(await panel.answer(code))
    assert (await panel.open(code)).is_public
    await withdraw(panel, code)
    own = await panel.open(code)
    assert own.answer is not None
    assert not own.is_public


async def test_an_unanswered_question_is_deleted_after_ninety_days(panel: Any, types: Types) -> None:
    """INVARIANT: every text has a last day, counted from the first."""
    code = await panel.ask()
    question = await panel.question(code)
    await sweep(panel.database.begin_at(timedelta(days=89)))
    assert await panel.read(code) is not None
    await sweep(panel.database.begin_at(timedelta(days=90, minutes=2)))
    assert await panel.read(code) is None
    assert types(await panel.told(question.id)) == [("question.asked", 1), ("question.deleted", 2)]


async def test_an_answered_question_is_deleted_thirty_days_after_the_answer(panel: Any, types: Types) -> None:
    """INVARIANT: the answer gives thirty days from itself, whatever was left of the ninety."""
    code = await panel.ask()
    await panel.answer(code, begin=panel.database.begin_at(timedelta(days=80)))
    await sweep(panel.database.begin_at(timedelta(days=109)))
    assert await panel.read(code) is not None
    await sweep(panel.database.begin_at(timedelta(days=110, minutes=2)))
    assert await panel.read(code) is None
    assert types(await panel.told())[-1] == ("question.deleted", 4)


async def test_a_public_text_outlives_the_question_but_not_her_no(panel: Any, types: Types) -> None:
    code = await panel.ask()
    publication = await panel.publish(await panel.answer(code))
    await sweep(panel.database.begin_at(timedelta(days=31)))
    assert await rows(panel, questions) == 0
    await withdraw(panel, code)
    assert types(await panel.told(publication)) == [("answer.approved", 1), ("answer.recalled", 2)]


async def test_who_tried_what_is_forgotten_after_an_hour(panel: Any) -> None:
    """INVARIANT: the abuse floor remembers no longer than it counts."""
    await panel.ask()
    await panel.open(uuid4().bytes)
    assert await rows(panel, tries) == 2
    await sweep(panel.database.begin_at(timedelta(minutes=62)))
    assert await rows(panel, tries) == 0


async def test_a_browser_that_tries_many_codes_must_wait_and_no_other(panel: Any) -> None:
    """INVARIANT: guessing stops early, and only for the guesser."""
    browser = uuid4().bytes
    code = await panel.ask()
    await panel.answer(code)
    for _ in range(5):
        assert await panel.open(uuid4().bytes, browser) is None
    for _ in range(2):
        with pytest.raises(TooManyCodesError):
            await panel.open(code, browser)
    with pytest.raises(TooManyCodesError):
        await delete(panel, uuid4().bytes, browser=browser)
    assert (await panel.open(code)).answer
    assert (await panel.open(code, browser, panel.database.begin_at(timedelta(minutes=62)))).answer


async def test_a_right_code_costs_no_try(panel: Any) -> None:
    browser = uuid4().bytes
    code = await panel.ask()
    await panel.answer(code)
    for _ in range(9):
        assert (await panel.open(code, browser)).answer


async def test_whether_it_helped_is_noted_and_told_to_nobody(panel: Any) -> None:
    code = await panel.ask()
    async with panel.database.begin() as uow:
        await rate_answer(RateAnswer(code, helpful=True), uow)
    assert (await panel.question(code)).helpful is None
    await panel.answer(code)
    before = await panel.told()
    async with panel.database.begin() as uow:
        await rate_answer(RateAnswer(code, helpful=False), uow)
    assert (await panel.question(code)).helpful is False
    assert await panel.told() == before

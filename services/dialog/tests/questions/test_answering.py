"""The panel's work with a question, on a real database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from dialog.domain.questions import (
    AlreadyAnsweredError,
    AlreadyPublishedError,
    Answerer,
    AssignedElsewhereError,
    EditorOnlyError,
    NotForPublishingError,
)
from dialog.handlers.answers import (
    AnswerQuestion,
    AssignQuestion,
    CommentDraft,
    DraftAnswer,
    HandBackQuestion,
    MarkAcute,
    answer_question,
    assign_question,
    comment_draft,
    draft_answer,
    hand_back_question,
    mark_acute,
)
from dialog.handlers.publications import ApproveAnswer, approve_answer
from dialog.queries.questions import approval_queue, panel_question, panel_queue, question_state
from dialog.store.questions import QuestionNotFoundError

from deploy.testing import Told

Types = Callable[[list[Told]], list[tuple[str, int]]]
NOW = datetime.now(UTC)


async def test_an_answer_is_told_with_the_minutes_she_waited(panel: Any, types: Types) -> None:
    code = await panel.ask()
    question_id = await panel.answer(code, begin=panel.database.begin_at(timedelta(minutes=95)))
    facts = await panel.told(question_id)
    assert types(facts) == [("question.asked", 1), ("question.assigned", 2), ("question.answered", 3)]
    assert facts[1].data["organisation"] == "999999901"
    assert facts[2].data["waited_minutes"] in {95, 96}


async def test_the_answer_is_read_by_the_code_and_stands_in_clear_nowhere(panel: Any) -> None:
    """INVARIANT: the answer is as secret as the question."""
    code = await panel.ask(text="Spørsmålet mitt")
    assert await panel.open(code) is None
    await panel.answer(code, text="Svaret Hemmelig")
    own = await panel.open(code)
    assert (own.text, own.answer, own.answered_by) == ("Spørsmålet mitt", "Svaret Hemmelig", "Helsesykepleier, Prøveetaten")
    assert b"Hemmelig" not in (await panel.question(code)).answer
    assert "Hemmelig" not in repr(await panel.told())


async def test_one_of_two_organisations_gets_the_question(panel: Any, types: Types) -> None:
    """INVARIANT: one winner."""
    question = await panel.question(await panel.ask())

    async def take(answerer: Answerer) -> None:
        async with panel.database.begin() as uow:
            await assign_question(AssignQuestion(question.id, answerer), uow)

    outcomes = await asyncio.gather(take(panel.writer), take(panel.stranger), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AssignedElsewhereError", "NoneType"]
    assert types(await panel.told(question.id)) == [("question.asked", 1), ("question.assigned", 2)]


async def test_taking_it_twice_or_marking_it_twice_tells_once(panel: Any, types: Types) -> None:
    question = await panel.question(await panel.ask())
    for _ in range(2):
        async with panel.database.begin() as uow:
            await assign_question(AssignQuestion(question.id, panel.writer), uow)
            await mark_acute(MarkAcute(question.id, panel.writer), uow)
    assert types(await panel.told(question.id)) == [("question.asked", 1), ("question.assigned", 2), ("question.flagged_acute", 3)]


async def test_a_mark_neither_closes_nor_hides(panel: Any) -> None:
    """INVARIANT: acute means first, and nothing else."""
    question = await panel.question(await panel.ask())
    async with panel.database.begin() as uow:
        await mark_acute(MarkAcute(question.id, panel.stranger), uow)
    marked = await panel.question(question.receipt_hash)
    assert (marked.acute, marked.status, marked.text, marked.delete_after) == (True, question.status, question.text, question.delete_after)


async def test_the_queue_has_acute_first_then_the_longest_wait(panel: Any) -> None:
    oldest = await panel.question(await panel.ask())
    acute = await panel.question(await panel.ask(begin=panel.database.begin_at(timedelta(minutes=5)), text="jeg vil dø"))
    newest = await panel.question(await panel.ask(begin=panel.database.begin_at(timedelta(minutes=9))))
    async with panel.database.engine.connect() as connection:
        listed = await panel_queue(connection, panel.writer, NOW)
    assert [line.id for line in listed] == [acute.id, oldest.id, newest.id]
    assert not any(hasattr(line, "text") for line in listed)


async def test_another_organisations_question_is_neither_listed_nor_read(panel: Any) -> None:
    """INVARIANT: what one organisation has taken, no other reads; editors do, they answer for the whole."""
    question = await panel.question(await panel.ask())
    async with panel.database.begin() as uow:
        await assign_question(AssignQuestion(question.id, panel.writer), uow)
    async with panel.database.engine.connect() as connection:
        assert await panel_queue(connection, panel.stranger, NOW) == []
        with pytest.raises(AssignedElsewhereError):
            await panel_question(connection, question.id, panel.stranger, panel.desk.vault, NOW)
        assert (await panel_question(connection, question.id, panel.editor, panel.desk.vault, NOW)).text
        with pytest.raises(QuestionNotFoundError):
            await panel_question(connection, uuid4(), panel.writer, panel.desk.vault, NOW)


async def test_a_second_reader_sends_what_a_colleague_drafted(panel: Any) -> None:
    question = await panel.question(await panel.ask())
    colleague = Answerer(uuid4(), panel.writer.organisation, panel.writer.roles)
    async with panel.database.begin() as uow:
        await assign_question(AssignQuestion(question.id, panel.writer), uow)
        await draft_answer(DraftAnswer(question.id, panel.writer, "Kladd", second_read=True), uow, panel.desk)
        assert [line.mine_to_read for line in await panel_queue(uow.connection, colleague, NOW)] == [True]
        assert [line.mine_to_read for line in await panel_queue(uow.connection, panel.writer, NOW)] == [False]
        await comment_draft(CommentDraft(question.id, colleague, "Kortere"), uow, panel.desk)
        found = await panel_question(uow.connection, question.id, panel.writer, panel.desk.vault, NOW)
        assert (found.answer, found.note) == ("Kladd", "Kortere")
        await draft_answer(DraftAnswer(question.id, panel.writer, "Kort", second_read=True), uow, panel.desk)
        await answer_question(AnswerQuestion(question.id, colleague, "Kort", "Lege, P"), uow, panel.desk)
    assert (await panel.open(question.receipt_hash)).answer == "Kort"


async def test_a_draft_is_never_shown_to_the_asker(panel: Any) -> None:
    """INVARIANT: she reads what was sent, not what was tried."""
    question = await panel.question(await panel.ask())
    async with panel.database.begin() as uow:
        await assign_question(AssignQuestion(question.id, panel.writer), uow)
        await draft_answer(DraftAnswer(question.id, panel.writer, "Kladd", second_read=False), uow, panel.desk)
    assert await panel.open(question.receipt_hash) is None
    async with panel.database.begin() as uow:
        await hand_back_question(HandBackQuestion(question.id, panel.writer), uow)
    assert (await panel.question(question.receipt_hash)).answer is None


async def test_two_answers_at_once_leave_one(panel: Any) -> None:
    """INVARIANT: the answer doesn't change under the reader."""
    question = await panel.question(await panel.ask())
    async with panel.database.begin() as uow:
        await assign_question(AssignQuestion(question.id, panel.writer), uow)

    async def send(text: str) -> None:
        async with panel.database.begin() as uow:
            await answer_question(AnswerQuestion(question.id, panel.writer, text, "Lege, P"), uow, panel.desk)

    outcomes = await asyncio.gather(send("en"), send("to"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [AlreadyAnsweredError]


async def test_only_an_editor_approves_and_only_what_the_asker_allows(panel: Any, types: Types) -> None:
    """INVARIANT: nothing is published without her yes."""
    private = await panel.answer(await panel.ask(may_publish=False))
    public = await panel.answer(await panel.ask(may_publish=True))
    with pytest.raises(NotForPublishingError):
        await panel.publish(private)
    with pytest.raises(EditorOnlyError):
        async with panel.database.begin() as uow:
            await approve_answer(ApproveAnswer(public, panel.writer, "T", "S", "A"), uow)
    async with panel.database.engine.connect() as connection:
        assert [line.id for line in await approval_queue(connection, panel.editor, NOW)] == [public]
    publication = await panel.publish(public)
    with pytest.raises(AlreadyPublishedError):
        await panel.publish(public)
    assert types(await panel.told(publication)) == [("answer.approved", 1)]


async def test_what_is_published_is_the_editors_text_under_an_unrelated_id(panel: Any) -> None:
    """INVARIANT: no id of the question and no word of hers travels with the public text."""
    code = await panel.ask(text="Jeg heter Kanarifugl")
    question_id = await panel.answer(code)
    publication = await panel.publish(question_id)
    (fact,) = await panel.told(publication)
    assert fact.topic == "dialog.publications.v1"
    assert str(question_id) not in repr(fact)
    assert "Kanarifugl" not in repr(fact)
    assert (fact.data["title"], fact.data["question"], fact.data["answer"]) == ("En tittel", "Et spørsmål", "Et svar")
    assert fact.data["answered_by"] == "Helsesykepleier, Prøveetaten"
    assert publication != question_id


async def test_a_usual_wait_is_told_from_five_answers_on(panel: Any) -> None:
    for number in range(5):
        async with panel.database.engine.connect() as connection:
            assert (await question_state(connection, 50)).usual_wait is None, number
        await panel.answer(await panel.ask(), begin=panel.database.begin_at(timedelta(minutes=50)))  # 51 if a minute is over meanwhile
    async with panel.database.engine.connect() as connection:
        state = await question_state(connection, 50)
    assert state.usual_wait == timedelta(hours=1)
    assert (state.waiting, state.is_full) == (0, False)

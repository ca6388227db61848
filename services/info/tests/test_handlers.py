"""Use cases on a real database: what changes, what is told, what stays as it is."""

import asyncio
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from info.domain import AnswerNotFoundError, ArticleNotFoundError
from info.handlers import (
    MarkReviewed,
    PublishAnswer,
    PublishArticle,
    RestoreArticle,
    WithdrawAnswer,
    WithdrawArticle,
    mark_reviewed,
    publish_answer,
    publish_article,
    restore_article,
    withdraw_answer,
    withdraw_article,
)
from info.queries import reading
from info.queries.search import Search, search
from info.store import answers
from sqlalchemy import select

from deploy.testing import told

ARTICLE = PublishArticle(
    publication_id=uuid4(),
    slug="teknisk-tegning",
    language="nb",
    title="Teknisk tegning",
    summary="Om linjaler.",
    body="## Linjal\n\nEn linjal er rett.",
    topic_code="school",
    owner_number="300000085",
    owner_name="Stegvis fagpanel (oppdiktet)",
    reviewed_on=date(2026, 1, 2),
    sources=(("Kilde", "https://kilde.example/"),),
)
ANSWER = PublishAnswer(
    publication_id=uuid4(),
    title="Hvor lang er en linjal?",
    question="Jeg lurer på linjaler.",
    answer="Ofte **30 cm**.",
    topic_code="school",
    language="nb",
    age_band="13_15",
    answered_on=date(2026, 5, 6),
    answered_by="Lærer, Stegvis fagpanel",
)


async def facts(database):
    async with database.begin() as uow:
        return [(fact.type.removeprefix("info.").removesuffix(".v1"), fact.sequence) for fact in await told(uow.connection)]


async def run(database, handler, command):
    async with database.begin() as uow:
        return await handler(command, uow)


async def found(database, words):
    async with database.begin() as uow:
        return [hit.publication_id for hit in (await search(uow.connection, Search(words))).hits]


async def test_an_article_is_told_again_only_when_it_changes(database):
    assert await run(database, publish_article, ARTICLE)
    assert not await run(database, publish_article, ARTICLE)
    assert await run(database, publish_article, replace(ARTICLE, body="Ny tekst."))
    assert await facts(database) == [("article.published", 1), ("article.published", 2)]


async def test_a_withdrawn_article_can_be_neither_read_nor_found(database):
    await run(database, publish_article, ARTICLE)
    await run(database, withdraw_article, WithdrawArticle(ARTICLE.publication_id))
    assert await found(database, "linjal") == []
    async with database.begin() as uow:
        with pytest.raises(ArticleNotFoundError):
            await reading.article(uow.connection, ARTICLE.slug, "nb")
    with pytest.raises(ArticleNotFoundError):
        await run(database, withdraw_article, WithdrawArticle(ARTICLE.publication_id))
    assert await facts(database) == [("article.published", 1), ("article.withdrawn", 2)]


async def test_what_an_editor_withdrew_only_an_editor_brings_back(database):
    """INVARIANT: a loading of the files doesn't undo an editor's withdrawal; one by the files it does."""
    await run(database, publish_article, ARTICLE)
    await run(database, withdraw_article, WithdrawArticle(ARTICLE.publication_id))
    with pytest.raises(ArticleNotFoundError):
        await run(database, restore_article, RestoreArticle(ARTICLE.publication_id))
    assert await run(database, publish_article, ARTICLE)
    await run(database, withdraw_article, WithdrawArticle(ARTICLE.publication_id, withheld=True))
    assert not await run(database, publish_article, replace(ARTICLE, body="Ny linjal."))
    assert await found(database, "linjal") == []
    await run(database, restore_article, RestoreArticle(ARTICLE.publication_id))
    assert await found(database, "linjal") == [ARTICLE.publication_id]
    assert await run(database, publish_article, replace(ARTICLE, body="Ny linjal."))
    told = ["published", "withdrawn", "published", "withdrawn", "published", "published"]
    assert await facts(database) == [(f"article.{what}", n) for n, what in enumerate(told, 1)]


async def test_a_review_renews_the_date_once_a_day(database):
    await run(database, publish_article, ARTICLE)
    for _ in range(2):
        await run(database, mark_reviewed, MarkReviewed(ARTICLE.publication_id, date(2026, 11, 24)))
    assert await facts(database) == [("article.published", 1), ("article.published", 2)]
    async with database.begin() as uow:
        assert (await reading.article(uow.connection, ARTICLE.slug, "nb")).reviewed_on == date(2026, 11, 24)
    with pytest.raises(ArticleNotFoundError):
        await run(database, mark_reviewed, MarkReviewed(uuid4(), date(2026, 11, 24)))


async def test_a_withdrawn_answer_leaves_no_text_behind_and_never_comes_back(database):
    """INVARIANT: withdrawing erases; nothing but the id and the mark stays."""
    await run(database, publish_answer, ANSWER)
    assert await found(database, "linjal") == [ANSWER.publication_id]
    await run(database, withdraw_answer, WithdrawAnswer(ANSWER.publication_id))
    assert not await run(database, publish_answer, replace(ANSWER, title="Igjen"))
    assert await found(database, "linjal") == []
    async with database.begin() as uow:
        row = (await uow.connection.execute(select(answers))).one()
    assert [value for value in (row.title, row.question, row.answer, row.age_band, row.answered_on, row.answered_by) if value] == []
    with pytest.raises(AnswerNotFoundError):
        await run(database, withdraw_answer, WithdrawAnswer(ANSWER.publication_id))
    assert await facts(database) == [("answer.published", 1), ("answer.withdrawn", 2)]


async def test_two_that_publish_the_same_at_once_tell_it_once(database):
    """INVARIANT: a new row's first fact is told by one of them only."""
    outcomes = await asyncio.gather(*(run(database, publish_article, ARTICLE) for _ in range(5)))
    assert sorted(outcomes) == [False, False, False, False, True]
    assert await facts(database) == [("article.published", 1)]


async def test_a_refused_transaction_tells_nobody(database):
    """INVARIANT: no fact without its state."""

    async def publish_and_fail():
        async with database.begin() as uow:
            await publish_article(ARTICLE, uow)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await publish_and_fail()
    assert await facts(database) == []

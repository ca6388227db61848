"""Articles and answers as one reads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar
from uuid import UUID

from contracts.codes import Language
from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from info.domain import AnswerGoneError, AnswerNotFoundError, ArticleGoneError, ArticleNotFoundError, folded
from info.store import answers, articles

T = TypeVar("T")

DESK_ROWS = 15
"""Answers and articles on a page of the editor's lists."""
NEARBY = 0.2
"""Trigrams that a noted word must share with a search to be offered in its place (0 to 1, pg_trgm's similarity)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an article's facts come from."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Link:
    """Another article."""

    slug: str
    title: str
    language: str


@dataclass(frozen=True, slots=True)
class Article:
    """One article in the language that it was found in."""

    publication_id: UUID
    slug: str
    language: str
    title: str
    summary: str
    body: str
    """Markdown."""
    topic_code: str
    owner_number: str
    owner_name: str
    sources: tuple[Source, ...]
    hard_topic: bool
    reviewed_on: date
    languages: tuple[str, ...]
    """All languages that the article exists in."""
    related: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One published answer."""

    publication_id: UUID
    title: str
    question: str
    answer: str
    """Markdown."""
    topic_code: str
    language: str
    age_band: str
    answered_on: date
    answered_by: str
    sources: tuple[Source, ...]
    hard_topic: bool
    related: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class DeskAnswer:
    """A row of the editor's list."""

    publication_id: UUID
    title: str
    topic_code: str
    language: str
    answered_on: date


@dataclass(frozen=True, slots=True)
class DeskArticle:
    """A row of the editor's list."""

    publication_id: UUID
    slug: str
    language: str
    title: str
    reviewed_on: date


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page of an editor's list; the last one where a later one was asked for."""

    rows: tuple[T, ...]
    page: int
    pages: int


async def article(connection: AsyncConnection, slug: str, preferred: str) -> Article:
    """The article in the preferred language, else in Bokmål, else in what there is. Raises ArticleNotFoundError or ArticleGoneError."""
    known = (await connection.execute(select(articles).where(articles.c.slug == slug))).all()
    rows = [row for row in known if row.withdrawn_at is None]
    if not rows:
        raise ArticleGoneError(known[0].topic_code) if known else ArticleNotFoundError
    chosen = min(rows, key=lambda row: _nearness(row.language, preferred))
    return Article(
        publication_id=chosen.publication_id,
        slug=chosen.slug,
        language=chosen.language,
        title=chosen.title,
        summary=chosen.summary,
        body=chosen.body,
        topic_code=chosen.topic_code,
        owner_number=chosen.owner_number,
        owner_name=chosen.owner_name,
        sources=tuple(Source(title, url) for title, url in chosen.sources),
        hard_topic=chosen.hard_topic,
        reviewed_on=chosen.reviewed_on,
        languages=tuple(sorted(row.language for row in rows)),
        related=await _links(connection, chosen.related, preferred),
    )


async def newest(connection: AsyncConnection, preferred: str, topic: str | None = None, most: int = 6) -> tuple[Link, ...]:
    """The articles that were reviewed last, each in one language; those on one topic where it is given."""
    query = select(articles.c.slug, articles.c.title, articles.c.language).where(articles.c.withdrawn_at.is_(None))
    if topic:
        query = query.where(articles.c.topic_code == topic)
    rows = (await connection.execute(query.order_by(articles.c.reviewed_on.desc(), articles.c.slug).limit(most * len(Language)))).all()
    return tuple(_one_per_slug(rows, preferred).values())[:most]


async def nearby_words(connection: AsyncConnection, query: str, preferred: str, most: int = 4) -> tuple[str, ...]:
    """What writers noted that youths write, nearest to a search that found nothing: in her language or Bokmål."""
    word = func.unnest(articles.c.search_words).label("word")
    known = select(word).where(articles.c.withdrawn_at.is_(None), articles.c.language.in_({preferred, "nb"})).distinct().subquery()
    nearness = func.similarity(func.lower(func.unaccent(known.c.word)), folded(query))
    found = await connection.scalars(select(known.c.word).where(nearness > NEARBY).order_by(nearness.desc(), known.c.word).limit(most))
    return tuple(found)


async def answer(connection: AsyncConnection, publication_id: UUID, preferred: str = "nb") -> Answer:
    """Raises AnswerNotFoundError, or AnswerGoneError for one that was withdrawn. `preferred`: language of the related articles."""
    row = (await connection.execute(select(answers).where(answers.c.publication_id == publication_id))).one_or_none()
    if row is None:
        raise AnswerNotFoundError
    if row.withdrawn_at is not None:
        raise AnswerGoneError
    return Answer(
        publication_id=row.publication_id,
        title=row.title,
        question=row.question,
        answer=row.answer,
        topic_code=row.topic_code,
        language=row.language,
        age_band=row.age_band,
        answered_on=row.answered_on,
        answered_by=row.answered_by,
        sources=tuple(Source(title, url) for title, url in row.sources or ()),
        hard_topic=bool(row.hard_topic),
        related=await _links(connection, row.related or [], preferred),
    )


async def newest_answers(connection: AsyncConnection, page: int) -> Listed[DeskAnswer]:
    """The answers that were given last, for the editor."""
    columns = [answers.c[name] for name in DeskAnswer.__slots__]
    query = select(*columns).where(answers.c.withdrawn_at.is_(None)).order_by(answers.c.answered_on.desc(), answers.c.publication_id)
    return await _listed(connection, query, DeskAnswer, page)


async def longest_unreviewed(connection: AsyncConnection, page: int) -> Listed[DeskArticle]:
    """The articles whose review is oldest, for the editor."""
    columns = [articles.c[name] for name in DeskArticle.__slots__]
    query = select(*columns).where(articles.c.withdrawn_at.is_(None)).order_by(articles.c.reviewed_on, articles.c.slug, articles.c.language)
    return await _listed(connection, query, DeskArticle, page)


async def withheld_articles(connection: AsyncConnection) -> list[DeskArticle]:
    """Those that an editor took away, the last one first."""
    columns = [articles.c[name] for name in DeskArticle.__slots__]
    query = select(*columns).where(articles.c.withheld).order_by(articles.c.withdrawn_at.desc(), articles.c.publication_id)
    return [DeskArticle(*row) for row in (await connection.execute(query)).all()]


async def _listed(connection: AsyncConnection, query: Select[Any], made: Callable[..., T], page: int) -> Listed[T]:
    total = (await connection.execute(select(func.count()).select_from(query.order_by(None).subquery()))).scalar_one()
    pages = max(1, -(-total // DESK_ROWS))
    page = min(page, pages)
    rows = (await connection.execute(query.limit(DESK_ROWS).offset((page - 1) * DESK_ROWS))).all()
    return Listed(tuple(made(*row) for row in rows), page, pages)


async def _links(connection: AsyncConnection, slugs: Sequence[str], preferred: str) -> tuple[Link, ...]:
    if not slugs:
        return ()
    order = case({slug: n for n, slug in enumerate(slugs)}, value=articles.c.slug)
    query = select(articles.c.slug, articles.c.title, articles.c.language).where(articles.c.withdrawn_at.is_(None))
    rows = (await connection.execute(query.where(articles.c.slug.in_(slugs)).order_by(order))).all()
    return tuple(_one_per_slug(rows, preferred).values())


def _one_per_slug(rows: Any, preferred: str) -> dict[str, Link]:
    links: dict[str, Link] = {}
    for row in rows:
        best = links.get(row.slug)
        if best is None or _nearness(row.language, preferred) < _nearness(best.language, preferred):
            links[row.slug] = Link(row.slug, row.title, row.language)
    return links


def _nearness(language: str, preferred: str) -> tuple[bool, bool, str]:
    return language != preferred, language != "nb", language

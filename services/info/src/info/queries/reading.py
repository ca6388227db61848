"""Articles and answers as one reads them."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from info.domain import AnswerNotFoundError, ArticleNotFoundError
from info.store import answers, articles


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


@dataclass(frozen=True, slots=True)
class DeskArticle:
    """A row of the editor's list."""

    publication_id: UUID
    slug: str
    language: str
    title: str
    reviewed_on: date


async def article(connection: AsyncConnection, slug: str, preferred: str) -> Article:
    """The article in the preferred language, else in Bokmål, else in what there is. Raises ArticleNotFoundError."""
    rows = (await connection.execute(_standing().where(articles.c.slug == slug))).all()
    if not rows:
        raise ArticleNotFoundError
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


async def newest(connection: AsyncConnection, preferred: str, most: int = 6) -> tuple[Link, ...]:
    """The articles that were reviewed last, each in one language."""
    rows = (await connection.execute(_standing().order_by(articles.c.reviewed_on.desc(), articles.c.slug))).all()
    return tuple(_one_per_slug(rows, preferred).values())[:most]


async def answer(connection: AsyncConnection, publication_id: UUID) -> Answer:
    """Raises AnswerNotFoundError, also for one that was withdrawn."""
    query = select(answers).where(answers.c.publication_id == publication_id, answers.c.withdrawn_at.is_(None))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise AnswerNotFoundError
    return Answer(**{name: getattr(row, name) for name in Answer.__slots__})


async def newest_answers(connection: AsyncConnection, most: int) -> list[Answer]:
    """The answers that were given last."""
    query = select(answers).where(answers.c.withdrawn_at.is_(None)).order_by(answers.c.answered_on.desc(), answers.c.publication_id)
    rows = (await connection.execute(query.limit(most))).all()
    return [Answer(**{name: getattr(row, name) for name in Answer.__slots__}) for row in rows]


async def longest_unreviewed(connection: AsyncConnection, most: int) -> list[DeskArticle]:
    """The articles whose review is oldest, for the editor."""
    query = _standing().order_by(articles.c.reviewed_on, articles.c.slug, articles.c.language).limit(most)
    rows = (await connection.execute(query)).all()
    return [DeskArticle(row.publication_id, row.slug, row.language, row.title, row.reviewed_on) for row in rows]


def _standing() -> Any:
    return select(articles).where(articles.c.withdrawn_at.is_(None))


async def _links(connection: AsyncConnection, slugs: list[str], preferred: str) -> tuple[Link, ...]:
    order = case({slug: n for n, slug in enumerate(slugs)}, value=articles.c.slug) if slugs else articles.c.slug
    rows = (await connection.execute(_standing().where(articles.c.slug.in_(slugs)).order_by(order))).all()
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

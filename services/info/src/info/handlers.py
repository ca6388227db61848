"""What one can ask of info, and what it does when it hears of approved answers and open chats."""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from contracts.dialog import AnswerApproved, AnswerRecalled, ProviderClosed, ProviderOpened, QueueMeasured
from contracts.info import (
    AnswerPublished,
    AnswerWithdrawn,
    ArticlePublished,
    ArticleWithdrawn,
    HelpService,
    OpeningHours,
    ServiceChanged,
    ServiceDelisted,
    ServiceListed,
)
from servicekit.delivery.outbox import UnitOfWork
from servicekit.upserts import put
from sqlalchemy import Row

from info.domain import AnswerNotFoundError, ArticleNotFoundError, Hours
from info.store import SearchText, answers, articles, availability, help_services, hold, hours_to_columns, index, unindex
from info.texts import plain_text, without_controls


@dataclass(frozen=True, slots=True)
class PublishArticle:
    """An article in one language, whole; published again, it replaces the former revision."""

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
    reviewed_on: date
    sources: tuple[tuple[str, str], ...] = ()
    """Title and address."""
    related: tuple[str, ...] = ()
    """Slugs."""
    search_words: tuple[str, ...] = ()
    hard_topic: bool = False


async def publish_article(command: PublishArticle, uow: UnitOfWork) -> bool:
    """Publish the article unless it stands so already. What an editor did since, a review or a withdrawal, is kept.

    Returns whether anything changed.
    """
    row = await hold(uow.connection, articles, command.publication_id)
    values = asdict(command) | {
        "sources": [list(source) for source in command.sources],
        "related": list(command.related),
        "search_words": list(command.search_words),
        "reviewed_on": max(command.reviewed_on, row.reviewed_on) if row else command.reviewed_on,
        "withdrawn_at": None,
    }
    if row is not None and (row.withheld or _stands(row, values)):
        return False
    version = (row.version if row else 0) + 1
    await put(uow.connection, articles, values | {"version": version})
    await index(uow.connection, _findable_article(command))
    _tell_published(uow, values, version)
    return True


def _findable_article(article: PublishArticle | Row[Any]) -> SearchText:
    return SearchText(
        publication_id=article.publication_id,
        kind="article",
        work=article.slug,
        language=article.language,
        topic_code=article.topic_code,
        title=article.title,
        summary=article.summary,
        plain=plain_text(article.body),
        search_words=article.search_words,
    )


def _tell_published(uow: UnitOfWork, article: dict[str, Any], version: int) -> None:
    fields = {name: article[name] for name in ("publication_id", "slug", "title", "topic_code", "language", "reviewed_on")}
    uow.tell(ArticlePublished(**fields), key=fields["publication_id"], sequence=version)


@dataclass(frozen=True, slots=True)
class WithdrawArticle:
    publication_id: UUID
    withheld: bool = False
    """Whether an editor says so: then the files don't bring it back."""


async def withdraw_article(command: WithdrawArticle, uow: UnitOfWork) -> None:
    """Take the article off the open pages. Its text is kept. Raises ArticleNotFoundError."""
    row = await hold(uow.connection, articles, command.publication_id)
    if row is None or row.withdrawn_at is not None:
        raise ArticleNotFoundError
    values = {**row._mapping, "version": row.version + 1, "withdrawn_at": await uow.now(), "withheld": command.withheld}
    await put(uow.connection, articles, values)
    await unindex(uow.connection, row.publication_id)
    uow.tell(ArticleWithdrawn(publication_id=row.publication_id), key=row.publication_id, sequence=row.version + 1)


@dataclass(frozen=True, slots=True)
class RestoreArticle:
    publication_id: UUID


async def restore_article(command: RestoreArticle, uow: UnitOfWork) -> None:
    """Put back an article that an editor withdrew, as it stood. Raises ArticleNotFoundError."""
    row = await hold(uow.connection, articles, command.publication_id)
    if row is None or not row.withheld:
        raise ArticleNotFoundError
    values = {**row._mapping, "version": row.version + 1, "withdrawn_at": None, "withheld": False}
    await put(uow.connection, articles, values)
    await index(uow.connection, _findable_article(row))
    _tell_published(uow, values, row.version + 1)


@dataclass(frozen=True, slots=True)
class MarkReviewed:
    """An editor vouches for an article as it stands."""

    publication_id: UUID
    today: date
    """Europe/Oslo."""


async def mark_reviewed(command: MarkReviewed, uow: UnitOfWork) -> None:
    """Renew the date of review. Twice on one day changes nothing. Raises ArticleNotFoundError."""
    row = await hold(uow.connection, articles, command.publication_id)
    if row is None or row.withdrawn_at is not None:
        raise ArticleNotFoundError
    if row.reviewed_on >= command.today:
        return
    values = {**row._mapping, "version": row.version + 1, "reviewed_on": command.today}
    await put(uow.connection, articles, values)
    _tell_published(uow, values, row.version + 1)


@dataclass(frozen=True, slots=True)
class PublishAnswer:
    """A question and its answer, approved for everybody's eyes."""

    publication_id: UUID
    title: str
    question: str
    answer: str
    topic_code: str
    language: str
    age_band: str
    answered_on: date
    answered_by: str
    """Profession and organisation, never a person's name."""
    sources: tuple[tuple[str, str], ...] = ()
    """Title and address."""
    related: tuple[str, ...] = ()
    """Slugs of articles."""
    search_words: tuple[str, ...] = ()
    hard_topic: bool = False


async def publish_answer(command: PublishAnswer, uow: UnitOfWork) -> bool:
    """Publish the answer unless it stands so already or was ever withdrawn. Returns whether anything changed."""
    row = await hold(uow.connection, answers, command.publication_id)
    values = asdict(command) | {
        "sources": [list(source) for source in command.sources],
        "related": list(command.related),
        "search_words": list(command.search_words),
    }
    if row is not None and (row.withdrawn_at is not None or _stands(row, values)):
        return False
    version = (row.version if row else 0) + 1
    await put(uow.connection, answers, values | {"version": version})
    await index(
        uow.connection,
        SearchText(
            publication_id=command.publication_id,
            kind="answer",
            work=str(command.publication_id),
            language=command.language,
            topic_code=command.topic_code,
            title=command.title,
            summary=command.question,
            plain=plain_text(command.answer),
            search_words=command.search_words,
            age_band=command.age_band,
        ),
    )
    fields = {name: values[name] for name in ("publication_id", "topic_code", "language", "answered_on")}
    uow.tell(AnswerPublished(**fields), key=command.publication_id, sequence=version)
    return True


@dataclass(frozen=True, slots=True)
class WithdrawAnswer:
    publication_id: UUID


async def withdraw_answer(command: WithdrawAnswer, uow: UnitOfWork) -> None:
    """Erase a published answer for good. Raises AnswerNotFoundError."""
    row = await hold(uow.connection, answers, command.publication_id)
    if row is None or row.withdrawn_at is not None:
        raise AnswerNotFoundError
    await _erase_answer(uow, command.publication_id, row.version)


async def _erase_answer(uow: UnitOfWork, publication_id: UUID, version: int) -> None:
    """Leave nothing but the mark that this answer must not come back."""
    await unindex(uow.connection, publication_id)
    empty = {column.name: None for column in answers.columns if column.nullable}
    row = {**empty, "publication_id": publication_id, "version": version + 1 if version else 0, "withdrawn_at": await uow.now()}
    await put(uow.connection, answers, row)
    if version:
        uow.tell(AnswerWithdrawn(publication_id=publication_id), key=publication_id, sequence=version + 1)


async def on_answer_approved(event: AnswerApproved, uow: UnitOfWork) -> None:
    command = PublishAnswer(
        publication_id=event.publication_id,
        title=without_controls(event.title),
        question=without_controls(event.question),
        answer=without_controls(event.answer),
        topic_code=event.topic_code,
        language=event.language,
        age_band=event.age_band,
        answered_on=event.answered_on,
        answered_by=without_controls(event.answered_by),
    )
    await publish_answer(command, uow)


async def on_answer_recalled(event: AnswerRecalled, uow: UnitOfWork) -> None:
    """Withdraw in this very transaction. A recall that overtook its approval leaves the mark that stops it."""
    row = await hold(uow.connection, answers, event.publication_id)
    if row is None or row.withdrawn_at is None:
        await _erase_answer(uow, event.publication_id, row.version if row else 0)


@dataclass(frozen=True, slots=True)
class ListService:
    """An entry of the register, whole; listed again, it replaces the former one."""

    service_id: UUID
    name: str
    kind: str
    owner_number: str
    """Organisation number, 9 digits."""
    owner_name: str
    about: dict[str, str]
    """Language -> text. Stays on our pages; doesn't travel."""
    topic_codes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    age_from: int | None = None
    age_to: int | None = None
    municipality: str | None = None
    municipality_name: str | None = None
    phone: str | None = None
    url: str | None = None
    hours: Hours = field(default_factory=Hours)
    assured_on: date | None = None


async def list_service(command: ListService, uow: UnitOfWork) -> bool:
    """Take the service into the register, or change its entry, unless it stands so already. Returns whether anything changed."""
    row = await hold(uow.connection, help_services, command.service_id)
    values = asdict(command)
    del values["hours"]
    values |= {name: list(values[name]) for name in ("topic_codes", "channels", "languages")} | hours_to_columns(command.hours)
    values["delisted_at"] = None
    if row is not None and _stands(row, values):
        return False
    version = (row.version if row else 0) + 1
    await put(uow.connection, help_services, values | {"version": version})
    entry = HelpService(
        **{name: values[name] for name in HelpService.model_fields if name in values and name != "opening_hours"},
        opening_hours=tuple(OpeningHours(**asdict(shift)) for shift in command.hours.shifts),
    )
    was_listed = row is not None and row.delisted_at is None
    uow.tell(ServiceChanged(service=entry) if was_listed else ServiceListed(service=entry), key=command.service_id, sequence=version)
    return True


@dataclass(frozen=True, slots=True)
class DelistService:
    service_id: UUID


async def delist_service(command: DelistService, uow: UnitOfWork) -> bool:
    """Take the service out of the register, if it's there. Returns whether it was."""
    row = await hold(uow.connection, help_services, command.service_id)
    if row is None or row.delisted_at is not None:
        return False
    await put(uow.connection, help_services, {**row._mapping, "version": row.version + 1, "delisted_at": await uow.now()})
    uow.tell(ServiceDelisted(service_id=command.service_id), key=command.service_id, sequence=row.version + 1)
    return True


async def on_provider_opened(event: ProviderOpened, uow: UnitOfWork) -> None:
    await _note(uow, event.service_id, open=True)


async def on_provider_closed(event: ProviderClosed, uow: UnitOfWork) -> None:
    await _note(uow, event.service_id, open=False, queue_length=None, wait_minutes=None)


async def on_queue_measured(event: QueueMeasured, uow: UnitOfWork) -> None:
    await put(
        uow.connection,
        availability,
        {"service_id": event.service_id, "queue_length": event.length, "wait_minutes": event.wait_minutes},
    )


async def _note(uow: UnitOfWork, service_id: UUID, **values: object) -> None:
    heard_at = uow.received.time if uow.received else await uow.now()
    await put(uow.connection, availability, {"service_id": service_id, "heard_at": heard_at, **values})


def _stands(row: Any, values: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in values.items())

"""Door: articles, answers and the register from files. Loading them again tells only what changed."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import yaml
from servicekit.delivery.outbox import Begin, UnitOfWork
from sqlalchemy import select, text

from info.domain import Hours, OnHolidays, Shift
from info.handlers import (
    DelistService,
    ListService,
    PublishAnswer,
    PublishArticle,
    WithdrawArticle,
    delist_service,
    list_service,
    publish_answer,
    publish_article,
    withdraw_article,
)
from info.store import articles, help_services

_HOURS = re.compile(r"([1-7])(?:-([1-7]))? (\d\d:\d\d)-(\d\d:\d\d)")
_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtext('info/seed'))")
T = TypeVar("T")


class SeedError(ValueError):
    """A seed file can't be used. The message names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """Everything that the files say."""

    articles: tuple[PublishArticle, ...]
    answers: tuple[PublishAnswer, ...]
    services: tuple[ListService, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loading changed, in numbers of entries."""

    articles: int
    answers: int
    services: int
    taken_away: int


def read(folder: Path) -> Seeds:
    """The seeds in `articles/`, `answers/` and `directory.yaml` of a folder. Raises SeedError."""
    seeds = Seeds(
        tuple(_each(folder / "articles", _article)), tuple(_each(folder / "answers", _answer)), tuple(_register(folder / "directory.yaml"))
    )
    if not (seeds.articles and seeds.services):
        raise SeedError(f"{folder}: no articles or no services; an empty folder would take everything away")
    ids = [article.publication_id for article in seeds.articles] + [answer.publication_id for answer in seeds.answers]
    ids += [service.service_id for service in seeds.services]
    if len(set(ids)) < len(ids):
        raise SeedError(f"{folder}: an id is used twice")
    return seeds


async def load(begin: Begin, seeds: Seeds) -> Loaded:
    """Make the open pages say what the files say, in one transaction. What is no longer in the files is taken away.

    Answers are only added: those that came from the panel have no file.
    """
    async with begin() as uow:
        await uow.connection.execute(_ONE_AT_A_TIME)
        gone = await _take_away(uow, seeds)
        return Loaded(
            articles=sum([await publish_article(command, uow) for command in seeds.articles]),
            answers=sum([await publish_answer(command, uow) for command in seeds.answers]),
            services=sum([await list_service(command, uow) for command in seeds.services]),
            taken_away=gone,
        )


async def _take_away(uow: UnitOfWork, seeds: Seeds) -> int:
    kept_articles, kept_services = {a.publication_id for a in seeds.articles}, {s.service_id for s in seeds.services}
    standing = set(await uow.connection.scalars(select(articles.c.publication_id).where(articles.c.withdrawn_at.is_(None))))
    listed = set(await uow.connection.scalars(select(help_services.c.service_id).where(help_services.c.delisted_at.is_(None))))
    for publication_id in sorted(standing - kept_articles):
        await withdraw_article(WithdrawArticle(publication_id), uow)
    for service_id in sorted(listed - kept_services):
        await delist_service(DelistService(service_id), uow)
    return len(standing - kept_articles) + len(listed - kept_services)


def _each(folder: Path, parse: Callable[[dict[str, Any], str], T]) -> Iterator[T]:
    for path in sorted(folder.glob("*.md")):
        with _naming(path):
            _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
            yield parse(yaml.safe_load(front), body.strip())


def _article(front: dict[str, Any], body: str) -> PublishArticle:
    return PublishArticle(
        publication_id=UUID(front["id"]),
        slug=front["slug"],
        language=front["language"],
        title=front["title"],
        summary=front["summary"],
        body=body,
        topic_code=front["topic_code"],
        owner_number=front["owner"]["number"],
        owner_name=front["owner"]["name"],
        reviewed_on=_day(front["reviewed_on"]),
        sources=tuple((source["title"], source["url"]) for source in front["sources"]),
        related=tuple(front["related"]),
        search_words=tuple(front["search_words"]),
        hard_topic=front["hard_topic"],
    )


def _answer(front: dict[str, Any], body: str) -> PublishAnswer:
    return PublishAnswer(
        publication_id=UUID(front["id"]),
        title=front["title"],
        question=front["question"].strip(),
        answer=body,
        topic_code=front["topic_code"],
        language=front["language"],
        age_band=front["age_band"],
        answered_on=_day(front["answered_on"]),
        answered_by=front["answered_by"],
        sources=tuple((source["title"], source["url"]) for source in front.get("sources", ())),
        related=tuple(front.get("related", ())),
        search_words=tuple(front.get("search_words", ())),
        hard_topic=front.get("hard_topic", False),
    )


def _register(path: Path) -> Iterator[ListService]:
    with _naming(path):
        register = yaml.safe_load(path.read_text(encoding="utf-8"))
        for entry in register["services"]:
            with _naming(path, entry["name"]):
                yield _service(entry, register)


def _service(entry: dict[str, Any], register: dict[str, Any]) -> ListService:
    municipality = entry.get("municipality")
    return ListService(
        service_id=UUID(entry["id"]),
        name=entry["name"],
        kind=entry["kind"],
        owner_number=entry["owner"],
        owner_name=register["owners"][entry["owner"]],
        about=dict(entry["about"]),
        topic_codes=tuple(entry["topics"]),
        channels=tuple(entry["channels"]),
        languages=tuple(entry["languages"]),
        age_from=entry.get("age_from"),
        age_to=entry.get("age_to"),
        municipality=municipality,
        municipality_name=register["municipalities"][municipality] if municipality else None,
        phone=entry.get("phone"),
        url=entry.get("url"),
        hours=_hours(entry),
        assured_on=_day(entry["assured_on"]),
    )


def _hours(entry: dict[str, Any]) -> Hours:
    on_holidays = entry.get("on_holidays")
    return Hours(
        shifts=tuple(shift for line in entry.get("hours", ()) for shift in _shifts(line)),
        always=entry.get("always_open", False),
        on_holidays=OnHolidays(on_holidays) if on_holidays else None,
        special_days={_day(day): tuple(_special(day, line) for line in lines) for day, lines in entry.get("special_days", {}).items()},
    )


def _special(day: date, line: str) -> Shift:
    """`10:00-14:00`. Raises ValueError."""
    opens, _, closes = line.partition("-")
    return Shift(day.isoweekday(), time.fromisoformat(opens), time.fromisoformat(closes))


def _shifts(line: str) -> Iterator[Shift]:
    """`1-5 14:00-22:00`: Monday to Friday. Raises ValueError."""
    found = _HOURS.fullmatch(line)
    if found is None:
        raise ValueError("hours are written like 1-5 14:00-22:00")
    first, last, opens, closes = found.groups()
    for weekday in range(int(first), int(last or first) + 1):
        yield Shift(weekday, time.fromisoformat(opens), time.fromisoformat(closes))


def _day(value: object) -> date:
    if type(value) is not date:
        raise ValueError("dates are written like 2026-11-24")
    return value


@contextmanager
def _naming(path: Path, entry: str = "") -> Iterator[None]:
    """Names the file, and the entry in it, in what goes wrong while reading."""
    try:
        yield
    except SeedError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OSError, yaml.YAMLError) as error:
        place = f"{path.name}, {entry}" if entry else path.name
        raise SeedError(f"{place}: {type(error).__name__}: {error}") from error

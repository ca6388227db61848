"""Front page, search, articles and answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from contracts.codes import Channel, PageClass, ServiceKind
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from servicekit.problems import Problem
from servicekit.service import Transaction
from sqlalchemy.ext.asyncio import AsyncConnection

from info import labels
from info.crisis import calls_for_help
from info.domain import AnswerNotFoundError, ArticleNotFoundError, QueryTooLongError, is_old, local_date
from info.pages import Look, count, words
from info.queries import reading, register
from info.queries.search import MOST_PAGES, Found, Search, search
from info.texts import paragraphs, to_html

router = APIRouter(default_response_class=HTMLResponse)
ENTRIES_BESIDE = 3
"""Help services shown beside an article."""


@router.get("/", summary="What do you need now?")
async def front(request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    async with begin() as uow:
        entries = await register.services(uow.connection, register.Wanted(), await uow.now())
        articles = await reading.newest(uow.connection, look.language(request))
    count(request, PageClass.FRONT)
    open_now = {channel.value: sum(entry.open_now and channel in entry.channels for entry in entries) for channel in Channel}
    national = [entry for entry in entries if entry.kind == ServiceKind.CHAT_SERVICE]
    waits = [entry.wait_minutes for entry in national if entry.open_now and entry.wait_minutes is not None]
    return look.render(
        request, "front.html", open_now=open_now, shortest_wait=min(waits, default=None), articles=articles, **words(request, look)
    )


@router.get("/sok", summary="Search in articles and answers")
async def find(
    request: Request,
    begin: Transaction,
    look: Look,
    q: str = "",
    tema: str = "",
    tekst: str = "",
    side: Annotated[str, Query()] = "1",
) -> HTMLResponse:
    """Filters that aren't known are named on the page and left out; what was asked is never lost."""
    query = q.strip()
    wrong = _unknown({"tema": (tema, labels.TOPICS), "tekst": (tekst, labels.LANGUAGES)})
    page = int(side) if side.isascii() and side.isdigit() and 1 <= int(side[:6]) <= MOST_PAGES else 1
    asked = Search(query, look.language(request), _known(tema, labels.TOPICS), _known(tekst, labels.LANGUAGES), page)
    async with begin() as uow:
        try:
            found, too_long = await search(uow.connection, asked), False
        except QueryTooLongError:
            found, too_long = Found((), 0, 1), True
        articles = await reading.newest(uow.connection, look.language(request)) if not found.hits else ()
    asks = bool(query or asked.topic)
    if asks:
        count(request, PageClass.SEARCH if found.hits else PageClass.SEARCH_EMPTY)
    return look.render(
        request,
        "search.html",
        422 if too_long or wrong else 200,
        query="" if too_long else query,
        asked=asked,
        asks=asks,
        found=found,
        too_long=too_long,
        wrong=wrong,
        crisis_now=too_long or calls_for_help(query),
        articles=articles,
        **words(request, look),
        more=_address({"q": query, "tema": asked.topic, "tekst": asked.language}),
    )


@router.get("/artikkel/{slug}", summary="One article")
async def article(slug: str, request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    language = look.language(request)
    async with begin() as uow:
        try:
            shown = await reading.article(uow.connection, slug, language)
        except ArticleNotFoundError as error:
            raise Problem(404) from error
        beside = await _beside(uow.connection, shown.topic_code, await uow.now())
    count(request, PageClass.ARTICLE)
    return look.render(request, "article.html", article=shown, body=to_html(shown.body), beside=beside, **words(request, look))


@router.get("/svar/{publication_id}", summary="One question and its answer")
async def answer(publication_id: UUID, request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    async with begin() as uow:
        now = await uow.now()
        try:
            shown = await reading.answer(uow.connection, publication_id)
        except AnswerNotFoundError as error:
            raise Problem(404) from error
        beside = await _beside(uow.connection, shown.topic_code, now)
    count(request, PageClass.ANSWER)
    return look.render(
        request,
        "answer.html",
        shown=shown,
        question=paragraphs(shown.question),
        body=to_html(shown.answer),
        old=is_old(shown.answered_on, local_date(now)),
        hard=shown.topic_code in labels.HARD_TOPICS or calls_for_help(f"{shown.title} {shown.question}"),
        beside=beside,
        **words(request, look),
    )


async def _beside(connection: AsyncConnection, topic: str, now: datetime) -> list[register.Entry]:
    """Help for the whole country on this topic, open ones first."""
    entries = await register.services(connection, register.Wanted(topic=topic), now)
    return [entry for entry in entries if entry.municipality is None and entry.kind != ServiceKind.EMERGENCY][:ENTRIES_BESIDE]


def _unknown(given: Mapping[str, tuple[str, Mapping[str, str]]]) -> tuple[str, ...]:
    return tuple(name for name, (value, known) in given.items() if value and value not in known)


def _known(value: str, known: Mapping[str, str]) -> str | None:
    return value if value in known else None


def _address(parameters: Mapping[str, str | None]) -> str:
    """This search as an address, without its page number."""
    return "/sok?" + urlencode({name: value for name, value in parameters.items() if value})

"""Front page, articles and answers."""

from uuid import UUID

from contracts.codes import Channel, PageClass
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from servicekit.problems import Problem
from servicekit.web.transaction import Transaction

from info import labels
from info.crisis import calls_for_help
from info.domain import AnswerNotFoundError, ArticleNotFoundError, GoneError, is_old, local_date
from info.pages import Look, count, words
from info.pages.gone import gone
from info.queries import reading, register
from info.texts import paragraphs, to_html

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/", summary="What do you need now?")
async def front(request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    async with begin() as uow:
        entries = await register.services(uow.connection, register.Wanted(), await uow.now())
        articles = await reading.newest(uow.connection, look.language(request))
    count(request, PageClass.FRONT)
    ways = {channel.value: register.way(entries, channel) for channel in Channel}
    return look.render(
        request,
        "front.html",
        ways=ways,
        there=register.answering((entry for entry in entries if entry.municipality is None), None),
        articles=articles,
        **words(request, look),
    )


@router.get("/artikkel/{slug}", summary="One article")
async def article(slug: str, request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    language = look.language(request)
    async with begin() as uow:
        now = await uow.now()
        try:
            shown = await reading.article(uow.connection, slug, language)
        except GoneError as error:
            return await gone(request, look, uow.connection, now, "article", error.topic)
        except ArticleNotFoundError as error:
            raise Problem(404) from error
        there = await register.answering_now(uow.connection, shown.topic_code, now)
    count(request, PageClass.ARTICLE)
    return look.render(
        request,
        "article.html",
        article=shown,
        body=to_html(shown.body),
        old=is_old(shown.reviewed_on, local_date(now)),
        hard=shown.hard_topic or calls_for_help(f"{shown.title} {shown.summary}"),
        there=there,
        **words(request, look),
    )


@router.get("/svar/{publication_id}", summary="One question and its answer")
async def answer(publication_id: UUID, request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    language = look.language(request)
    async with begin() as uow:
        now = await uow.now()
        try:
            shown = await reading.answer(uow.connection, publication_id, language)
        except GoneError:
            return await gone(request, look, uow.connection, now, "answer")
        except AnswerNotFoundError as error:
            raise Problem(404) from error
        there = await register.answering_now(uow.connection, shown.topic_code, now)
        related = shown.related or await reading.newest(uow.connection, language, shown.topic_code, most=3)
    count(request, PageClass.ANSWER)
    return look.render(
        request,
        "answer.html",
        shown=shown,
        question=paragraphs(shown.question),
        body=to_html(shown.answer),
        old=is_old(shown.answered_on, local_date(now)),
        hard=shown.hard_topic or shown.topic_code in labels.HARD_TOPICS or calls_for_help(f"{shown.title} {shown.question}"),
        there=there,
        related=related,
        **words(request, look),
    )

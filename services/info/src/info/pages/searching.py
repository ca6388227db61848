"""Search in articles and answers, and who can be talked to about it now."""

from collections.abc import Mapping
from urllib.parse import urlencode

from contracts.codes import PageClass
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from servicekit.web.transaction import Transaction

from info import labels
from info.crisis import calls_for_help
from info.domain import QueryTooLongError
from info.pages import Look, count, page_number, words
from info.queries import reading, register
from info.queries.search import MOST_PAGES, Found, Search, search
from info.texts import as_asked

router = APIRouter(default_response_class=HTMLResponse)
MOST_SHOWN = 1_000
"""Characters of a search that stay in its field: what she wrote too long she can shorten; what no person writes isn't sent back."""
FILTERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "type": ("kind", labels.TEXTS),
    "tema": ("topic", labels.TOPICS),
    "tekst": ("language", labels.LANGUAGES),
    "alder": ("age", labels.AGES),
}
"""Name in the address -> the facet it narrows, and the codes that it may hold."""


@router.get("/sok", summary="Search in articles and answers")
async def find(request: Request, begin: Transaction, look: Look, q: str = "", side: str = "1") -> HTMLResponse:
    """Filters that aren't known are named on the page and left out; what was asked is never lost."""
    language, query = look.language(request), as_asked(q)
    given = {name: request.query_params.get(name, "") for name in FILTERS}
    chosen = {name: value for name, value in given.items() if value in FILTERS[name][1]}
    wrong = any(value for name, value in given.items() if name not in chosen)
    asked = Search(query, language, **{FILTERS[name][0]: value for name, value in chosen.items()}, page=page_number(side, MOST_PAGES))
    async with begin() as uow:
        try:
            found, too_long = await search(uow.connection, asked), False
        except QueryTooLongError:
            found, too_long = Found((), 0, 1), True
        entries = await register.services(uow.connection, register.Wanted(), await uow.now())
        nearby = await reading.nearby_words(uow.connection, query, language) if query and not found.hits and not too_long else ()
        articles = await reading.newest(uow.connection, language) if not found.hits else ()
    asks = bool(query or chosen)
    if asks:
        count(request, PageClass.SEARCH if found.hits else PageClass.SEARCH_EMPTY)
    topic = asked.topic or (found.hits[0].topic_code if found.hits else None)
    return look.render(
        request,
        "search.html",
        422 if too_long or wrong else 200,
        query=query if len(query) <= MOST_SHOWN else "",
        chosen=chosen,
        asks=asks,
        found=found,
        page_wrong=asks and side != str(found.page),
        too_long=too_long,
        wrong=wrong,
        crisis_now=too_long or calls_for_help(q),
        there=register.answering((entry for entry in entries if entry.municipality is None), topic),
        places=() if too_long else register.named(entries, query),
        nearby=nearby,
        articles=articles,
        facets=[(name, _options(found, name, chosen.get(name))) for name in FILTERS],
        address=lambda **changed: _address(query, chosen, changed),
        **words(request, look),
    )


def _options(found: Found, name: str, chosen: str | None) -> list[tuple[str, str, int]]:
    """Code, msgid and number of hits of what a filter offers; the chosen one is left to be taken away."""
    facet, known = FILTERS[name]
    numbers = found.facets.get(facet, {})
    return [(code, text, numbers[code]) for code, text in known.items() if numbers.get(code) and code != chosen]


def _address(query: str, chosen: Mapping[str, str], changed: Mapping[str, str | None]) -> str:
    """This search as an address, with some of its filters changed (None = without), from its first page."""
    return "/sok?" + urlencode({name: value for name, value in {"q": query, **chosen, **changed}.items() if value})

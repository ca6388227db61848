"""Door: search and register as JSON, for other sites that lead youths to help. Public, read only."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from contracts.codes import AgeBand, Channel, Language, PageClass, ServiceKind, TopicCode
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from servicekit.problems import Problem
from servicekit.web.transaction import Transaction

from info.crisis import calls_for_help
from info.domain import LONGEST_QUERY, ServiceGoneError, ServiceNotFoundError, Shift
from info.queries import register
from info.queries.search import MOST_PAGES, Hit, Search, search


class TextKind(StrEnum):
    """What can be found."""

    ARTICLE = "article"
    ANSWER = "answer"


router = APIRouter(prefix="/api", tags=["open level"])


class FoundText(BaseModel):
    """One article or answer that was found."""

    publication_id: UUID
    kind: str = Field(description="article | answer")
    url: str = Field(description="Public address")
    title: str
    topic_code: str
    language: str
    snippet: str = Field(description="HTML: escaped text with hits in <mark>")


class SearchResult(BaseModel):
    """A page of what was found."""

    total: int
    page: int
    pages: int
    hits: list[FoundText]
    facets: Mapping[str, Mapping[str, int]] = Field(
        description="topic, kind, language, age -> code -> how many hits choosing it would leave"
    )
    show_crisis_block: bool = Field(description="The search names a crisis: show the emergency numbers first")


class Opening(BaseModel):
    """One shift of one weekday."""

    weekday: int = Field(description="ISO 8601: 1 = Monday")
    opens: time = Field(description="Local time, Europe/Oslo")
    closes: time = Field(description="Local time, Europe/Oslo; not later than `opens` means after midnight")


class HelpServiceDocument(BaseModel):
    """An entry of the register and how it is now."""

    service_id: UUID
    name: str
    kind: str
    about: dict[str, str] = Field(description="Language -> text")
    owner_number: str = Field(description="Organisation number")
    owner_name: str
    topic_codes: Sequence[str]
    channels: Sequence[str]
    languages: Sequence[str]
    age_from: int | None = Field(description="Years, inclusive")
    age_to: int | None = Field(description="Years, inclusive")
    municipality: str | None = Field(description="4 digits (SSB KLASS 131); null = the whole country")
    phone: str | None
    url: str | None = Field(description="Public address of the entry here")
    opening_hours: list[Opening]
    always_open: bool
    assured_on: date | None = Field(description="When the owner last vouched for the entry")
    on_holidays: str | None = Field(description="closed | usual; null = the register doesn't say")
    special_days: Mapping[date, list[Opening]] = Field(description="Days with hours of their own; an empty list = closed")
    state: str = Field(description="open | closed | unknown")
    open_now: bool = Field(description="`state` is open")
    is_live: bool = Field(description="`state` is what the service itself said, not its ordinary hours")
    opens_next: datetime | None
    queue_length: int | None
    wait_minutes: int | None = Field(description="Estimate; null = not known")


class HelpServiceList(BaseModel):
    """Entries that fit."""

    services: list[HelpServiceDocument]


@router.get("/search", summary="Search in articles and published answers")
async def find(
    request: Request,
    begin: Transaction,
    q: Annotated[str, Query(max_length=LONGEST_QUERY)] = "",
    topic: TopicCode | None = None,
    kind: Annotated[TextKind | None, Query(description="Only articles, or only answers")] = None,
    language: Annotated[Language | None, Query(description="Only texts in this language")] = None,
    age: Annotated[AgeBand | None, Query(description="Only answers to somebody of this age")] = None,
    page: Annotated[int, Query(ge=1, le=MOST_PAGES)] = 1,
) -> SearchResult:
    preferred = request.app.state.pages.language(request)
    asked = Search(q.strip(), preferred, topic, kind, language, age, page)
    async with begin() as uow:
        found = await search(uow.connection, asked)
    if asked.query or asked.is_filtered:
        request.app.state.usage.count(PageClass.SEARCH if found.hits else PageClass.SEARCH_EMPTY, preferred)
    base = request.app.state.settings.public_url("info")
    hits = [_found(hit, base) for hit in found.hits]
    return SearchResult(
        total=found.total,
        page=found.page,
        pages=found.pages,
        hits=hits,
        facets=found.facets,
        show_crisis_block=calls_for_help(q),
    )


@router.get("/services", summary="Help services, narrowed by what one needs")
async def services(
    request: Request,
    begin: Transaction,
    topic: TopicCode | None = None,
    municipality: Annotated[str | None, Query(pattern=r"^\d{4}$", description="Its local services and the national ones")] = None,
    kind: ServiceKind | None = None,
    channel: Channel | None = None,
    language: Language | None = None,
    age: Annotated[int | None, Query(ge=0, le=120, description="Years")] = None,
    open_now: bool = False,
) -> HelpServiceList:
    wanted = register.Wanted(topic, municipality, kind, channel, language, age, open_now)
    async with begin() as uow:
        entries = await register.services(uow.connection, wanted, await uow.now())
    base = request.app.state.settings.public_url("info")
    return HelpServiceList(services=[_document(entry, base) for entry in entries])


@router.get("/services/{service_id}", summary="One help service")
async def service(service_id: UUID, request: Request, begin: Transaction) -> HelpServiceDocument:
    async with begin() as uow:
        try:
            entry = await register.service(uow.connection, service_id, await uow.now())
        except ServiceGoneError as error:
            raise Problem(410) from error
        except ServiceNotFoundError as error:
            raise Problem(404) from error
    return _document(entry, request.app.state.settings.public_url("info"))


def _found(hit: Hit, base: str) -> FoundText:
    path = f"/artikkel/{hit.work}" if hit.kind == "article" else f"/svar/{hit.publication_id}"
    return FoundText(
        publication_id=hit.publication_id,
        kind=hit.kind,
        url=base + path,
        title=hit.title.striptags(),
        topic_code=hit.topic_code,
        language=hit.language,
        snippet=str(hit.snippet),
    )


def _document(entry: register.Entry, base: str) -> HelpServiceDocument:
    made = {"url", "opening_hours", "on_holidays", "special_days"}
    fields = {name: getattr(entry, name) for name in HelpServiceDocument.model_fields if name not in made}
    return HelpServiceDocument(
        **fields,
        url=f"{base}/hjelp/{entry.service_id}",
        opening_hours=[_opening(shift) for shift in entry.shifts],
        on_holidays=entry.hours.on_holidays,
        special_days={day: [_opening(shift) for shift in shifts] for day, shifts in entry.hours.special_days.items()},
    )


def _opening(shift: Shift) -> Opening:
    return Opening(weekday=shift.weekday, opens=shift.opens, closes=shift.closes)

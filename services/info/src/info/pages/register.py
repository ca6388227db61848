"""The register of help services: the list with its filters, one entry, and what there is where one lives."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from contracts.codes import PageClass
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from servicekit.problems import Problem
from servicekit.web.transaction import Transaction

from info import labels
from info.domain import GoneError, Hours, ServiceNotFoundError, Shift, local_date
from info.pages import Look, count, page_number, words
from info.pages.gone import gone
from info.queries import register

router = APIRouter(default_response_class=HTMLResponse)
YES = "ja"
AGES = {str(age): str(age) for age in range(10, 26)}
"""Years that the list can be narrowed to: the programme's 13 to 20, and somewhat around."""
PAGE_SIZE = 20
MOST_PAGES = 100
NOTICE = timedelta(days=30)
"""How long before a day with hours of its own its entry tells of it."""


class Filters(BaseModel):
    """What the list may be narrowed to, as it stands in the address."""

    tema: str = ""
    kommune: str = ""
    kanal: str = ""
    type: str = ""
    alder: str = ""
    sprak: str = ""
    apent: str = ""


@router.get("/hjelp", summary="Help services")
async def services(request: Request, begin: Transaction, look: Look, filters: Annotated[Filters, Query()], side: str = "1") -> HTMLResponse:
    """Filters that aren't known are named on the page and left out, so that the list is never empty for a wrong letter."""
    async with begin() as uow:
        now = await uow.now()
        places = await register.municipalities(uow.connection)
        known: Mapping[str, Mapping[str, str]] = {
            "tema": labels.TOPICS,
            "kommune": {place.number: place.name for place in places},
            "kanal": labels.CHANNELS,
            "type": labels.KINDS,
            "alder": AGES,
            "sprak": labels.LANGUAGES,
            "apent": {YES: ""},
        }
        chosen = {name: value for name, value in filters if value and value in known[name]}
        entries = await register.services(uow.connection, _wanted(chosen), now)
        there = [] if entries else await register.answering_now(uow.connection, chosen.get("tema"), now)
    count(request, PageClass.DIRECTORY)
    wrong = any(value and name not in chosen for name, value in filters)
    pages = max(1, -(-len(entries) // PAGE_SIZE))
    page = min(page_number(side, MOST_PAGES), pages)
    return look.render(
        request,
        "services.html",
        422 if wrong else 200,
        entries=entries[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        total=len(entries),
        open_total=sum(entry.open_now for entry in entries),
        page=page,
        pages=pages,
        page_wrong=side != str(page),
        chosen={name: chosen.get(name, "") for name in known},
        is_filtered=bool(chosen),
        known=known,
        wrong=wrong,
        there=there,
        address=lambda **changed: _address(chosen, changed),
        **words(request, look),
    )


@router.get("/hjelp/{service_id}", summary="One help service")
async def service(service_id: UUID, request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    async with begin() as uow:
        now = await uow.now()
        try:
            entry = await register.service(uow.connection, service_id, now)
        except GoneError:
            return await gone(request, look, uow.connection, now, "service")
        except ServiceNotFoundError as error:
            raise Problem(404) from error
        topic = next(iter(entry.topic_codes), None)
        there = [] if entry.open_now else await register.answering_now(uow.connection, topic, now)
    count(request, PageClass.DIRECTORY)
    return look.render(
        request,
        "service.html",
        entry=entry,
        week=_week(entry.hours),
        special_days=_soon(entry.hours, local_date(now)),
        there=there,
        **words(request, look),
    )


@router.get("/kommune", summary="Choose a municipality")
async def municipalities(request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    async with begin() as uow:
        places = await register.municipalities(uow.connection)
        there = await register.answering_now(uow.connection, None, await uow.now())
    count(request, PageClass.DIRECTORY)
    return look.render(request, "municipalities.html", places=places, there=there, **words(request, look))


@router.get("/kommune/{number}", summary="What there is in one municipality")
async def municipality(number: str, request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    """Where the register has nothing of the place's own, the page says so and shows what the whole country has."""
    if not (len(number) == 4 and number.isascii() and number.isdigit()):
        raise Problem(404)
    async with begin() as uow:
        now = await uow.now()
        entries = await register.services(uow.connection, register.Wanted(municipality=number), now)
    local = [entry for entry in entries if entry.municipality is not None]
    count(request, PageClass.DIRECTORY)
    return look.render(
        request,
        "municipality.html",
        200 if local else 404,
        number=number,
        name=local[0].municipality_name if local else "",
        local=local,
        there=register.answering((entry for entry in entries if entry.municipality is None), None),
        **words(request, look),
    )


def _wanted(chosen: Mapping[str, str]) -> register.Wanted:
    return register.Wanted(
        topic=chosen.get("tema"),
        municipality=chosen.get("kommune"),
        kind=chosen.get("type"),
        channel=chosen.get("kanal"),
        language=chosen.get("sprak"),
        age=int(chosen["alder"]) if "alder" in chosen else None,
        open_now="apent" in chosen,
    )


def _address(chosen: Mapping[str, str], changed: Mapping[str, str | None]) -> str:
    """This list as an address, with some of its filters changed (None = without), from its first page."""
    return "/hjelp?" + urlencode({name: value for name, value in {**chosen, **changed}.items() if value})


def _week(hours: Hours) -> list[tuple[str, str, list[Shift]]]:
    """First and last day (msgids) of each run of days with the same hours, and those hours."""
    days = {day: [shift for shift in hours.shifts if shift.weekday == day] for day in labels.WEEKDAYS}

    def clocks(day: int) -> tuple[object, ...]:
        return tuple(sorted((shift.opens, shift.closes) for shift in days[day]))

    runs = [list(run) for _, run in groupby(days, key=clocks)]
    return [(labels.WEEKDAYS[run[0]], labels.WEEKDAYS[run[-1]], sorted(days[run[0]], key=lambda shift: shift.opens)) for run in runs]


def _soon(hours: Hours, today: date) -> Iterable[tuple[date, tuple[Shift, ...]]]:
    """The days with hours of their own that are near enough to be told of."""
    return sorted((day, shifts) for day, shifts in hours.special_days.items() if today <= day <= today + NOTICE)

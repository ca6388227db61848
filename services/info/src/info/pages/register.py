"""The register of help services: the list with its filters, and one entry."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from contracts.codes import PageClass
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from servicekit.problems import Problem
from servicekit.service import Transaction

from info import labels
from info.domain import ServiceNotFoundError
from info.pages import Look, count, words
from info.queries import register

router = APIRouter(default_response_class=HTMLResponse)
YES = "ja"


class Filters(BaseModel):
    """What the list may be narrowed to, as it stands in the address."""

    tema: str = ""
    kommune: str = ""
    type: str = ""
    kanal: str = ""
    apent: str = ""


@router.get("/hjelp", summary="Help services")
async def services(request: Request, begin: Transaction, look: Look, filters: Annotated[Filters, Query()]) -> HTMLResponse:
    """Filters that aren't known are named on the page and left out, so that the list is never empty for a wrong letter."""
    async with begin() as uow:
        now = await uow.now()
        places = await register.municipalities(uow.connection)
        known = {
            "tema": labels.TOPICS,
            "kommune": {place.number: place.name for place in places},
            "type": labels.KINDS,
            "kanal": labels.CHANNELS,
            "apent": {YES: ""},
        }
        chosen = {name: value for name, value in filters if value and value in known[name]}
        entries = await register.services(uow.connection, _wanted(chosen), now)
    count(request, PageClass.DIRECTORY)
    wrong = [name for name, value in filters if value and name not in chosen]
    return look.render(
        request,
        "services.html",
        422 if wrong else 200,
        entries=entries,
        chosen={name: chosen.get(name, "") for name in known},
        wrong=wrong,
        place_options=[(place.number, place.name) for place in places],
        **words(request, look),
        without_open="/hjelp?" + urlencode({name: value for name, value in chosen.items() if name != "apent"}),
    )


@router.get("/hjelp/{service_id}", summary="One help service")
async def service(service_id: UUID, request: Request, begin: Transaction, look: Look) -> HTMLResponse:
    async with begin() as uow:
        now = await uow.now()
        try:
            entry = await register.service(uow.connection, service_id, now)
        except ServiceNotFoundError as error:
            raise Problem(404) from error
    count(request, PageClass.DIRECTORY)
    week = [(name, [shift for shift in entry.shifts if shift.weekday == day]) for day, name in labels.WEEKDAYS.items()]
    return look.render(request, "service.html", entry=entry, week=week, **words(request, look))


def _wanted(chosen: Mapping[str, str]) -> register.Wanted:
    return register.Wanted(
        topic=chosen.get("tema"),
        municipality=chosen.get("kommune"),
        kind=chosen.get("type"),
        channel=chosen.get("kanal"),
        open_now="apent" in chosen,
    )

"""A youth's own pages: the overview with one next step on top, and a journey with what she brought and who has seen it."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from servicekit.delivery.outbox import Begin
from servicekit.idempotency import once
from servicekit.service import Transaction
from servicekit.web.sessions import SessionNow, reaches, youth_session
from servicekit.web.submission import Submitted

from helpjourney.domain.ages import AgeRule, Reception, day_in_oslo, rule_of
from helpjourney.domain.claims import Standing, TooManyCodesError
from helpjourney.handlers.journeys import DeleteSummary, delete_summary
from helpjourney.handlers.presenting import LookAgain, look_again
from helpjourney.pages.visit import Confirmed, Youth, confirmed_youth, holder_of, problems, render, see_other, vault_of
from helpjourney.queries.journeys import journey_of, journeys_of, next_up, seen_of
from helpjourney.store.units import rules_of_age

router = APIRouter(include_in_schema=False)


@router.get("/")
async def show_overview(request: Request, session: SessionNow, begin: Transaction) -> Response:
    """One next step on top. Who hasn't logged in is told what this is, or what she has with her."""
    if session.login is None or session.organisation is not None:
        if holder_of(request) is not None:
            return see_other("/inn")
        return render(request, session, "welcome.html", staff=session.organisation is not None)
    youth = await confirmed_youth(await youth_session(request, session))
    async with begin() as uow:
        day = day_in_oslo(await uow.now())
        rule = rule_of(await rules_of_age(uow.connection), youth.born, day)
        journeys = await journeys_of(uow.connection, vault_of(request), youth.subject)
    if rule is None or rule.reception is not Reception.WELCOME:
        return render(request, session, "other_age.html", reception=_reception(rule))
    if not reaches(session.level, rule.level):
        return see_other(f"/logg-inn?neste=/&niva={rule.level.value}")
    brings, closed = await _standing(request, youth, begin)
    return render(request, session, "overview.html", journeys=journeys, up=next_up(journeys), brings=brings, closed=closed)


def _reception(rule: AgeRule | None) -> str:
    return (rule.reception if rule else Reception.WITH_GUARDIANS).value


async def _standing(request: Request, youth: Youth, begin: Begin) -> tuple[str, bool]:
    """What became of what she brought, and whether too many wrong codes stand in the way."""
    token = holder_of(request)
    if token is None:
        return Standing.NOTHING.value, False
    try:
        async with begin() as uow:
            return (await look_again(LookAgain(token, youth.login, youth.auth_time), uow)).value, False
    except TooManyCodesError:
        return Standing.NOTHING.value, True


@router.get("/reise/{journey_id}")
async def show_journey(request: Request, journey_id: UUID, youth: Confirmed, begin: Transaction) -> Response:
    """What she brought, what has happened, and who has seen it."""
    with problems():
        async with begin() as uow:
            journey = await journey_of(uow.connection, vault_of(request), youth.subject, journey_id)
            seen = await seen_of(uow.connection, journey_id)
    return render(request, youth.session, "journey.html", journey=journey, seen=seen)


@router.post("/reise/{journey_id}/slett-tekst")
async def delete_what_she_brought(journey_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """The text and its key are gone; nobody can read it any more."""
    with problems():
        async with begin() as uow:

            async def act() -> dict[str, str]:
                await delete_summary(DeleteSummary(journey_id, youth.subject), uow)
                return {}

            await once(uow, submitted.key, submitted.fingerprint(), act)
    return see_other(f"/reise/{journey_id}")

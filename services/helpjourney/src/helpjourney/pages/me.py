"""A youth's own pages: the overview with one next step on top, and a journey with what she brought and who has seen it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from servicekit.delivery.outbox import Begin
from servicekit.idempotency import once
from servicekit.web.sessions import SessionNow, reaches, youth_session
from servicekit.web.submission import Submitted
from servicekit.web.transaction import Transaction

from helpjourney.domain.ages import AgeRule, Reception, day_in_oslo, rule_of
from helpjourney.domain.appointments import Reminding
from helpjourney.domain.claims import Standing, TooManyCodesError
from helpjourney.domain.journeys import NextStep
from helpjourney.handlers.cases import StopSharing, cease_sharing
from helpjourney.handlers.journeys import DeleteSummary, delete_summary
from helpjourney.handlers.presenting import LookAgain, look_again
from helpjourney.pages.drafts import draft_for
from helpjourney.pages.visit import RENEW_SECONDS, Confirmed, Youth, confirmed_youth, holder_of, problems, render, see_other, vault_of
from helpjourney.queries.journeys import AppointmentView, JourneyView, journey_of, journeys_of, next_up, seen_of, sharing_of
from helpjourney.queries.timeline import Happening, happenings
from helpjourney.store.units import rules_of_age

router = APIRouter(include_in_schema=False)
REMINDED = timedelta(hours=48)
"""How long before an appointment the overview reminds of it, if she chose that."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the overview shows of one who has logged in."""

    journeys: list[JourneyView]
    lines: list[list[Happening]]
    """One line of time per journey."""
    up: JourneyView | None
    """The journey that the one next step is about."""
    step: NextStep | None
    one: AppointmentView | None
    """The appointment that it is about, if it is about one."""
    reminds: bool
    """Whether the next step is near and she wants to be reminded here."""
    begun: UUID | None
    """A journey that she was writing a wish for when her session was over."""


@router.get("/")
async def show_overview(request: Request, session: SessionNow, begin: Transaction) -> Response:
    """One next step on top. Who hasn't logged in is told what this is, or what she has with her."""
    if session.login is None or session.organisation is not None:
        if holder_of(request) is not None:
            return see_other("/inn")
        return render(request, session, "welcome.html", staff=session.organisation is not None)
    youth = await confirmed_youth(await youth_session(request, session))
    async with begin() as uow:
        now = await uow.now()
        day = day_in_oslo(now)
        rule = rule_of(await rules_of_age(uow.connection), youth.born, day)
        journeys = await journeys_of(uow.connection, vault_of(request), youth.subject)
    if rule is None or rule.reception is not Reception.WELCOME:
        return render(request, session, "other_age.html", reception=_reception(rule))
    if not reaches(session.level, rule.level):
        return see_other(f"/logg-inn?neste=/&niva={rule.level.value}")
    brings, closed = await _standing(request, youth, begin)
    shown = await _shown(request, journeys, now, begin)
    renews = RENEW_SECONDS if brings == Standing.FETCHING.value else None
    return render(request, session, "overview.html", refresh=renews, shown=shown, brings=brings, closed=closed)


async def _shown(request: Request, journeys: list[JourneyView], now: datetime, begin: Begin) -> Shown:
    up, begun = next_up(journeys, now), None
    for journey in journeys:
        if begun is None and await draft_for(request, journey.id, begin):
            begun = journey.id
    step, one = (up.next_step(now), up.next_appointment(now)) if up else (None, None)
    reminds = one is not None and step is NextStep.COME and _reminds(one, now)
    return Shown(journeys, [happenings(journey, now) for journey in journeys], up, step, one, reminds, begun)


def _reminds(one: AppointmentView, now: datetime) -> bool:
    near = one.starts_at is not None and one.starts_at - now <= REMINDED
    return near and one.reminder is Reminding.OVERVIEW


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
            sharing = await sharing_of(uow.connection, journey_id)
    return render(request, youth.session, "journey.html", journey=journey, seen=seen, sharing=sharing)


@router.post("/reise/{journey_id}/slutt-a-dele")
async def stop_sharing(journey_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """A unit may no longer read what she brought."""
    command = StopSharing(journey_id, youth.subject, submitted.uuid("service"))
    with problems():
        async with begin() as uow:

            async def act() -> dict[str, str]:
                await cease_sharing(command, uow)
                return {}

            await once(uow, submitted.key, submitted.fingerprint(), act)
    return see_other(f"/reise/{journey_id}")


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

"""A youth wishes an appointment: where, when it suits, how she hears of it. Nothing she wrote is lost on the way."""

from dataclasses import dataclass, field
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from servicekit.delivery.outbox import Begin
from servicekit.idempotency import once
from servicekit.problems import Problem
from servicekit.web.sessions import save
from servicekit.web.submission import InvalidInputError, Submission, Submitted
from servicekit.web.transaction import Transaction
from webkit.i18n import mark

from helpjourney.domain.ages import NotForThisAgeError, age_on, day_in_oslo, received
from helpjourney.domain.appointments import Contact, Reminding, When
from helpjourney.domain.reminders import news_text
from helpjourney.handlers.appointments import MOST_OPEN, TooManyWishesError, WishAppointment, wish_appointment
from helpjourney.pages.drafts import WriterNow, draft_for, served
from helpjourney.pages.visit import Confirmed, Youth, problems, render, see_other, settings_of, vault_of
from helpjourney.queries.journeys import JourneyView, journey_of
from helpjourney.store.units import UnitRow, municipalities, rules_of_age, unit_of, units_in

router = APIRouter(include_in_schema=False)
NOTE_MOST = 1000
"""Characters of her own text."""
MUNICIPALITY = "municipality"
"""In the session's state: where she looks for a unit. A public code, and never in the address."""
REMINDS = {"yes": Reminding.TEXT, "overview": Reminding.OVERVIEW, "no": Reminding.NONE}
"""Values of the field `reminds`; "yes" is also what the checkbox of earlier releases sends."""
ERRORS = {
    "municipality": mark("Velg et sted i lista."),
    "unit": mark("Velg hvor du vil ha time."),
    "note": mark("Teksten er for lang. Kort den ned til %(most)s tegn. Det du skrev, står her ennå."),
}


@dataclass(slots=True)
class Wished:
    """The form as she filled it in, and what is missing."""

    unit: str = ""
    suits: tuple[str, ...] = ()
    note: str = ""
    shares: bool = True
    reminds: str = "overview"
    """The one that tells nobody else anything is chosen beforehand."""
    contact: str = Contact.HERE.value
    errors: dict[str, str] = field(default_factory=dict)
    is_draft: bool = False
    """She wrote it before her session was over."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where she can wish an appointment."""

    municipality: str
    municipalities: list[tuple[str, str]]
    units: list[UnitRow]

    @property
    def name(self) -> str:
        """Of the chosen municipality."""
        return dict(self.municipalities).get(self.municipality, "")


@router.get("/reise/{journey_id}/time")
async def ask_for_wish(request: Request, journey_id: UUID, youth: Confirmed, begin: Transaction) -> Response:
    """First where, then when it suits."""
    journey, places = await _places(request, journey_id, youth, begin)
    if len(journey.open_appointments) >= MOST_OPEN:
        return render(request, youth.session, "enough.html", journey=journey)
    draft = await draft_for(request, journey_id, begin)
    if draft is None:
        return _wish_page(request, youth, journey, places, _first(places))
    wished = _of_draft(draft)
    if not places.municipality and await _go_back_to(wished.unit, youth, begin):
        journey, places = await _places(request, journey_id, youth, begin)
    return _wish_page(request, youth, journey, places, wished)


async def _go_back_to(unit: str, youth: Youth, begin: Begin) -> bool:
    """Her new session doesn't know where she looked; the unit in her draft does."""
    try:
        with problems():
            async with begin() as uow:
                youth.session.state[MUNICIPALITY] = (await unit_of(uow.connection, UUID(unit))).municipality or ""
                await save(uow, youth.session)
    except (ValueError, Problem):
        return False
    return True


@router.post("/reise/{journey_id}/sted")
async def choose_place(request: Request, journey_id: UUID, submitted: Submitted, youth: Confirmed, begin: Transaction) -> Response:
    """Remembers where she looks for a unit."""
    journey, places = await _places(request, journey_id, youth, begin)
    try:
        chosen = submitted.choice("municipality", [code for code, _ in places.municipalities])
    except InvalidInputError:
        return _wish_page(request, youth, journey, places, Wished(errors=_explain(request, "municipality")), 422)
    submitted.session.state[MUNICIPALITY] = chosen
    with problems():
        async with begin() as uow:
            await save(uow, submitted.session)
    return see_other(f"/reise/{journey_id}/time")


@router.post("/reise/{journey_id}/time")
async def wish(request: Request, journey_id: UUID, sent: WriterNow, begin: Transaction) -> Response:
    """A wish; the unit answers with times."""
    youth, submitted = sent.youth, sent.submitted
    journey, places = await _places(request, journey_id, youth, begin)
    wished = _read(request, submitted, places)
    if wished.errors:
        return _wish_page(request, youth, journey, places, wished, 422)
    command = WishAppointment(
        journey_id,
        youth.subject,
        UUID(wished.unit),
        wished.suits,
        wished.note,
        shares_summary=wished.shares,
        language=request.app.state.pages.language(request),
        keeping=settings_of(request).keeping,
        reminder=REMINDS[wished.reminds],
        contact=Contact(wished.contact),
    )
    try:
        with problems(TooManyWishesError):
            async with begin() as uow:

                async def act() -> dict[str, str]:
                    return {"appointment": str(await wish_appointment(command, vault_of(request), uow))}

                outcome = await once(uow, submitted.key, submitted.fingerprint(), act)
    except TooManyWishesError:
        return render(request, youth.session, "enough.html", 409, journey=journey)
    response = see_other(f"/time/{outcome['appointment']}")
    if cookie := await served(request, begin):
        response.headers.append("Set-Cookie", cookie)
    return response


@router.get("/reise/{journey_id}/kladd")
async def show_kept(request: Request, journey_id: UUID) -> Response:
    """What she wrote waits for her next login; nobody is logged in here, and nothing of it is shown."""
    page: Response = request.app.state.pages.render(request, "kept.html", journey_id=journey_id)
    return page


async def _places(request: Request, journey_id: UUID, youth: Youth, begin: Begin) -> tuple[JourneyView, Places]:
    try:
        with problems():
            async with begin() as uow:
                journey = await journey_of(uow.connection, vault_of(request), youth.subject, journey_id)
                day = day_in_oslo(await uow.now())
                received(await rules_of_age(uow.connection), youth.born, day)
                age = age_on(youth.born, day)
                all_places = await municipalities(uow.connection, age)
                chosen = youth.session.state.get(MUNICIPALITY, "")
                chosen = chosen if chosen in dict(all_places) else ""
                units = await units_in(uow.connection, chosen, age) if chosen else []
    except NotForThisAgeError:
        raise Problem(303, headers={"Location": "/"}) from None
    return journey, Places(chosen, all_places, units)


def _first(places: Places) -> Wished:
    """An empty form; where there is only one unit, it is chosen."""
    return Wished(unit=str(places.units[0].service_id) if len(places.units) == 1 else "")


def _of_draft(draft: dict[str, tuple[str, ...]]) -> Wished:
    def first(name: str) -> str:
        return next(iter(draft.get(name, ())), "")

    suits = tuple(code.value for code in When if code.value in draft.get("suits", ()))
    return Wished(
        first("unit"), suits, first("note"), bool(first("shares")), _reminds(first("reminds")), _contact(first("contact")), is_draft=True
    )


def _read(request: Request, submitted: Submission, places: Places) -> Wished:
    wished = Wished(
        unit=submitted.fields.get("unit", ""),
        suits=tuple(code.value for code in When if code.value in submitted.all("suits")),
        note=submitted.fields.get("note", ""),
        shares=submitted.flag("shares"),
        reminds=_reminds(submitted.fields.get("reminds", "")),
        contact=_contact(submitted.fields.get("contact", "")),
    )
    if wished.unit not in {str(unit.service_id) for unit in places.units}:
        wished.errors |= _explain(request, "unit")
    if len(wished.note) > NOTE_MOST:
        wished.errors |= _explain(request, "note")
    return wished


def _reminds(value: str) -> str:
    return value if value in REMINDS else "no"


def _contact(value: str) -> str:
    return value if value in set(Contact) else Contact.HERE.value


def _explain(request: Request, name: str) -> dict[str, str]:
    return {name: request.app.state.pages.translation(request)(ERRORS[name], most=NOTE_MOST)}


def _wish_page(request: Request, youth: Youth, journey: JourneyView, places: Places, wished: Wished, status: int = 200) -> Response:
    shown = {"journey": journey, "places": places, "wished": wished, "errors": wished.errors, "note_most": NOTE_MOST}
    news = news_text(request.app.state.pages.language(request))
    return render(request, youth.session, "wish.html", status, news=news, **shown)

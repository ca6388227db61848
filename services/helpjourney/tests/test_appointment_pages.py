"""A youth's and a clinician's pages, as browsers walk them, and what they answer to nonsense."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from helpjourney_givens import SUMMARY, a_unit, an_offer, clinician_login, count, listed, offered, youth_login
from servicekit.claim_secret import write_secret

from deploy.testing import Database, told
from deploy.testing.browser import Browser

Browsers = Callable[[], Browser]
NOTE = "Jeg vet ikke hvordan jeg skal si det. Kanarifugl-5512."
SLOT = re.compile(r'name="slot" value="([0-9a-f-]{36})"')


class Walk:
    """One youth and one clinician, each in a browser."""

    def __init__(self, database: Database, youth: Browser, clinician: Browser, unit: UUID) -> None:
        self.database, self.youth, self.clinician, self.unit = database, youth, clinician, unit
        self.journey = self.appointment = ""

    async def enter(self, *, with_summary: bool) -> "Walk":
        await listed(self.database, a_unit(self.unit))
        if with_summary:
            given = an_offer()
            await offered(self.database, given)
            await self.youth.request("POST", "/inn", {"Origin": "null"}, data={"secret": write_secret(given.secret)})
        await self.youth.log_in(youth_login(15))
        await self.clinician.log_in(clinician_login(self.unit))
        await self.youth.submit(await self.youth.get("/er-det-deg"), "/er-det-deg")
        found = re.search(r"/reise/([0-9a-f-]{36})", (await self.youth.get("/")).text)
        assert found
        self.journey = found[1]
        return self

    async def wish(self, **fields: Any) -> Any:
        path = f"/reise/{self.journey}"
        await self.youth.submit(await self.youth.get(f"{path}/time"), f"{path}/sted", {"municipality": "0301"})
        sent = {"unit": str(self.unit), "suits": ["mon", "evening"], "note": NOTE, "shares": "yes", "reminds": "yes"} | fields
        answer = await self.youth.submit(await self.youth.get(f"{path}/time"), f"{path}/time", sent)
        self.appointment = answer.headers.get("location", "").removeprefix("/time/")
        return answer

    async def half_past(self, hour: int, days: int) -> str:
        """So many days from now, as a form's field says it."""
        async with self.database.begin() as uow:
            now = (await uow.now()).astimezone(ZoneInfo("Europe/Oslo"))
        return (now + timedelta(days=days)).replace(hour=hour, minute=30).strftime("%Y-%m-%dT%H:%M")

    async def offer(self, *days: int, **fields: Any) -> Any:
        page = await self.clinician.get(f"/ansatt/sak/{self.journey}")
        starts = [await self.half_past(10, day) for day in days]
        sent = {"start": starts, "minutes": "30"} | fields
        return await self.clinician.submit(page, f"/ansatt/time/{self.appointment}/tilby", sent)

    async def take(self, which: int = 0) -> Any:
        page = await self.youth.get(f"/time/{self.appointment}")
        slot = SLOT.findall(page.text)[which]
        return await self.youth.submit(page, f"/time/{self.appointment}/velg", {"slot": slot})

    async def types(self) -> list[str]:
        async with self.database.engine.connect() as connection:
            return [fact.type.removeprefix("helpjourney.appointment.") for fact in await told(connection) if "appointment" in fact.type]


@pytest.fixture
async def walk(database: Database, browsers: Browsers) -> Walk:
    return await Walk(database, browsers(), browsers(), uuid4()).enter(with_summary=True)


async def test_from_wish_to_booking_and_calling_off_over_the_pages(walk: Walk) -> None:
    await walk.wish()
    today = await walk.clinician.get("/ansatt/i-dag")
    assert f"/ansatt/sak/{walk.journey}" in today.text
    assert SUMMARY not in today.text
    case = await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    assert SUMMARY in case.text
    assert NOTE in case.text
    await walk.offer(2, 3)
    assert "har foreslått tider" in (await walk.youth.get("/")).text
    await walk.take(1)
    page = await walk.youth.get(f"/time/{walk.appointment}")
    assert "Du har en time" in page.text
    assert "kl.\xa010.30" in page.text
    await walk.youth.submit(page, f"/time/{walk.appointment}/avlys")
    assert "Timen er avlyst" in (await walk.youth.get(f"/time/{walk.appointment}")).text
    line = re.search(r'<li data-state="off">(.*?)</li>', (await walk.youth.get("/")).text, re.DOTALL)
    assert line
    assert "Timen er avlyst" in line[1]
    assert "kl.\xa010.30" in line[1]
    assert "ferdig" not in line[1]
    assert f'href="/time/{walk.appointment}"' in line[1]
    assert (await walk.clinician.get(f"/ansatt/sak/{walk.journey}")).status_code == 404
    assert await walk.types() == ["wished.v1", "offered.v1", "booked.v1", "cancelled.v1"]


async def test_she_sees_who_has_seen(walk: Walk) -> None:
    """INVARIANT: every clinician's view of a case is written down and shown."""
    assert "Ingen har åpnet det ennå" in (await walk.youth.get(f"/reise/{walk.journey}")).text
    await walk.wish()
    for _ in range(2):
        await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    page = await walk.youth.get(f"/reise/{walk.journey}")
    assert page.text.count("En behandler ved Helsestasjon for ungdom Prøvebyen") == 2
    assert "1234567" in page.text


async def test_a_summary_that_she_keeps_for_herself_is_not_shown(walk: Walk) -> None:
    await walk.wish(shares="")
    case = await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    assert case.status_code == 200
    assert SUMMARY not in case.text
    assert "Teksten var ikke synlig" in (await walk.youth.get(f"/reise/{walk.journey}")).text


async def test_care_is_started_and_she_sees_it(walk: Walk) -> None:
    await walk.wish()
    page = await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    await walk.clinician.submit(page, f"/ansatt/sak/{walk.journey}/start-helsehjelp")
    assert "Helsehjelpen har begynt" in (await walk.youth.get("/")).text
    again = await walk.clinician.submit(page, f"/ansatt/sak/{walk.journey}/start-helsehjelp")
    assert again.status_code == 303


async def test_other_subjects_and_units_find_nothing(walk: Walk, browsers: Browsers) -> None:
    """INVARIANT: somebody else's id answers as one that doesn't exist."""
    await walk.wish()
    stranger, elsewhere = browsers(), browsers()
    await stranger.log_in(youth_login(15))
    await stranger.submit(await stranger.get("/er-det-deg"), "/er-det-deg")
    await elsewhere.log_in(clinician_login(uuid4()))
    for known in (walk.appointment, str(uuid4()), "x", "1"):
        assert (await stranger.get(f"/time/{known}")).status_code == 404
    for known in (walk.journey, str(uuid4())):
        assert (await stranger.get(f"/reise/{known}")).status_code == 404
        assert (await elsewhere.get(f"/ansatt/sak/{known}")).status_code == 404
    own = await walk.youth.get(f"/time/{walk.appointment}")
    for act in ("avlys", "paminning", "ingen-passer"):
        page = await stranger.get("/")
        fields = {"csrf": re.findall(r'name="csrf" value="([^"]+)"', page.text)[0], "key": "k" * 43}
        assert (await stranger.post(f"/time/{walk.appointment}/{act}", fields)).status_code == 404
    assert own.text.count("Ta ønsket tilbake") == (await walk.youth.get(f"/time/{walk.appointment}")).text.count("Ta ønsket tilbake")


@pytest.mark.parametrize(("hpr", "roles"), [(None, {"clinician"}), ("1234567", {"helper"}), ("1234567", set[str]())])
async def test_staff_without_role_or_number_is_refused(walk: Walk, browsers: Browsers, hpr: str | None, roles: set[str]) -> None:
    someone = browsers()
    await someone.log_in(clinician_login(walk.unit, hpr_number=hpr, roles=frozenset(roles)))
    for path in ("/ansatt/i-dag", f"/ansatt/sak/{walk.journey}", "/ansatt/kode"):
        page = await someone.get(path)
        assert page.status_code == 403
        assert re.findall(r'class="ds-button"[^>]*href="([^"]+)"', page.text) == ["/ansatt/logg-inn?fersk=1"]


async def test_the_same_form_twice_acts_once(walk: Walk) -> None:
    """INVARIANT: a repeated POST changes nothing and shows the same."""
    path = f"/reise/{walk.journey}"
    await walk.wish()
    page = await walk.youth.get(f"{path}/time")
    sent = {"unit": str(walk.unit), "reminds": "yes"}
    answers = [await walk.youth.submit(page, f"{path}/time", sent) for _ in range(3)]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert await count(walk.database, "appointments") == 2
    other = await walk.youth.submit(page, f"{path}/time", {**sent, "note": "noe annet"})
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit": ""}, "Velg hvor"),
        ({"unit": str(uuid4())}, "Velg hvor"),
        ({"unit": "x"}, "Velg hvor"),
        ({"note": "å" * 100_000}, "for lang"),
    ],
)
async def test_a_wish_that_cannot_be_is_explained_and_what_she_wrote_is_kept(walk: Walk, fields: dict[str, str], words: str) -> None:
    answer = await walk.wish(**fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert (fields.get("note", NOTE)) in answer.text
    assert await count(walk.database, "appointments") == 0


@pytest.mark.parametrize(
    "start", ["", "i morgen", "2026-13-40T25:61", "1999-01-01T10:00", "2027-03-28T02:30", "9999-12-31T10:00", "x" * 100_000]
)
async def test_times_that_cannot_be_are_explained(walk: Walk, start: str) -> None:
    await walk.wish()
    answer = await walk.offer(start=[start])
    assert answer.status_code == 422
    assert "f-start" in answer.text
    assert await walk.types() == ["wished.v1"]


async def test_a_time_must_be_chosen_of_those_offered(walk: Walk) -> None:
    await walk.wish()
    await walk.offer(2)
    path = f"/time/{walk.appointment}"
    page = await walk.youth.get(path)
    assert (await walk.youth.submit(page, f"{path}/velg", {"slot": "x"})).status_code == 422
    assert (await walk.youth.submit(page, f"{path}/velg", {"slot": str(uuid4())})).status_code == 404
    assert await walk.types() == ["wished.v1", "offered.v1"]


async def test_a_clinician_claims_a_code_for_a_youth_without_an_eid(database: Database, browsers: Browsers) -> None:
    from helpjourney_givens import a_typed_offer

    unit, clinician = uuid4(), browsers()
    await listed(database, a_unit(unit))
    given = a_typed_offer()
    await offered(database, given)
    await clinician.log_in(clinician_login(unit))
    page = await clinician.get("/ansatt/kode")
    answers = [await clinician.submit(page, "/ansatt/kode", {"code": str(given.code)}) for _ in range(2)]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    case = await clinician.get(answers[0].headers["location"])
    assert SUMMARY in case.text
    again = await clinician.submit(await clinician.get("/ansatt/kode"), "/ansatt/kode", {"code": str(given.code)})
    assert again.status_code == 422
    assert str(given.code) in again.text
    refused = await clinician.submit(case, answers[0].headers["location"] + "/start-helsehjelp")
    assert refused.status_code == 409
    assert "ikke logget inn" in refused.text


@pytest.mark.parametrize("code", ["0000-0000-0000-000x", "0" * 16], ids=["mistyped", "unknown"])
async def test_a_code_that_may_yet_work_stays_in_the_clinicians_field(walk: Walk, code: str) -> None:
    answer = await walk.clinician.submit(await walk.clinician.get("/ansatt/kode"), "/ansatt/kode", {"code": code})
    assert answer.status_code == 422
    assert f'value="{code}"' in answer.text


async def test_pages_are_not_stored_and_say_nothing_in_title_or_address(walk: Walk) -> None:
    """INVARIANT: neutral titles, no-store, nothing in an address but random ids."""
    answer = await walk.wish()
    assert "?" not in answer.headers["location"]
    await walk.offer(2)
    hers = ("/", f"/reise/{walk.journey}", f"/time/{walk.appointment}", f"/reise/{walk.journey}/time")
    theirs = ("/ansatt/i-dag", f"/ansatt/sak/{walk.journey}", "/ansatt/kode")
    for browser, paths in ((walk.youth, hers), (walk.clinician, theirs)):
        for path in paths:
            page = await browser.get(path)
            assert page.status_code == 200, path
            assert page.headers["cache-control"] == "no-store"
            assert "<title>Side</title>" in page.text


async def test_every_page_asks_who_one_is(browsers: Browsers) -> None:
    for path in (f"/reise/{uuid4()}", f"/time/{uuid4()}", "/er-det-deg"):
        page = await browsers().request("GET", path)
        assert page.status_code == 303
        assert page.headers["location"].startswith("/logg-inn?")
    page = await browsers().request("GET", "/ansatt/i-dag")
    assert page.headers["location"].startswith("/ansatt/logg-inn?")
    youth = browsers()
    await youth.log_in(youth_login(15))
    assert (await youth.request("GET", "/ansatt/i-dag")).status_code == 303
    assert (await youth.request("GET", f"/time/{uuid4()}")).headers["location"] == "/er-det-deg"
    assert (await youth.request("DELETE", "/inn")).status_code == 405

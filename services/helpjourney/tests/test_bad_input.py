"""Stale forms, hostile text, wrong values: nothing is doubled, nothing is lost, and the page says how it is now."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from helpjourney_givens import count
from markupsafe import escape
from test_appointment_pages import Walk

from deploy.testing import Database
from deploy.testing.browser import Browser

Browsers = Callable[[], Browser]
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202eteg\u202c og \u200b usynlig",
    "😀👩‍👩‍👧 og Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "{{ 7 * 7 }} %(time)s {% raw %}",
)


@pytest.fixture
async def walk(database: Database, browsers: Browsers) -> Walk:
    return await Walk(database, browsers(), browsers(), uuid4()).enter(with_summary=False)


@pytest.mark.parametrize("note", HOSTILE)
async def test_hostile_text_is_shown_as_it_was_written(walk: Walk, note: str) -> None:
    await walk.wish(note=note)
    for browser, path in ((walk.youth, f"/time/{walk.appointment}"), (walk.clinician, f"/ansatt/sak/{walk.journey}")):
        page = await browser.get(path)
        assert page.status_code == 200
        assert str(escape(note)) in page.text
        assert "<script>alert" not in page.text


@pytest.mark.parametrize("value", ["", "x", "yes\u200b", "<b>", "y" * 5000])
async def test_unknown_choices_fall_back_to_what_sends_nothing(walk: Walk, value: str) -> None:
    """INVARIANT: no message leaves unless she chose it."""
    assert (await walk.wish(reminds=value, contact=value, suits=[value])).status_code == 303
    async with walk.database.engine.connect() as connection:
        from helpjourney.store.appointments import appointments
        from sqlalchemy import select

        row = (await connection.execute(select(appointments))).one()
    assert (row.reminds, row.reminder, row.contact, row.suits) == (False, "none", "here", [])


async def test_a_stale_choice_shows_how_it_is_now_and_changes_nothing(walk: Walk) -> None:
    """The back button, after the time was taken and called off."""
    await walk.wish()
    await walk.offer(2, 3)
    path = f"/time/{walk.appointment}"
    stale = await walk.youth.get(path)
    slot = stale.text.split('name="slot" value="')[1][:36]
    await walk.take(1)
    for action, fields in (("velg", {"slot": slot}), ("ingen-passer", {})):
        answer = await walk.youth.submit(stale, f"{path}/{action}", fields)
        assert answer.status_code in (404, 409)
        assert "Slik er det nå" in answer.text
        assert "Du har en time" in answer.text
    page = await walk.youth.get(path)
    await walk.youth.submit(page, f"{path}/avlys")
    for action in ("avlys", "ny-tid"):
        answer = await walk.youth.submit(page, f"{path}/{action}", {"key": "k" * 43})
        assert answer.status_code == 409
        assert "Ønsk deg en ny time" in answer.text
    assert await walk.types() == ["wished.v1", "offered.v1", "booked.v1", "cancelled.v1"]


async def test_the_clinicians_stale_form_shows_the_case_as_it_is(walk: Walk) -> None:
    await walk.wish()
    stale = await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    await walk.offer(2)
    await walk.take()
    answer = await walk.clinician.submit(
        stale, f"/ansatt/time/{walk.appointment}/tilby", {"start": await walk.half_past(12, 9), "minutes": "30"}
    )
    assert answer.status_code in (409, 422)
    case = await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    assert "Avtalt time" in case.text
    assert await walk.types() == ["wished.v1", "offered.v1", "booked.v1"]


async def test_a_double_click_on_moving_moves_once(walk: Walk) -> None:
    """INVARIANT: the same form twice acts once."""
    await walk.wish()
    await walk.offer(2)
    await walk.take()
    page = await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    other = {"start": await walk.half_past(14, 9), "minutes": "30"}
    for _ in range(2):
        assert (await walk.clinician.submit(page, f"/ansatt/time/{walk.appointment}/flytt", other)).status_code == 303
    assert await count(walk.database, "slots") == 1
    assert "Passer en annen tid?" in (await walk.youth.get("/")).text
    path = f"/time/{walk.appointment}"
    page = await walk.youth.get(path)
    slot = page.text.split('name="slot" value="')[1][:36]
    answers = [await walk.youth.submit(page, f"{path}/velg", {"slot": slot}) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    assert await walk.types() == ["wished.v1", "offered.v1", "booked.v1", "moved.v1"]
    assert "kl.\xa014.30" in (await walk.youth.get(path)).text


async def test_a_fourth_wish_is_answered_with_what_she_has(walk: Walk) -> None:
    path = f"/reise/{walk.journey}/time"
    await walk.wish()
    page = await walk.youth.get(path)
    for _ in range(2):
        await walk.wish()
    assert "Du har alt bedt om tre timer" in (await walk.youth.get(path)).text
    answer = await walk.youth.submit(page, path, {"unit": str(walk.unit)})
    assert answer.status_code == 409
    assert answer.text.count('href="/time/') == 3


@pytest.mark.parametrize("target", ["", "x", "gp "])
async def test_a_referral_to_nowhere_is_explained(walk: Walk, target: str) -> None:
    await walk.wish()
    page = await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    await walk.clinician.submit(page, f"/ansatt/sak/{walk.journey}/start-helsehjelp")
    page = await walk.clinician.get(f"/ansatt/sak/{walk.journey}")
    answer = await walk.clinician.submit(page, f"/ansatt/sak/{walk.journey}/henvis", {"target": target})
    assert answer.status_code == (422 if target.strip() != "gp" else 303)
    assert await count(walk.database, "referrals") == (0 if answer.status_code == 422 else 1)


async def test_wrong_methods_are_pages(walk: Walk) -> None:
    await walk.wish()
    for path in (f"/time/{walk.appointment}/velg", f"/time/{walk.appointment}/ny-tid", f"/reise/{walk.journey}/slutt-a-dele"):
        page = await walk.youth.get(path)
        assert page.status_code == 405
        assert "116 111" in page.text

"""Logins from the service's page through the provider and back, as people do them."""

import pytest
from identity_world import CLINICIAN, DAUGHTER, DAUGHTER_BORN, HELPER, NO_NUMBER, PARENT, TOO_LOW, RawClient, World, query_of
from sqlalchemy import text

from deploy.local.journey.browser import Browser, Page
from deploy.local.oidc.persons import born_at, synthetic_number

_SUBJECTS = text("select subject from browser_sessions where subject is not null")


def is_providers(page: Page, world: World) -> bool:
    return page.url.startswith(world.oidc.idporten)


async def test_a_youth_logs_in_and_the_service_learns_what_it_needs(world: World, browser: Browser) -> None:
    page = await world.log_in(browser, DAUGHTER)
    subject, born, level, sid = page.text.split()
    assert (page.url, born, level) == (world.ports.min_url + "/meg", DAUGHTER_BORN.isoformat(), "idporten-loa-substantial")
    assert DAUGHTER not in page.html
    assert subject != sid


async def test_a_clinician_logs_in_on_behalf_of_her_organisation(world: World, browser: Browser) -> None:
    page = await world.log_in_at_work(browser, CLINICIAN)
    assert page.text == "300000107|Nordlys bydel, Oslo (oppdiktet)|clinician|990000018|676ed505-5dd2-4467-9a79-2fb88d37fe9b"


async def test_the_same_person_has_one_name_at_a_service_and_another_at_the_next(world: World) -> None:
    """INVARIANT: two services can't compare whom they know, and each knows her again."""
    seen: dict[str, set[str]] = {"min": set(), "snakk": set()}
    for base in (world.ports.min_url, world.ports.min_url, world.ports.snakk_url):
        async with Browser() as browser:
            await world.log_in_at_work(browser, HELPER, base)
    kept = await world.everything_kept()
    async with world.min.begin() as uow:
        seen["min"] = {str(row.subject) for row in await uow.connection.execute(_SUBJECTS)}
    async with world.snakk.begin() as uow:
        seen["snakk"] = {str(row.subject) for row in await uow.connection.execute(_SUBJECTS)}
    assert len(seen["min"]) == len(seen["snakk"]) == 1
    assert not seen["min"] & seen["snakk"]
    assert await world.people() == 1
    assert next(iter(seen["min"])) in kept


async def test_nothing_that_is_kept_or_told_shows_who_she_is(world: World, browser: Browser) -> None:
    """INVARIANT: number and day of birth lie sealed only; what is told over Kafka holds neither."""
    await world.log_in(browser, DAUGHTER)
    kept = await world.everything_kept()
    assert kept.count("idporten-loa-substantial") == 3  # the login, identity's own session, the count: it was really looked at
    for secret in (DAUGHTER, DAUGHTER_BORN.isoformat(), "Røyskatt", DAUGHTER.encode().hex(), DAUGHTER_BORN.isoformat().encode().hex()):
        assert secret not in kept


async def test_a_live_provider_session_is_used_where_freshness_is_not_asked_for(world: World, browser: Browser) -> None:
    """What the next test guards against really happens: the provider lets the parent in without a question."""
    await world.log_in(browser, PARENT)
    page = await browser.get(RawClient(world).request())
    assert page.url.startswith(RawClient(world).redirect_uri)
    assert "code" in query_of(page.url)


async def test_a_parents_live_session_does_not_open_a_daughters_page(world: World, browser: Browser) -> None:
    """INVARIANT: a youth's login asks who is there, whatever session lives in the browser."""
    parent = await world.log_in(browser, PARENT)
    page = await browser.get(world.ports.min_url + "/logg-inn/start?neste=/meg")
    assert is_providers(page, world)
    page = await world.choose(browser, page, DAUGHTER, "substantial")
    subject, born, *_ = page.text.split()
    assert born == DAUGHTER_BORN.isoformat()
    assert subject != parent.text.split()[0]


async def test_a_new_login_in_a_browser_ends_the_older_one_at_the_same_service(world: World, browser: Browser) -> None:
    """INVARIANT: the parent's login doesn't live on behind the daughter's."""
    parent_sid = (await world.log_in(browser, PARENT)).text.split()[3]
    page = await browser.get(world.ports.min_url + "/logg-inn/start?neste=/meg")
    await world.choose(browser, page, DAUGHTER, "substantial")
    assert await world.told() == [("identity.sessions-helpjourney.v1", {"session_id": parent_sid})]


async def test_a_higher_level_is_asked_for_and_given(world: World, browser: Browser) -> None:
    page = await world.log_in(browser, DAUGHTER, "high", "?neste=/meg&niva=idporten-loa-high")
    assert page.text.split()[2] == "idporten-loa-high"


def shows_a_way_on(page: Page, world: World) -> bool:
    """The next human option: anonymous help, and the crisis numbers."""
    return world.ports.snakk_url + "/" in page.links and "116 111" in page.text and "prøv igjen" in page.text


async def test_a_level_that_is_too_low_is_explained_and_lets_nobody_in(world: World, browser: Browser) -> None:
    """INVARIANT: what comes back below the level asked for opens nothing."""
    page = await world.log_in(browser, TOO_LOW, "high", "?neste=/meg&niva=idporten-loa-high")
    assert (page.status, page.url.startswith(world.ports.identity_url)) == (403, True)
    assert "BankID" in page.text
    assert shows_a_way_on(page, world)
    back = await browser.get(page.link("/logg-inn/tilbake"))
    assert (back.status, back.url.startswith(world.ports.min_url)) == (403, True)
    assert (await browser.get(world.ports.min_url + "/meg")).url.startswith(world.ports.min_url + "/logg-inn")
    assert await world.people() == 0


async def test_who_aborts_is_told_that_it_is_all_right(world: World, browser: Browser) -> None:
    page = await browser.get(world.ports.min_url + "/logg-inn/start")
    page = await browser.submit(page.form(button="Avbryt"), button="Avbryt")
    assert page.url.startswith(world.ports.identity_url)
    assert "Du avbrøt innloggingen" in page.text
    assert shows_a_way_on(page, world)
    back = await browser.get(page.link("/logg-inn/tilbake"))
    assert back.status == 200
    assert "Det er helt greit" in back.text


async def test_staff_who_abort_are_led_to_work_and_nowhere_else(world: World, browser: Browser) -> None:
    """Identity has no pages for staff of its own: the mark leads to where they work too."""
    page = await browser.get(world.ports.min_url + "/ansatt/logg-inn/start")
    page = await browser.submit(page.form(button="Avbryt"), button="Avbryt")
    assert page.url.startswith(world.ports.identity_url)
    assert "Du avbrøt innloggingen" in page.text
    assert page.has_link(world.ports.min_url + "/ansatt")
    assert world.ports.identity_url + "/ansatt" not in page.links
    assert world.ports.snakk_url + "/" not in page.links


async def test_a_login_without_a_national_number_is_refused_politely(world: World, browser: Browser) -> None:
    page = await world.log_in(browser, NO_NUMBER)
    assert page.status == 403
    assert "Vi fikk ikke noe fødselsnummer" in page.text
    assert shows_a_way_on(page, world)


async def test_a_child_under_twelve_is_led_to_helsenorge(world: World, browser: Browser) -> None:
    page = await browser.get(world.ports.min_url + "/logg-inn/start")
    child = synthetic_number(born_at(8, 17))
    page = await world.choose(browser, page, child, "substantial")
    assert page.status == 403
    assert "https://www.helsenorge.no/" in page.links
    assert shows_a_way_on(page, world)


async def test_a_service_without_youths_gets_none(world: World, browser: Browser) -> None:
    """INVARIANT: only level 3 may ask a youth to log in."""
    page = await browser.get(world.ports.snakk_url + "/logg-inn/start?neste=/meg")
    assert page.url.startswith(world.ports.snakk_url)
    assert page.status == 400


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_the_provider_speaks_her_language(world: World, language: str) -> None:
    async with Browser(language=language) as browser:
        page = await world.log_in(browser, NO_NUMBER)
    assert f'<html lang="{language}"' in page.html

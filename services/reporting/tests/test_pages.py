"""The figures as a reader sees them."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from reporting.domain import Step, Wait
from reporting.store import add_counts, add_waits, list_service, open_provider
from servicekit.web.browser_session import Login
from servicekit.web.guards import assert_unsafe_routes_are_guarded

from deploy.testing.browser import hidden_fields


def this_hour():
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


async def count(database, step, number):
    async with database.begin() as uow:
        await add_counts(uow.connection, {(step, this_hour()): number})


def staff(*roles):
    return Login(
        subject=uuid4(),
        sid=uuid4(),
        level="idporten-loa-high",
        auth_time=datetime.now(UTC),
        organisation="999999903",
        organisation_name="Sekretariatet",
        roles=frozenset(roles),
    )


async def test_the_journey_is_shown_without_small_counts(browser, database):
    """INVARIANT: a count of 4 is on no page and in no document."""
    await count(database, Step.CHATS_ACCEPTED, 40)
    await count(database, Step.HANDOFFS_OFFERED, 20)
    await count(database, Step.HANDOFFS_CLAIMED, 4)
    page = await browser.get("/")
    assert page.status_code == 200
    assert "50 %" in page.text
    assert "færre enn 5" in page.text
    document = (await browser.request("GET", "/api/journey")).json()
    steps = {row["step"]: row for row in document["funnel"]}
    assert steps["handoffs_offered"] == {"step": "handoffs_offered", "level": 2, "count": 20, "share_of": "chats_accepted", "percent": 50}
    assert steps["handoffs_claimed"]["count"] is None
    table = await browser.get("/reisen.csv")
    assert "Tok det med inn;<5" in table.text


@pytest.mark.parametrize(("language", "word"), [("nb", "Veien til hjelp"), ("nn", "Vegen til hjelp"), ("en", "The way to help")])
async def test_the_page_speaks_the_readers_language(browser, language, word):
    page = await browser.get("/", **{"Accept-Language": language})
    assert word in page.text


@pytest.mark.parametrize("query", ["fra=2026-13-01", "fra=i-går", "fra=2026-11-20&til=2026-11-01", "fra=1900-01-01", "til=9999-12-31"])
async def test_a_period_that_makes_no_sense_is_refused_kindly(browser, query):
    page = await browser.get(f"/?{query}")
    assert page.status_code == 422
    assert "113" in page.text
    problem = await browser.request("GET", f"/api/journey?{query}", {"Accept": "application/json"})
    assert problem.status_code == 422
    assert problem.headers["content-type"] == "application/problem+json"
    assert "1900" not in problem.text


async def test_a_period_that_can_not_be_shown_stays_in_the_form(browser):
    for query, word in [("fra=i-går", "i-går"), ("fra=2026-11-20&til=2026-11-01", "2026-11-20"), ("fra=1900-01-01", "1900-01-01")]:
        page = await browser.get(f"/?{query}")
        assert page.status_code == 422
        assert f'value="{word}"' in page.text
        assert "error-summary" in page.text
    assert (await browser.get("/?fra=%3Cscript%3E")).text.count("<script>") == 0


async def test_the_chart_says_what_the_table_says(browser, database):
    """INVARIANT: what is hidden in the table has no length in the drawing."""
    await count(database, Step.CHATS_REQUESTED, 40)
    await count(database, Step.CHATS_ACCEPTED, 20)
    await count(database, Step.HANDOFFS_OFFERED, 4)
    page = (await browser.get("/")).text
    drawing = page[page.index("<svg class=") : page.index("</svg>", page.index("<svg class="))]
    assert drawing.count('class="bar ') == 2
    assert 'width="340" height="14"' in drawing
    assert 'width="170" height="14"' in drawing
    assert drawing.count('class="hidden"') == 9
    assert "skjult, færre enn 5" in page
    assert "skjult, ett av tallene er for lite" in page


async def test_each_agencys_promises_are_held_against_the_figures(browser, database):
    async with database.begin() as uow:
        await add_waits(uow.connection, {(Wait.CHAT, this_hour(), band): number for band, number in ((1, 40), (9, 10))})
    await count(database, Step.LOGINS_COMPLETED, 20)
    await count(database, Step.LOGINS_FAILED, 10)
    page = (await browser.get("/lofter")).text
    for owner in ("Åpen informasjon", "Spørsmål og chat", "Innlogging", "Hjelp med innlogging"):
        assert f"<h2>{owner}</h2>" in page
    assert "Digitaliseringsdirektoratet" in page
    assert page.count("Ikke holdt") == 1
    assert "67\u00a0%" in page
    assert "80\u00a0%" in page
    assert page.count("For få til å si noe") == 4


async def test_the_files_hold_what_the_pages_show(browser, database):
    await count(database, Step.CHATS_ABANDONED, 7)
    table = (await browser.get("/ventetid.csv")).text
    assert "Chatter uten svar;;" in table
    assert ";5\r\n" in table
    assert "I chatkø;10;;<5" in table


async def test_what_is_open_now_renews_itself_with_and_without_script(browser):
    await browser.log_in(staff("operator"))
    page = await browser.get("/ansatt")
    assert 'hx-get="/ansatt/na"' in page.text
    assert "Stopp oppdatering" in page.text
    assert 'hx-get="/ansatt/na"' not in (await browser.get("/ansatt?stopp=1")).text
    live = await browser.get("/ansatt/na")
    assert live.headers["refresh"] == "10"
    assert "Oppdater nå" in live.text
    assert "Stopp oppdatering" in live.text
    assert "refresh" not in (await browser.get("/ansatt/na?stopp=1")).headers
    await browser.log_in(staff("helper"))
    assert (await browser.get("/ansatt/na")).status_code == 403


async def test_an_operator_can_log_out_on_the_page_itself(browser):
    """INVARIANT: the night's shared machine is left without looking for the way out."""
    await browser.log_in(staff("operator"))
    assert {"csrf", "key"} <= set(hidden_fields((await browser.get("/ansatt")).text, "/ansatt/logg-ut"))


async def test_operations_see_what_is_open_and_others_do_not(browser, database):
    service_id = uuid4()
    async with database.begin() as uow:
        await list_service(uow.connection, service_id, "Eksempelchatten", "Eksempelorganisasjonen")
        await open_provider(uow.connection, service_id, is_open=True)
    assert "/ansatt/logg-inn" in str((await browser.get("/ansatt")).url)
    await browser.log_in(staff("helper"))
    refused = await browser.get("/ansatt/na")
    assert refused.status_code == 403
    assert "Til arbeidssiden" not in refused.text, "it leads here"
    await browser.log_in(staff("operator"))
    page = await browser.get("/ansatt")
    assert page.status_code == 200
    assert "Eksempelchatten" in page.text


def test_every_unsafe_route_is_guarded(app):
    """INVARIANT: nothing changes without a form of ours."""
    assert_unsafe_routes_are_guarded(app)

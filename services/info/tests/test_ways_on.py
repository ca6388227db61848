"""No page of info is a dead end: each has a next human option of its own, and what is open now is said honestly."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from uuid import uuid4

import httpx
import pytest
from contracts.dialog import ProviderClosed, ProviderOpened
from info import crisis
from info.consumers import HANDLERS
from info.domain import Hours, Shift, State
from info.handlers import DelistService, WithdrawAnswer, WithdrawArticle, delist_service, list_service, withdraw_answer, withdraw_article
from info.queries import register
from info.seeds import Seeds
from info.store import availability, help_services
from servicekit.delivery.inbox import apply
from sqlalchemy import delete, update

from deploy.testing import record_of

SKRAVLA = "1621a0c9-9321-4897-9fe8-8a3ac2e1dda9"
DOGNCHATTEN = "Døgnchatten"
FRIEND_CUTS = "567dfda3-f05e-4358-9a92-5d37aec79b42"
LOCAL = "676ed505-5dd2-4467-9a79-2fb88d37fe9b"
HUMAN = re.compile(r"^(tel:|http://snakk\.localhost:8080/(chat|spor)|/hjelp|/kommune)")
PAGES = {
    "/": ["/"],
    "/sok": ["/sok", "/sok?q=snus", "/sok?q=xyzzy", "/sok?q=" + "a" * 201, "/sok?tema=x", "/sok?q=snus&side=99", "/sok?q=snus&tekst=se"],
    "/artikkel/{slug}": ["/artikkel/sovn", "/artikkel/selvskading", "/artikkel/gone", "/artikkel/x"],
    "/svar/{publication_id}": [f"/svar/{FRIEND_CUTS}", "/svar/gone", "/svar/x", f"/svar/{uuid4()}"],
    "/hjelp": ["/hjelp", "/hjelp?tema=x", "/hjelp?kommune=5612&kanal=sms&apent=ja&type=emergency", "/hjelp?side=99", "/hjelp?side=x"],
    "/hjelp/{service_id}": [f"/hjelp/{SKRAVLA}", f"/hjelp/{LOCAL}", "/hjelp/gone", "/hjelp/x", f"/hjelp/{uuid4()}"],
    "/kommune": ["/kommune"],
    "/kommune/{number}": ["/kommune/4601", "/kommune/9999", "/kommune/x"],
}
"""Route -> its addresses, error states too. `gone`: the address of what the test takes away first."""


class _Main(HTMLParser):
    """The links of a page's main part; the crisis line of the footer doesn't count."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inside, self.links = False, []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.inside = self.inside or tag == "main"
        if self.inside and tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "main"


def human_options(page: httpx.Response) -> list[str]:
    return [link for link in _Main(page.text).links if HUMAN.match(link)]


def test_every_route_that_youths_read_is_in_the_list(app):
    """INVARIANT: a new page can't be forgotten."""
    routes = {path for path, methods in app.openapi()["paths"].items() if "get" in methods}
    assert {path for path in routes if not path.startswith(("/api/", "/ansatt", "/logg"))} == set(PAGES)


async def take_away(seeded, seed_files: Seeds) -> dict[str, str]:
    """An article, an answer and a service are withdrawn: route -> address."""
    article, answer, service = seed_files.articles[0], seed_files.answers[0], seed_files.services[-1]
    async with seeded.begin() as uow:
        for other in seed_files.articles:
            if other.slug == article.slug:
                await withdraw_article(WithdrawArticle(other.publication_id), uow)
        await withdraw_answer(WithdrawAnswer(answer.publication_id), uow)
        await delist_service(DelistService(service.service_id), uow)
    return {
        "/artikkel/gone": f"/artikkel/{article.slug}",
        "/svar/gone": f"/svar/{answer.publication_id}",
        "/hjelp/gone": f"/hjelp/{service.service_id}",
    }


async def test_no_page_is_a_dead_end(browser, seeded, seed_files):
    """INVARIANT: every page, in every state and language, has a next human option in its own text."""
    gone = await take_away(seeded, seed_files)
    addresses = [gone.get(address, address) for addresses in PAGES.values() for address in addresses]
    for language in ("nb", "nn", "en"):
        dead = [
            address[:60] for address in addresses if not human_options(await browser.get(address, headers={"accept-language": language}))
        ]
        assert dead == []


async def test_the_search_for_dead_ends_finds_them():
    assert human_options(httpx.Response(200, text='<main><a href="/sok">x</a></main><a href="tel:113">113</a>')) == []
    assert human_options(httpx.Response(200, text='<main><a href="tel:113">113</a></main>')) == ["tel:113"]


async def test_what_was_taken_away_says_so_and_leads_on(browser, program, seeded, seed_files):
    """INVARIANT: 410, not 404 and not a blank page: who answers now, a search, and more on the same topic."""
    gone = await take_away(seeded, seed_files)
    for address in gone.values():
        page = await browser.get(address)
        assert page.status_code == 410
        for words in ("Disse svarer nå", 'action="/sok"', "tel:116111"):
            assert words in page.text
        assert seed_files.answers[0].title not in page.text
    assert "Mer om samme tema" in (await browser.get(gone["/artikkel/gone"])).text
    problem = await program.get("/api/services/" + gone["/hjelp/gone"].removeprefix("/hjelp/"))
    assert (problem.status_code, problem.json()["type"]) == (410, "urn:stegvis:problem:gone")


NEEDS = ["jeg er lei meg", "snus", "xyzzy", "хочу домой", "😀", "", "a", "helsestasjon bergen"]


@pytest.mark.parametrize("at", ["2026-11-25T03:30+01:00", "2026-12-25T12:00+01:00", "2026-06-10T12:00+02:00"])
async def test_whatever_is_typed_somebody_is_open_now(app, seeded, at):
    """INVARIANT: every need leads to a human who answers at this moment, also at night and at Christmas."""
    async with seeded.begin() as uow:
        entries = await register.services(uow.connection, register.Wanted(), datetime.fromisoformat(at))
    for topic in (None, "bullying", "rights", "x"):
        there = register.answering(entries, topic)
        assert there
        assert all(entry.state is State.OPEN and set(entry.channels) & {"chat", "phone", "sms"} for entry in there)
        assert {"chat", "phone"} <= {channel for entry in there for channel in entry.channels}


async def test_every_search_shows_somebody_who_is_open(browser):
    for need in NEEDS:
        page = await browser.get("/sok", params={"q": need})
        box = page.text.partition('class="answering"')[2].partition("</section>")[0]
        assert "Åpent nå" in box, need
        assert 'href="tel:' in box, need


async def test_with_an_empty_register_the_crisis_numbers_stand_in(browser, seeded):
    """INVARIANT: the human option doesn't hang on our data."""
    async with seeded.begin() as uow:
        await uow.connection.execute(delete(help_services))
    for address in ("/", "/sok?q=snus", "/artikkel/sovn", "/hjelp", "/kommune", "/kommune/4601"):
        page = await browser.get(address)
        assert "tel:116111" in human_options(page), address


async def test_crisis_lines_are_heard_in_four_languages():
    for words in ("ta livet mitt", "eg vil ikkje leve", "want to die", "in háliit eallit"):
        assert crisis.calls_for_help(words)


async def test_the_front_page_says_when_a_way_opens_and_when_nobody_knows(browser, seeded, seed_files):
    """INVARIANT: open, closed and not known look different, and a closed way names another."""
    clinic = next(service for service in seed_files.services if "drop_in" in service.channels)

    async def shows(hours: Hours | None) -> str:
        async with seeded.begin() as uow:
            await uow.connection.execute(
                update(help_services).where(help_services.c.channels.any("drop_in")).values(delisted_at=datetime.now(UTC))
            )
            if hours is not None:
                await list_service(
                    type(clinic)(**{name: getattr(clinic, name) for name in clinic.__slots__ if name != "hours"}, hours=hours), uow
                )
        front = (await browser.get("/")).text
        return front.partition('href="/hjelp?kanal=drop_in"')[2].partition("</li>")[0]

    assert "Usikkert nå" in await shows(None)
    assert "Usikkert nå" in await shows(Hours())
    assert "1 sted er åpent." in await shows(Hours(always=True))
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    closed = await shows(
        Hours((Shift(tomorrow.isoweekday(), datetime.min.time(), datetime.min.time().replace(minute=1)),), on_holidays="usual")
    )
    assert "Stengt nå" in closed
    assert "Åpner " in closed
    assert "Ring eller chat så lenge." in closed


async def test_a_word_from_the_network_counts_and_is_dated(browser, seeded):
    now = datetime.now(UTC)
    for event, words in ((ProviderOpened, "Åpent nå"), (ProviderClosed, "Stengt nå")):
        async with seeded.begin() as uow:
            await uow.connection.execute(delete(availability))
        sequence = 1 if event is ProviderOpened else 2
        record = record_of(event(service_id=SKRAVLA), key=SKRAVLA, sequence=sequence, time=now - timedelta(minutes=5))
        await apply(seeded.begin, "info", [record], HANDLERS)
        page = (await browser.get(f"/hjelp/{SKRAVLA}")).text
        assert words in page.partition('class="answering"')[0]
        assert "Dette sa tjenesten selv kl. " in page


async def test_a_municipality_shows_its_own_places_and_who_answers_everywhere(browser):
    page = (await browser.get("/kommune/4601")).text
    assert "<h1>Hjelp i Bergen</h1>" in page
    assert "Helsestasjon for ungdom Fjellbyen" in page
    assert "Helsestasjon for ungdom Nordlys" not in page
    assert "For hele landet: disse svarer nå" in page
    assert 'href="/kommune/4601"' in (await browser.get("/kommune")).text
    unknown = await browser.get("/kommune/9999")
    assert unknown.status_code == 404
    assert "Vi har ingen steder i denne kommunen ennå" in unknown.text

"""The open pages: what every reader is owed, in three languages, without cookies and without third parties."""

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import httpx
import pytest
from contracts.dialog import ProviderOpened, QueueMeasured
from info.consumers import HANDLERS
from info.store import answers, articles, search_texts
from servicekit.delivery.inbox import apply
from sqlalchemy import func, select, update
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from deploy.testing import record_of

SKRAVLA = UUID("1621a0c9-9321-4897-9fe8-8a3ac2e1dda9")
PAGES = [
    "/",
    "/sok",
    "/sok?q=snus",
    "/sok?q=xyzzy",
    "/sok?tema=family&tekst=nb",
    "/artikkel/sovn",
    "/artikkel/selvskading",
    "/svar/567dfda3-f05e-4358-9a92-5d37aec79b42",
    "/hjelp",
    "/hjelp?tema=family&kommune=4601&apent=ja&kanal=phone&type=phone_line",
    f"/hjelp/{SKRAVLA}",
    "/kommune",
    "/kommune/4601",
]
CRISIS = ["tel:113", "tel:112", "tel:116117", "tel:116111", "tel:116123"]


async def test_every_page_keeps_what_all_pages_owe(browser):
    """INVARIANT: the crisis numbers are on every page; no cookie is set; nothing is fetched from anybody else."""
    for address, language in product(PAGES, ("nb", "nn", "en")):
        page = await browser.get(address, headers={"accept-language": language})
        assert page.status_code == 200
        assert f'<html lang="{language}"' in page.text
        assert page.text.count("<h1") == 1
        assert all(f'href="{number}"' in page.text for number in CRISIS)
        assert "set-cookie" not in page.headers
        assert foreign(page.text) == []
        assert not re.search(r"<(script|style)(?![^>]*src=)[^>]*>[^<]", page.text)
        assert " style=" not in page.text


def foreign(html: str) -> list[str]:
    """Addresses that a browser would fetch or post to by itself, on another host than ours."""
    fetched = re.findall(r'<(?:script|img|iframe|source|video|audio|embed|form|button)[^>]*?(?:src|action|formaction)="([^"]+)"', html)
    fetched += re.findall(r'<link[^>]*href="([^"]+)"', html)
    return [address for address in fetched if not re.match(r"/(?!/)", address)]


def test_the_search_for_foreign_addresses_finds_them():
    bad = '<img alt="" src="https://x.example/a"><link href="//x.example/b"><script src="http://x.example/c"></script><form action="https://x">'
    assert len(foreign(bad)) == 4


HEADINGS = [("nb", "Hva trenger du nå?"), ("nn", "Kva treng du no?"), ("en", "What do you need now?")]
DIALOG = "http://snakk.localhost:8080"
WAYS = ("/sok", f"{DIALOG}/spor", f"{DIALOG}/chat", "/hjelp?kanal=phone", "/hjelp?kanal=drop_in")


async def test_the_front_page_offers_five_ways_and_says_what_each_costs(browser):
    for language, words in HEADINGS:
        page = await browser.get("/", headers={"accept-language": language})
        assert words in page.text
        assert page.text.count('<dl class="short-facts">') == 5
        assert [address for address in WAYS if f'href="{address}"' not in page.text.replace("&amp;", "&")] == []


async def test_only_a_chosen_language_sets_a_cookie(browser):
    """INVARIANT: on the open level there is no cookie but her own choice of language."""
    answer = await browser.get("/artikkel/snus-og-vape?spraak=nn")
    assert answer.status_code == 303
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-spraak=nn;")
    page = await browser.get("/artikkel/snus-og-vape", headers={"cookie": "__Host-spraak=nn"})
    assert "slik sluttar du" in page.text


async def test_an_article_that_is_not_translated_is_shown_in_bokmal_and_marked_so(browser):
    page = await browser.get("/artikkel/sorg", headers={"accept-language": "nn"})
    assert "Denne teksten finst ikkje på språket du har valt." in page.text
    assert '<article lang="nb">' in page.text


async def test_an_article_names_owner_sources_review_and_help_beside_it(browser):
    page = await browser.get("/artikkel/taushetsplikt")
    for words in ("Stegvis fagpanel", "3. november", "https://lovdata.no/", "/artikkel/minid-og-bankid", "Vil du snakke med noen?"):
        assert words in page.text


async def test_hard_topics_show_the_whole_crisis_block(browser):
    assert 'class="crisis"' in (await browser.get("/artikkel/selvskading")).text
    assert 'class="crisis"' not in (await browser.get("/artikkel/sovn")).text
    assert 'class="crisis"' in (await browser.get("/svar/567dfda3-f05e-4358-9a92-5d37aec79b42")).text


async def test_crisis_words_in_a_search_raise_the_whole_block_at_once(browser):
    """INVARIANT: the block stands before the hits, whatever they are."""
    for words in ("ta livet mitt", "vil ikke leve", "selvmord", "voldtatt", "kutter meg"):
        page = (await browser.get("/sok", params={"q": words})).text
        assert page.index('class="crisis"') < page.index('<form class="filters')
    assert 'class="crisis"' not in (await browser.get("/sok?q=snus")).text


async def test_a_search_without_hits_leads_on(browser):
    page = (await browser.get("/sok?q=xyzzy")).text
    assert "Vi fant ingenting om akkurat det" in page
    for way in ("snakk.localhost:8080/spor", "snakk.localhost:8080/chat", "/hjelp?kanal=phone", "/artikkel/", "/sok?tema="):
        assert way in page


async def test_a_search_is_narrowed_by_links_that_tell_how_many(browser):
    page = (await browser.get("/sok?q=skole")).text
    number = int(re.search(r'href="/sok\?q=skole&amp;type=article">Artikler <span class="number">\((\d+)\)', page)[1])
    narrowed = (await browser.get("/sok?q=skole&type=article")).text
    assert f'class="hits-count">{number} treff' in narrowed
    assert '<a class="chip" data-chosen href="/sok?q=skole">' in narrowed


async def test_a_search_without_hits_offers_near_words_and_its_hits_without_filters(browser):
    assert 'href="/sok?q=f%C3%A5r%20ikke%20sove"' in (await browser.get("/sok", params={"q": "kannikke sovve", "tekst": "se"})).text
    page = (await browser.get("/sok?q=snus&tekst=se")).text
    assert re.search(r'<a href="/sok\?q=snus">Se \d+ treff uten valgene dine', page)


async def test_a_place_that_is_asked_for_by_name_is_found(browser):
    page = (await browser.get("/sok", params={"q": "helsestasjon Bergen"})).text
    assert "Helsestasjon for ungdom Fjellbyen" in page.partition('id="places-title"')[2]


async def test_a_wrong_page_number_shows_the_nearest_and_says_so(browser):
    for address in ("/sok?q=du+kan+hjelp+skole+chat&side=99", "/hjelp?side=99"):
        page = (await browser.get(address)).text
        assert re.search(r"Siden du ba om, finnes ikke\. Her er side [2-9]\.", page), address
    assert "finnes ikke. Her er" not in (await browser.get("/hjelp?side=2")).text


HOSTILE = ["\u202eevil", "sn\u200bus", "s̸̢̛n̷u̶s", "😀👩‍👩‍👧", "<script>alert(1)</script>", "' or 1=1 --", "%00", "‮‮‮", "A" * 200, "{{ 7*7 }}"]


@pytest.mark.parametrize("typed", HOSTILE)
async def test_hostile_words_come_back_as_harmless_ones(browser, typed):
    """INVARIANT: the page keeps what can be read of the words, and none of what turns or breaks a page."""
    page = await browser.get("/sok", params={"q": typed})
    assert page.status_code == 200
    main = page.text.partition("<main")[2]
    assert "<script" not in main
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", main)
    assert "49" not in re.findall(r'name="q"[^>]*value="([^"]*)"', main)


async def test_open_pages_may_be_kept_for_a_moment_and_asked_for_again(browser):
    """INVARIANT: shared caches may keep open pages for seconds, by language; none of them sets a cookie."""
    for address in PAGES:
        page = await browser.get(address)
        assert page.headers["cache-control"].startswith("public, max-age=10"), address
        assert {each.strip() for each in page.headers["vary"].split(",")} == {"Accept-Language", "Cookie", "Accept-Encoding"}
        assert "set-cookie" not in page.headers
        again = await browser.get(address, headers={"if-none-match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), address
        other = await browser.get(address, headers={"accept-language": "nn"})
        assert other.headers["etag"] != page.headers["etag"]
    for address in ("/artikkel/x", "/sok?tema=x"):
        assert (await browser.get(address)).headers["cache-control"] == "private, no-cache"


async def test_the_register_is_narrowed_by_age_and_language(browser):
    page = (await browser.get("/hjelp?alder=22&sprak=se")).text
    assert "Samisk ungdomstelefon" in page
    assert "Ungdomslinja" not in page
    assert "Døgnchatten" not in page


async def test_an_article_is_old_a_year_after_its_review(browser, seeded):
    """INVARIANT: a text that nobody has gone through for a year says so."""
    for days, is_old in ((363, False), (367, True)):
        async with seeded.begin() as uow:
            await uow.connection.execute(update(articles).values(reviewed_on=datetime.now(UTC).date() - timedelta(days=days)))
        assert ("mer enn ett år siden" in (await browser.get("/artikkel/sovn")).text) is is_old


async def test_an_old_answer_warns_and_a_new_one_does_not(browser, seeded):
    """INVARIANT: answers are never updated; after a year the reader is told."""
    where = "/svar/" + await answer_id(browser, "pappa drikker")
    for days, is_old in ((363, False), (367, True)):
        async with seeded.begin() as uow:
            await uow.connection.execute(update(answers).values(answered_on=datetime.now(UTC).date() - timedelta(days=days)))
        assert ("mer enn ett år gammelt" in (await browser.get(where)).text) is is_old


async def answer_id(browser: httpx.AsyncClient, words: str) -> str:
    page = await browser.get("/sok", params={"q": words})
    return re.search(r'href="/svar/([0-9a-f-]{36})"', page.text)[1]


async def test_what_a_panel_wrote_is_escaped(browser, seeded, approved):
    """INVARIANT: a text from another service is text, not markup."""
    await apply(seeded.begin, "info", [record_of(approved, key=approved.publication_id, sequence=1)], HANDLERS)
    page = (await browser.get(f"/svar/{approved.publication_id}")).text
    assert "&lt;b&gt;bøyd&lt;/b&gt;" in page
    assert "<strong>kurvelinjal</strong>" in page


async def test_live_events_open_a_service_on_the_pages(browser, seeded):
    async def page():
        return (await browser.get(f"/hjelp/{SKRAVLA}")).text

    now = datetime.now(UTC)
    events = [ProviderOpened(service_id=SKRAVLA), QueueMeasured(service_id=SKRAVLA, length=4, wait_minutes=10)]
    records = [record_of(event, key=SKRAVLA, sequence=n, time=now - timedelta(minutes=1)) for n, event in enumerate(events, start=1)]
    await apply(seeded.begin, "info", records, HANDLERS)
    shown = await page()
    for words in ("Åpent nå", " 4 venter i køen. Ventetid: omtrent 10 minutter.", "Dette sa tjenesten selv kl. "):
        assert words in shown
    front = (await browser.get("/")).text
    assert "Ventetid nå: omtrent 10 minutter." in front


async def test_the_register_names_unknown_filters_and_shows_the_rest(browser):
    page = await browser.get("/hjelp?tema=canary-4711&kommune=4601")
    assert page.status_code == 422
    assert "canary" not in page.text.partition("<main")[2]
    assert "Helsestasjon for ungdom Fjellbyen" in page.text
    assert "Helsestasjon for ungdom Nordlys" not in page.text


BAD = [
    ("/sok?q=" + "a" * 201, 422),
    ("/sok?q=" + "a" * 60_000, 422),
    ("/sok?tema=canary-4711", 422),
    ("/sok?tekst=canary-4711", 422),
    ("/sok?q=snus&side=canary-4711", 200),
    ("/sok?q=snus&side=-1", 200),
    ("/sok?q=snus&side=" + "9" * 5000, 200),
    ("/sok?q=snus&side=²", 200),
    ("/sok?q=%00%ff%fe", 200),
    ("/artikkel/canary-4711", 404),
    ("/artikkel/..%2f..%2fetc%2fpasswd", 404),
    ("/svar/canary-4711", 404),
    ("/svar/00000000-0000-4000-8000-000000000000", 404),
    ("/hjelp/canary-4711", 404),
    ("/canary-4711", 404),
]


async def test_bad_addresses_end_on_a_clear_page(browser):
    """INVARIANT: a mistake ends on a page with the crisis numbers and a way on, and echoes nothing."""
    for address, status in BAD:
        page = await browser.get(address)
        assert (page.status_code, page.headers["content-type"][:9]) == (status, "text/html"), address[:60]
        assert all(f'href="{number}"' in page.text for number in CRISIS)
        assert "Traceback" not in page.text
        if status != 200:
            assert "canary" not in page.text.partition("<main")[2]
            assert "a" * 202 not in page.text.partition("<main")[2]


async def test_a_search_that_is_too_long_stays_in_its_field_below_the_crisis_numbers(browser):
    cry = "jeg vet ikke hva jeg skal gjøre lenger og " * 6
    page = await browser.get("/sok", params={"q": cry})
    assert page.status_code == 422
    assert f'value="{cry.strip()}"' in page.text
    assert page.text.index('class="crisis"') < page.text.index('<form class="filters')


async def test_reading_is_all_that_open_pages_allow(browser):
    for method, address in product(("POST", "PUT", "DELETE"), ("/", "/sok", "/artikkel/sovn", "/hjelp", f"/hjelp/{SKRAVLA}")):
        page = await browser.request(method, address)
        assert page.status_code == 405
        assert page.headers["content-type"].startswith("text/html")


async def test_reading_leaves_counts_and_nothing_else(browser, app, seeded):
    """INVARIANT: what was searched for is nowhere; only a class of page and a language were counted."""
    await browser.get("/sok?q=canarysnus", headers={"cookie": "x=canary"})
    await browser.get("/artikkel/sovn")
    assert dict(app.state.usage._counts) == {("search_empty", "nb"): 1, ("article", "nb"): 1}
    await app.state.usage.flush(app.state.begin)
    async with seeded.begin() as uow:
        tables = (await uow.connection.execute(select(func.string_agg(search_texts.c.plain, " ")))).scalar_one()
        assert "canary" not in tables


@pytest.mark.parametrize("path", ["/sok", "/hjelp", "/api/search"])
async def test_a_hundred_thousand_characters_are_answered(app, path):
    """The browser's client refuses such an address itself, so the application is asked directly."""
    answer = []

    async def send(message):
        answer.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    query = b"q=" + b"a" * 100_000 + b"&tema=" + b"b" * 100_000
    headers = [(b"accept", b"text/html"), (b"host", b"localhost:8080")]
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query, "headers": headers}
    await app({**scope, "http_version": "1.1", "scheme": "http", "server": ("localhost", 8080), "root_path": ""}, receive, send)
    assert answer[0]["status"] == 422
    body = b"".join(message.get("body", b"") for message in answer)
    assert b"aaaa" not in body.partition(b"<main")[2]


async def test_a_database_that_has_no_connection_left_is_a_crowd_and_no_fault_of_ours(app, browser, program, monkeypatch):
    """Readers see when to come again and who answers meanwhile; nothing is logged as failed, for each line would make it worse."""

    def full():
        raise PoolTimeoutError("full")

    monkeypatch.setattr(app.state, "begin", full)
    page, answer = await browser.get("/sok?q=snus"), await program.get("/api/services")
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Vi rekker ikke alle akkurat nå" in page.text
    assert "tel:116111" in page.text
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")

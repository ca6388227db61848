"""A youth's way through the pages: ask, keep the code, read the answer, take it back. The whole application, real PostgreSQL."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from servicekit.web.guards import assert_unsafe_routes_are_guarded
from sqlalchemy import text

from deploy.local.journey.browser import Browser, Page
from deploy.testing import Database, told

HOME = "http://snakk.localhost:8080"
CODE = re.compile(r"(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}")
Browse = Callable[..., Browser]


async def ask(browser: Browser, words: str = "Er det vanlig å grue seg?", **values: str) -> Page:
    page = await browser.get(f"{HOME}/spor")
    return await browser.submit(page.form("/spor"), {"text": words, **values})


def code_on(page: Page) -> str:
    found = CODE.search(page.text)
    assert found, page.text
    return found.group()


async def open_with(browser: Browser, code: str) -> Page:
    page = await browser.get(f"{HOME}/svar")
    return await browser.submit(page.form("/svar"), {"code": code})


async def rows(database: Database, table: str) -> int:
    async with database.engine.connect() as connection:
        return await connection.scalar(text(f"select count(*) from {table}")) or 0


async def test_asking_shows_a_code_and_a_repeat_shows_the_same(browse: Browse, database: Database) -> None:
    """INVARIANT: a form sent twice is one question, and what is shown once can be shown again to the same form."""
    browser = browse()
    page = await browser.get(f"{HOME}/spor")
    sent = page.form("/spor").filled({"text": "Er det vanlig?"})
    first = await browser.post(f"{HOME}/spor", sent)
    again = await browser.post(f"{HOME}/spor", sent)
    assert first.status == again.status == 200
    assert code_on(first) == code_on(again)
    assert await rows(database, "questions") == 1
    async with database.engine.connect() as connection:
        assert [fact.type for fact in await told(connection)] == ["dialog.question.asked.v1"]


REFUSE_COMMITS = (
    """create function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'full' using errcode = 'disk_full'; end $$""",
    "create constraint trigger refuse after insert on questions deferrable initially deferred for each row execute function refuse()",
)


async def test_a_question_that_cannot_be_committed_is_not_taken_for_asked(browse: Browse, database: Database) -> None:
    """INVARIANT: who is shown a code has asked. Where the commit fails she reads that it did, and the same form works later."""
    browser = browse(raises=False)
    sent = (await browser.get(f"{HOME}/spor")).form("/spor").filled({"text": "Er det vanlig?"})
    async with database.engine.begin() as connection:
        for statement in REFUSE_COMMITS:
            await connection.execute(text(statement))
    failed = await browser.post(f"{HOME}/spor", sent)
    assert (failed.status, failed.headers["retry-after"]) == (503, "5")
    assert not CODE.search(failed.text)
    assert "113" in failed.text
    assert (await rows(database, "questions"), await rows(database, "idempotency_keys"), await rows(database, "outbox")) == (0, 0, 0)
    async with database.engine.begin() as connection:
        await connection.execute(text("drop trigger refuse on questions"))
    assert code_on(await browser.post(f"{HOME}/spor", sent))
    assert await rows(database, "questions") == 1


async def test_the_code_is_stored_nowhere(browse: Browse, database: Database) -> None:
    """INVARIANT: what opens an answer isn't in the database."""
    code = code_on(await ask(browse()))
    async with database.engine.connect() as connection:
        for table in ("questions", "idempotency_keys", "browser_sessions", "outbox", "tries"):
            for row in (await connection.execute(text(f"select t::text from {table} t"))).scalars():
                assert code not in row
                assert code.replace("-", "").encode().hex() not in row


async def test_asking_leaves_no_session_behind(browse: Browse, database: Database) -> None:
    """INVARIANT: no state is kept beyond need."""
    await ask(browse())
    assert await rows(database, "browser_sessions") == 0


async def test_the_same_form_with_another_text_is_not_taken_for_a_repeat(browse: Browse, database: Database) -> None:
    browser = browse()
    page = await browser.get(f"{HOME}/spor")
    sent = page.form("/spor").filled({"text": "Første"})
    await browser.post(f"{HOME}/spor", sent)
    other = await browser.post(f"{HOME}/spor", sent | {"text": "Noe helt annet"})
    assert other.status == 422
    assert other.form("/spor").fields["text"] == "Noe helt annet"
    assert await rows(database, "questions") == 1
    third = await browser.submit(other.form("/spor"))
    assert code_on(third)
    assert await rows(database, "questions") == 2


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Kan noen ringe meg på 90 41 23 87?", "telefonnummer"),
        ("Skriv til kari@eksempel.no", "e-postadresse"),
        ("Jeg er 30108299920 og redd", "fødselsnummer"),
    ],
)
async def test_what_may_show_who_she_is_is_asked_about_before_it_is_sent(
    browse: Browse, database: Database, words: str, found: str
) -> None:
    """INVARIANT: she learns that nobody can call her while she can still take it out; her yes sends it as it is."""
    browser = browse()
    asked = await ask(browser, words)
    assert (asked.status, await rows(database, "questions")) == (422, 0)
    assert found in asked.text
    assert 'href="#f-seen"' in asked.html
    form = asked.form("/spor")
    assert form.fields["text"] == words
    code_on(await browser.submit(form, {"seen": "yes"}))
    assert await rows(database, "questions") == 1


@pytest.mark.parametrize(
    "words", ["Jeg vil ikke leve. Ring 90412387", "På snap er alle slemme", "Hva er 116 111?", "Se https://eksempel.no"]
)
async def test_nothing_stands_between_an_acute_or_an_ordinary_text_and_its_reader(browse: Browse, words: str) -> None:
    code_on(await ask(browse(), words))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "   \n "}, "text"),
        ({"text": "\u200b\u200b"}, "text"),
        ({"text": "ø" * 100_000}, "text"),
        ({"text": "a" * 5_001}, "text"),
        ({"text": "hei", "topic": "bogus"}, "topic"),
        ({"text": "hei", "age": "14"}, "age"),
        ({"text": "hei", "publish": "kanskje"}, "publish"),
    ],
)
async def test_bad_input_gives_the_form_back_with_what_was_written(
    browse: Browse, database: Database, values: dict[str, str], field: str
) -> None:
    browser = browse()
    page = await browser.get(f"{HOME}/spor")
    sent = page.form("/spor").fields | values
    answer = await browser.post(f"{HOME}/spor", sent)
    assert answer.status == 422
    assert f'href="#f-{field}"' in answer.html
    assert answer.form("/spor").fields["text"] == values["text"].strip()
    assert await rows(database, "questions") == 0


async def test_the_longest_and_the_shortest_text_are_fine(browse: Browse) -> None:
    browser = browse()
    assert (await ask(browser, "a" * 5_000)).status == 200
    assert (await ask(browser, "?")).status == 200


async def test_what_she_wrote_is_shown_as_text_and_never_as_markup(browse: Browse) -> None:
    browser = browse()
    page = await browser.get(f"{HOME}/spor")
    hostile = "</textarea><script>alert(1)</script>" + "x" * 5_000
    answer = await browser.post(f"{HOME}/spor", page.form("/spor").fields | {"text": hostile})
    assert "<script>alert" not in answer.html
    assert answer.form("/spor").fields["text"] == hostile


async def test_the_fourth_question_in_an_hour_is_kept_on_the_page_and_another_browser_is_free(browse: Browse) -> None:
    """INVARIANT: the floor stops one browser, never an address."""
    browser = browse()
    for _ in range(3):
        assert (await ask(browser)).status == 200
    refused = await ask(browser, "Den fjerde")
    assert (refused.status, refused.headers["retry-after"]) == (429, "3600")
    assert refused.form("/spor").fields["text"] == "Den fjerde"
    assert (await ask(browse())).status == 200


async def test_above_capacity_the_page_says_full_with_numbers_before_one_writes(make_app: Any, browse: Browse) -> None:
    app = await make_app(question_capacity=1)
    browser, late = browse(on=app), browse(on=app)
    form = (await late.get(f"{HOME}/spor")).form("/spor")
    assert (await ask(browser)).status == 200
    refused = await late.submit(form, {"text": "For sent"})
    shown = await browser.get(f"{HOME}/spor")
    assert refused.status == shown.status == 503
    assert refused.form("/spor").fields["text"] == "For sent"
    assert "1 spørsmål venter på svar, og panelet kan ta imot 1" in shown.text
    assert "113" in shown.text
    assert "Fullt nå" in (await browser.get(f"{HOME}/")).text


async def test_a_listed_word_shows_the_numbers_first_on_the_receipt(browse: Browse) -> None:
    """INVARIANT: the crisis block comes at once, and the question is sent all the same."""
    page = await ask(browse(), "jeg orker ikke leve lenger")
    assert code_on(page)
    assert page.text.index("116 111") < page.text.index("Koden din")
    calm = await ask(browse())
    assert calm.text.index("Koden din") < calm.text.index("116 111")


async def test_she_can_check_that_she_wrote_the_code_down_right(browse: Browse) -> None:
    browser = browse()
    page = await ask(browser)
    code = code_on(page)
    right = await browser.submit(page.form("/spor/sjekk"), {"code": code.lower()})
    wrong = await browser.submit(page.form("/spor/sjekk"), {"code": code[:-1] + "0" if code[-1] != "0" else code[:-1] + "1"})
    assert "Koden stemmer" in right.text
    assert "Koden stemmer" not in wrong.text
    assert code_on(right) == code_on(wrong) == code


async def test_before_one_writes_the_page_says_who_reads_how_long_and_where_anonymity_ends(browse: Browse) -> None:
    page = await browse().get(f"{HOME}/spor")
    assert page.text.index("116 111") < page.text.index("Skriv her")
    for words in ("Hvem leser det?", "Når får jeg svar?", "Er jeg anonym?", "alvorlig fare", "30 dager", "90 dager"):
        assert words in page.text


async def test_an_unknown_code_and_an_unanswered_question_look_the_same(browse: Browse) -> None:
    """INVARIANT: nobody learns from the page whether a code exists."""
    asked, stranger = browse(), browse()
    known = code_on(await ask(asked))
    other = code_on(await ask(browse()))
    await take_back(asked, other)
    pages = [await open_with(stranger, code) for code in (known, other)]
    assert [page.status for page in pages] == [200, 200]
    assert bare(pages[0]) == bare(pages[1])


async def test_a_mistyped_code_is_said_kindly_before_anything_is_looked_up(browse: Browse, database: Database) -> None:
    browser = browse()
    known = code_on(await ask(browse()))
    wrong = known[:-1] + ("A" if known[-1] != "A" else "B")
    before = await rows(database, "tries")
    said = {"": "Skriv koden først", "hei": "her står det 3", "A" * 100_000: "her står det 100000", "<script>": "her står det 6"}
    for typed, words in {**said, known[:-3]: "her står det 25", wrong: "Koden ser ikke riktig ut"}.items():
        page = await open_with(browser, typed)
        assert page.status == 422
        assert words in page.text
        assert len(page.form("/svar").fields["code"]) <= 60
    assert await rows(database, "tries") == before


async def test_too_many_unknown_codes_must_wait_in_this_browser_only(make_app: Any, browse: Browse) -> None:
    app = await make_app(wrong_codes_per_hour=2)
    browser = browse(on=app)
    code = code_on(await ask(browser))
    statuses = [(await open_with(browser, code)).status for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    assert "116 111" in (await open_with(browser, code)).text
    assert (await open_with(browse(on=app), code)).status == 200


async def test_every_form_is_guarded_and_a_forged_one_changes_nothing(app: FastAPI, browse: Browse, database: Database) -> None:
    """INVARIANT: another site can't act for her."""
    assert_unsafe_routes_are_guarded(app)
    browser = browse()
    page = await browser.get(f"{HOME}/spor")
    sent = page.form("/spor").filled({"text": "hei"})
    other_site = {"sec-fetch-site": "cross-site", "origin": "https://example.org"}
    assert (await browser.post(f"{HOME}/spor", sent, other_site)).status == 403
    assert (await browser.post(f"{HOME}/spor", sent | {"csrf": "x"})).status == 403
    assert (await browser.post(f"{HOME}/spor", {k: v for k, v in sent.items() if k != "key"})).status == 422
    assert (await browse().post(f"{HOME}/spor", sent, {"sec-fetch-site": "same-origin"})).status == 403
    assert await rows(database, "questions") == 0


@pytest.mark.parametrize("path", ["/", "/spor", "/svar"])
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_pages_are_neutral_private_and_in_her_language(browse: Browse, path: str, language: str) -> None:
    """INVARIANT: nothing sensitive in title or caches at this level."""
    page = await browse(language).get(f"{HOME}{path}")
    assert page.status == 200
    assert page.title.startswith("Side" if language != "en" else ("Page", "Side"))
    assert "no-store" in page.headers["cache-control"]
    assert f'<html lang="{language}"' in page.html
    assert "116 111" in page.text


@pytest.mark.parametrize("path", ["/spor/sjekk", "/svar/slett", "/svar/hjalp", "/svar/avpubliser"])
async def test_nothing_changes_by_a_get(browse: Browse, path: str) -> None:
    page = await browse().get(f"{HOME}{path}")
    assert page.status == 405
    assert "116 111" in page.text


async def test_a_form_of_another_kind_is_refused_without_a_trace(browse: Browse) -> None:
    browser = browse()
    sent = (await browser.get(f"{HOME}/spor")).form("/spor").filled({"text": "hei"})
    page = await browser.post(f"{HOME}/spor", {}, {"content-type": "application/json"})
    assert page.status == 415
    huge = await browser.post(f"{HOME}/spor", sent | {"text": "😀" * 90_000})
    assert huge.status == 413
    assert "Traceback" not in page.html + huge.html
    assert urlencode({"text": "hei"}) not in page.html


async def take_back(browser: Browser, code: str) -> Page:
    page = await open_with(browser, code)
    return await browser.submit(page.form("/svar/slett"))


def bare(page: Page) -> str:
    """A page without what differs between any two: keys, tokens, the code that was typed."""
    return re.sub(r'value="[^"]{20,}"', "", page.html)

"""The panel's and the editor's way through their pages, and what the youth then sees."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.journey.browser import Browser, Page
from deploy.testing import Database, Told, told

HOME = "http://snakk.localhost:8080"
QUEUE = f"{HOME}/ansatt/sporsmal"
CODE = re.compile(r"(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}")
Browse = Callable[..., Browser]
StaffBrowser = Callable[..., Awaitable[Browser]]


async def ask(browser: Browser, words: str = "Er det vanlig å grue seg?", **values: str) -> str:
    """Ask; the receipt code."""
    page = await browser.get(f"{HOME}/spor")
    page = await browser.submit(page.form("/spor"), {"text": words, **values})
    found = CODE.search(page.text)
    assert found, page.text
    return found.group()


async def open_with(browser: Browser, code: str) -> Page:
    page = await browser.get(f"{HOME}/svar")
    return await browser.submit(page.form("/svar"), {"code": code})


async def take_first(staff: Browser) -> Page:
    page = await staff.get(QUEUE)
    page = await staff.get(page.link("/ansatt/sporsmal/"))
    return await staff.submit(page.form("/ta"))


async def answer_first(staff: Browser, text: str = "Det er helt vanlig.") -> Page:
    page = await take_first(staff)
    return await staff.submit(page.form("/svar"), {"answer": text, "profession": "Helsesykepleier"}, button="Send svaret")


async def publish_first(editor: Browser, **values: str) -> Page:
    page = await editor.get(QUEUE)
    page = await editor.get(page.link("/ansatt/sporsmal/"))
    page = await editor.get(page.link("/publiser"))
    return await editor.submit(page.form("/publiser"), {"title": "Om å grue seg", "question": "Er det vanlig?", "answer": "Ja.", **values})


async def facts(database: Database, name: str) -> list[Told]:
    async with database.engine.connect() as connection:
        return [fact for fact in await told(connection) if fact.type == f"dialog.{name}.v1"]


async def test_from_question_to_answer_to_publication_to_her_no(browse: Browse, staff_browser: StaffBrowser, database: Database) -> None:
    """INVARIANT: what becomes public is the editor's text, by her yes, until her no."""
    youth = browse()
    code = await ask(youth, "Jeg heter Kanarifugl og gruer meg", publish="yes", age="13_15", topic="school")
    assert "Det er ikke noe svar å vise ennå" in (await open_with(youth, code)).text
    assert (await answer_first(await staff_browser())).status == 200
    mine = await open_with(youth, code)
    assert "Det er helt vanlig." in mine.text
    assert "Svar fra Helsesykepleier, Prøveetaten 01" in mine.text
    assert "Jeg heter Kanarifugl" in mine.text
    assert (await publish_first(await staff_browser(["editor"], "999999903"))).status == 200
    (approved,) = await facts(database, "answer.approved")
    assert (approved.data["title"], approved.data["topic_code"], approved.data["age_band"]) == ("Om å grue seg", "school", "13_15")
    assert "Kanarifugl" not in repr(approved)
    mine = await open_with(youth, code)
    page = await youth.submit(mine.form("/svar/avpubliser"))
    assert "Det blir ikke publisert" in page.text
    (recalled,) = await facts(database, "answer.recalled")
    assert recalled.key == approved.key
    assert "Det er helt vanlig." in (await youth.submit(page.form("/svar"))).text


async def test_she_deletes_and_chooses_what_happens_to_the_public_text(
    browse: Browse, staff_browser: StaffBrowser, database: Database
) -> None:
    youth = browse()
    code = await ask(youth, publish="yes")
    await answer_first(await staff_browser())
    await publish_first(await staff_browser(["editor"]))
    mine = await open_with(youth, code)
    form = mine.form("/svar/slett")
    sent = form.filled({"recall": "no"})
    for _ in range(2):
        assert "Det er slettet" in (await youth.post(f"{HOME}/svar/slett", sent)).text
    assert len(await facts(database, "question.deleted")) == 1
    assert await facts(database, "answer.recalled") == []
    left = await open_with(youth, code)
    assert "Spørsmålet og svaret er slettet hos oss" in left.text
    await youth.submit(left.form("/svar/avpubliser"))
    assert len(await facts(database, "answer.recalled")) == 1


async def test_she_says_whether_it_helped(browse: Browse, staff_browser: StaffBrowser) -> None:
    youth = browse()
    code = await ask(youth)
    await answer_first(await staff_browser())
    mine = await open_with(youth, code)
    thanks = await youth.submit(mine.form("/svar/hjalp"), button="Nei, ikke helt")
    assert "Takk for at du sa fra" in thanks.text
    forged = await youth.post(f"{HOME}/svar/hjalp", mine.form("/svar/hjalp").filled({}, "") | {"helpful": "maybe"})
    assert forged.status == 422


async def test_staff_pages_need_a_login_and_a_role(browse: Browse, staff_browser: StaffBrowser) -> None:
    """INVARIANT: nobody reads questions but the panel."""
    await ask(browse())
    anonymous = await browse().get(QUEUE)
    assert anonymous.url.startswith(f"{HOME}/ansatt/logg-inn")
    for roles in ((), ("helper",), ("clinician",)):
        staff = await staff_browser(roles)
        page = await staff.get(QUEUE)
        assert page.status == 403
        assert ("Til arbeidssiden" in page.text) == ("helper" in roles), "her own desk, if she has one here"
        assert (await staff.get(f"{QUEUE}/{uuid4()}")).status == 403
    panel = await staff_browser(["panel"])
    page = await panel.get(QUEUE)
    assert page.status == 200
    assert page.title == "Side"
    assert (await panel.get(f"{QUEUE}/{uuid4()}/publiser")).status == 403


async def test_another_organisation_meets_a_taken_question_with_an_explanation(browse: Browse, staff_browser: StaffBrowser) -> None:
    await ask(browse())
    late = await staff_browser(organisation="999999902")
    page = await late.get((await late.get(QUEUE)).link("/ansatt/sporsmal/"))
    await take_first(await staff_browser())
    refused = await late.submit(page.form("/ta"))
    assert refused.status == 409
    assert "En annen virksomhet har tatt dette" in refused.text
    assert (await late.get(page.url)).status == 409
    assert "Ingen spørsmål venter" in (await late.get(QUEUE)).text


async def test_a_long_answer_isnt_lost_when_a_colleague_was_faster(browse: Browse, staff_browser: StaffBrowser) -> None:
    """INVARIANT: what staff wrote stays on the page."""
    await ask(browse())
    first, second = await staff_browser(), await staff_browser()
    mine = await take_first(first)
    theirs = await second.get(mine.url)
    values = {"answer": "Den raske", "profession": "Lege"}
    assert (await first.submit(mine.form("/svar"), values, button="Send svaret")).status == 200
    refused = await second.submit(theirs.form("/svar"), values | {"answer": "Den lange teksten"}, button="Send svaret")
    assert refused.status == 409
    assert "Den lange teksten" in refused.html
    assert "besvart i mellomtiden" in refused.text


async def test_the_second_reader_gives_it_back_and_then_sends_it(browse: Browse, staff_browser: StaffBrowser) -> None:
    youth = browse()
    code = await ask(youth)
    writer, reader = await staff_browser(), await staff_browser()
    page = await take_first(writer)
    page = await writer.submit(page.form("/svar"), {"answer": "Kladd", "profession": "Lege"}, button="Be en kollega lese først")
    assert "En kollega skal lese før svaret sendes" in page.text
    assert "Venter på andreleser" in (await reader.get(QUEUE)).text
    given_back = await reader.get(page.url)
    await reader.submit(given_back.form("/kommentar"), {"note": "Litt varmere"})
    page = await writer.get(page.url)
    assert "Litt varmere" in page.text
    assert page.form("/svar").fields["answer"] == "Kladd"
    await writer.submit(page.form("/svar"), {"answer": "Varm", "profession": "Lege"}, button="Be en kollega lese først")
    assert "Det er ikke noe svar" in (await open_with(youth, code)).text
    last = await reader.get(page.url)
    await reader.submit(last.form("/svar"), {"profession": "Jordmor"}, button="Send svaret")
    assert "Svar fra Jordmor, Prøveetaten 01" in (await open_with(youth, code)).text


async def test_a_mark_puts_it_first(browse: Browse, staff_browser: StaffBrowser, database: Database) -> None:
    await ask(browse(), "Den eldste", topic="school")
    await ask(browse(), "Den yngste", topic="family")
    staff = await staff_browser()
    queue = await staff.get(QUEUE)
    family = next(link for link in re.findall(r'href="(/ansatt/sporsmal/[0-9a-f-]{36})">Familie', queue.html))
    page = await staff.get(HOME + family)
    await staff.submit(page.form("/haster"))
    queue = await staff.get(QUEUE)
    assert queue.text.index("Familie") < queue.text.index("Skole og framtid")
    assert len(await facts(database, "question.flagged_acute")) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"answer": ""}, "answer"),
        ({"answer": "x" * 20_000}, "answer"),
        ({"profession": ""}, "profession"),
        ({"profession": "x" * 61}, "profession"),
    ],
)
async def test_a_half_filled_answer_comes_back_as_it_was(
    browse: Browse, staff_browser: StaffBrowser, database: Database, values: dict[str, str], field: str
) -> None:
    await ask(browse())
    staff = await staff_browser()
    page = await take_first(staff)
    sent = {"answer": "Et svar", "profession": "Lege"} | values
    refused = await staff.submit(page.form("/svar"), sent, button="Send svaret")
    assert refused.status == 422
    assert f'href="#f-{field}"' in refused.html
    assert refused.form("/svar").fields | {"csrf": "", "key": ""} == sent | {"csrf": "", "key": ""}
    assert await facts(database, "question.answered") == []


async def test_what_points_to_a_person_must_be_looked_at_twice(browse: Browse, staff_browser: StaffBrowser, database: Database) -> None:
    """INVARIANT: a number, address or handle isn't published by oversight."""
    await ask(browse(), publish="yes")
    await answer_first(await staff_browser())
    editor = await staff_browser(["editor"])
    warned = await publish_first(editor, question="Ring meg på 99 88 77 66 eller 30108299939")
    assert warned.status == 422
    assert "telefonnummer" in warned.text
    assert "elleve siffer" in warned.text
    assert await facts(database, "answer.approved") == []
    cleaned = await editor.submit(warned.form("/publiser"), {"question": "Kan jeg ringe?"})
    assert cleaned.status == 200
    assert len(await facts(database, "answer.approved")) == 1


async def test_unknown_questions_and_a_no_to_publishing_are_said_plainly(browse: Browse, staff_browser: StaffBrowser) -> None:
    await ask(browse(), publish="no")
    staff, editor = await staff_browser(), await staff_browser(["editor"])
    await answer_first(staff)
    assert (await staff.get(f"{QUEUE}/{uuid4()}")).status == 404
    assert (await staff.get(f"{QUEUE}/not-an-id")).status == 404
    assert "Ingen svar venter på å bli publisert" in (await editor.get(QUEUE)).text


async def test_a_question_that_she_deleted_meanwhile_is_said_so(browse: Browse, staff_browser: StaffBrowser) -> None:
    youth = browse()
    code = await ask(youth)
    staff = await staff_browser()
    page = await take_first(staff)
    waiting = await open_with(youth, code)
    await youth.submit(waiting.form("/svar/slett"))
    refused = await staff.submit(page.form("/svar"), {"answer": "Svaret mitt", "profession": "Lege"}, button="Send svaret")
    assert refused.status == 404
    assert "Svaret mitt" in refused.html
    assert "kan ha slettet det" in refused.text


async def test_anyone_may_ask_how_busy_the_panel_is(app: Any, browse: Browse) -> None:
    await ask(browse())
    page = await browse().get(f"{HOME}/api/questions/state")
    assert page.status == 200
    assert '"waiting":1' in page.html
    assert '"open":true' in page.html

"""The editor's desk: who gets in, and that a form acts once."""

import re
from dataclasses import replace

import pytest
from info.store import answers
from sqlalchemy import select

from deploy.testing import told


async def test_nobody_gets_in_without_a_login(browser):
    page = await browser.get("/ansatt")
    assert page.status_code == 303
    assert page.headers["location"] == "/ansatt/logg-inn?neste=/ansatt"


async def test_another_role_is_refused(staff_browser):
    panel = await staff_browser("editor")
    page = await panel.get("/ansatt")
    assert page.status_code == 403
    assert "Til arbeidssiden" not in page.text, "it leads here"


async def test_the_desk_is_private(staff_browser):
    page = await (await staff_browser("info_editor")).get("/ansatt")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "<title>Side</title>" in page.text
    assert page.text.count("<h1") == 1


@pytest.fixture
def asked(forms):
    """The form that takes an answer of the desk away: on a page of its own, which asks first."""

    async def find(editor, number=0):
        desk = await editor.get("/ansatt")
        assert forms(desk, "/ansatt/svar/") == []
        page = await editor.get(re.findall(r'href="(/ansatt/svar/[0-9a-f-]{36}/trekk)"', desk.text)[number])
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert "Trekke svaret for godt?" in page.text
        (form,) = forms(page, "/trekk")
        return form

    return find


async def test_an_answer_is_withdrawn_once_and_its_page_is_gone(staff_browser, browser, seeded, asked):
    """INVARIANT: the same form sent twice acts once and is answered alike."""
    editor = await staff_browser("info_editor")
    form = await asked(editor)
    publication_id = form.action.split("/")[3]
    before = await withdrawn_facts(seeded)
    first, second = await form.send(editor), await form.send(editor)
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"]) == (303, "/ansatt")
    assert await withdrawn_facts(seeded) == [*before, publication_id]
    assert (await browser.get(f"/svar/{publication_id}")).status_code == 410
    assert publication_id not in (await editor.get("/ansatt")).text
    assert (await editor.get(form.action)).status_code == 410


async def test_nobody_else_is_asked(staff_browser, asked):
    editor, panel = await staff_browser("info_editor"), await staff_browser("editor")
    form = await asked(editor)
    assert (await panel.get(form.action)).status_code == 403
    assert (await editor.get("/ansatt/svar/00000000-0000-4000-8000-000000000000/trekk")).status_code == 404


async def withdrawn_facts(database):
    async with database.begin() as uow:
        return [str(fact.key) for fact in await told(uow.connection) if fact.type == "info.answer.withdrawn.v1"]


async def test_an_article_is_withdrawn_and_put_back(staff_browser, browser, forms):
    editor = await staff_browser("info_editor")
    desk = await editor.get("/ansatt")
    article = re.search(r'href="(/artikkel/(?:(?!").)+)" lang="nb"', desk.text)[1]
    action = re.search(r"/ansatt/artikkel/[0-9a-f-]{36}/trekk", desk.text[desk.text.index(article) :])[0]
    (form,) = [form for form in forms(desk, "/trekk") if form.action == action]
    assert (await browser.get(article)).status_code == 200
    assert (await form.send(editor)).status_code == 303
    assert (await browser.get(f"{article}?na")).status_code == 410
    (back,) = forms(await editor.get("/ansatt"), "/legg-ut")
    assert back.action == action.replace("/trekk", "/legg-ut")
    assert (await back.send(editor)).status_code == 303
    assert forms(await editor.get("/ansatt"), "/legg-ut") == []
    assert (await browser.get(f"{article}?igjen")).status_code == 200


async def test_every_article_can_be_reached(staff_browser):
    editor = await staff_browser("info_editor")
    first, last = await editor.get("/ansatt"), await editor.get("/ansatt?artikler=999")
    assert re.search(r"artikler=2#articles-title", first.text)
    assert set(re.findall(r"/artikkel/[0-9a-f-]{36}/trekk", first.text)).isdisjoint(re.findall(r"/artikkel/[0-9a-f-]{36}/trekk", last.text))
    assert re.findall(r"/artikkel/[0-9a-f-]{36}/trekk", last.text)


async def test_a_review_is_dated_today(staff_browser, forms):
    editor = await staff_browser("info_editor")
    form = forms(await editor.get("/ansatt"), "/gjennomgatt")[0]
    assert (await form.send(editor)).status_code == 303
    assert form.action not in (await editor.get("/ansatt")).text


@pytest.mark.parametrize("headers", [{"sec_fetch_site": "cross-site"}, {"origin": "https://elsewhere.example"}])
async def test_another_sites_form_is_refused(staff_browser, seeded, headers, asked):
    """INVARIANT: only our own page can act for the editor."""
    editor = await staff_browser("info_editor")
    form = await asked(editor)
    assert (await form.send(editor, **headers)).status_code == 403
    assert await standing(seeded, form)


async def test_a_form_without_its_token_is_refused(staff_browser, seeded, asked):
    editor = await staff_browser("info_editor")
    form = await asked(editor)
    form.fields["csrf"] = "x" * 43
    assert (await form.send(editor)).status_code == 403
    assert await standing(seeded, form)


async def test_a_form_in_the_hands_of_another_role_is_refused(staff_browser, seeded, asked):
    editor, panel = await staff_browser("info_editor"), await staff_browser("editor")
    form = await asked(editor)
    assert (await form.send(panel)).status_code == 403
    assert await standing(seeded, form)


async def standing(database, form):
    async with database.begin() as uow:
        found = await uow.connection.execute(select(answers.c.withdrawn_at).where(answers.c.publication_id == form.action.split("/")[3]))
        return found.scalar_one() is None


@pytest.mark.parametrize(
    "path",
    [
        "/ansatt/svar/canary-4711/trekk",
        "/ansatt/svar/00000000-0000-4000-8000-000000000000/trekk",
        "/ansatt/artikkel/00000000-0000-4000-8000-000000000000/gjennomgatt",
        "/ansatt/artikkel/00000000-0000-4000-8000-000000000000/trekk",
        "/ansatt/artikkel/00000000-0000-4000-8000-000000000000/legg-ut",
    ],
)
async def test_what_is_not_there_can_not_be_acted_on(staff_browser, path, asked):
    editor = await staff_browser("info_editor")
    form = await asked(editor)
    answer = await replace(form, action=path).send(editor)
    assert answer.status_code == 404
    assert "canary" not in answer.text.partition("<main")[2]


async def test_a_key_used_for_something_else_is_refused(staff_browser, asked):
    editor = await staff_browser("info_editor")
    first, second = await asked(editor), await asked(editor, 1)
    await first.send(editor)
    assert (await replace(first, action=second.action).send(editor)).status_code == 409


async def test_a_login_that_is_not_known_begins_again_where_staff_log_in(browser):
    """Nobody else logs in here, so the way on leads to their login."""
    page = await browser.get("/logg-inn/tilbake?state=x")
    assert page.status_code == 400
    assert 'href="/ansatt/logg-inn/start?' in page.text

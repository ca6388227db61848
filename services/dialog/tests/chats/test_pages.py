"""A youth chats over the pages: choose, wait, talk, end, delete. The whole application, real PostgreSQL."""

import asyncio
from hashlib import sha256
from typing import Any

import pytest
from dialog.handlers.availability import measure_services
from dialog.handlers.chats import delete_overdue, give_up_waiting
from servicekit.crypto import unb64
from servicekit.web.guards import assert_unsafe_routes_are_guarded
from sqlalchemy import text

HOME = "http://snakk.localhost:8080"
CANARY = "Kanarifugl Hansen, tlf 99 88 77 66"


async def ask(browser: Any, service_id: Any, **values: str) -> Any:
    page = await browser.get(f"{HOME}/chat")
    return await browser.submit(page.form("/chat"), {"service": str(service_id), "topic": "school", "age": "13_15", **values})


async def take(helper: Any) -> Any:
    page = await helper.get(f"{HOME}/ansatt/samtaler")
    return await helper.submit(page.form("/ta"))


@pytest.fixture
async def helper(staff_browser: Any, centre: Any) -> Any:
    """A helper on duty."""
    browser = await staff_browser(roles=("helper",))
    page = await browser.get(f"{HOME}/ansatt/samtaler")
    await browser.submit(page.form("/ansatt/vakt"), {"capacity": "3"})
    return browser


async def test_she_sees_crisis_numbers_and_rules_before_she_writes(browse: Any, helper: Any) -> None:
    page = await browse().get(f"{HOME}/chat")
    assert page.html.index('class="crisis"') < page.html.index('action="/chat"')
    assert "Teksten slettes etter tre døgn" in page.text
    assert "plikt til å si fra" in page.text
    assert page.title == "Side"
    assert page.headers["cache-control"] == "no-store"


async def test_the_only_open_chat_is_chosen_for_her(browse: Any, helper: Any, centre: Any) -> None:
    page = await browse().get(f"{HOME}/chat")
    assert page.form("/chat").fields["service"] == str(centre.service_id)


async def test_a_closed_house_says_so_and_when_it_opens(browse: Any, centre: Any) -> None:
    page = await browse().get(f"{HOME}/chat")
    assert "Ingen chat er åpen" in page.text
    assert not page.has_form("/chat")
    assert page.link("/spor")


async def test_a_full_house_shows_its_numbers(browse: Any, centre: Any) -> None:
    await centre.open_with(capacity=1)
    for _ in range(2):
        await ask(browse(), centre.service_id)
    late = browse()
    page = await late.get(f"{HOME}/chat")
    assert "Rød chat: 2 venter, 0 snakker, og det er plass til 1 samtale om" in page.text
    assert not page.has_form("/chat")


async def test_a_queue_that_fills_up_meanwhile_keeps_what_she_chose(browse: Any, centre: Any) -> None:
    await centre.open_with(capacity=1)
    late = browse()
    page = await late.get(f"{HOME}/chat")
    for _ in range(2):
        await ask(browse(), centre.service_id)
    refused = await late.submit(page.form("/chat"), {"service": str(centre.service_id), "topic": "body"})
    assert (refused.status, refused.headers["retry-after"]) == (503, "120")
    assert "ble akkurat full" in refused.text


async def test_the_whole_talk_both_ways(browse: Any, helper: Any, centre: Any) -> None:
    youth = browse()
    page = await ask(youth, centre.service_id)
    assert page.url.endswith("/chat/venter")
    assert "Du er nummer 1 i køen" in page.text
    assert page.headers["refresh"] == "10"
    desk = await take(helper)
    page = await youth.get(f"{HOME}/chat/venter")
    assert page.url.endswith("/chat/samtale")
    page = await youth.submit(page.form("/chat/samtale"), {"text": "hei <b>du</b>"})
    desk = await helper.get(desk.url)
    assert "hei <b>du</b>" in desk.text
    desk = await helper.submit(desk.form("/svar"), {"text": "Jeg hører deg."})
    page = await youth.get(f"{HOME}/chat/samtale")
    assert page.text.index("hei") < page.text.index("Jeg hører deg.")
    page = await youth.submit(page.form("/chat/avslutt"))
    assert "Samtalen er avsluttet" in page.text
    desk = await helper.submit(desk.form("/svar"), {"text": "For sent"})
    assert desk.status == 409
    assert "For sent" in desk.html
    page = await youth.submit(page.form("/chat/slett"))
    assert "Samtalen er slettet" in page.text
    assert (await helper.get(desk.url.removesuffix("/svar"))).status == 404


async def test_a_double_click_sends_once(browse: Any, helper: Any, centre: Any) -> None:
    """INVARIANT: the same form is one message, the same request one chat."""
    youth = browse()
    page = await youth.get(f"{HOME}/chat")
    sent = page.form("/chat").filled({"service": str(centre.service_id)})
    for _ in range(2):
        await youth.post(f"{HOME}/chat", sent)
    assert len(await centre.told("chat.requested")) == 1
    await take(helper)
    page = await youth.get(f"{HOME}/chat/samtale")
    sent = page.form("/chat/samtale").filled({"text": "én gang"})
    for _ in range(2):
        page = await youth.post(f"{HOME}/chat/samtale", sent)
    assert page.text.count("én gang") == 1
    other = await youth.post(f"{HOME}/chat/samtale", sent | {"text": "noe annet"})
    assert other.status == 422
    assert other.form("/chat/samtale").fields["text"] == "noe annet"


@pytest.mark.parametrize(("text", "said"), [("", "Skriv noe først"), ("  \n ", "Skriv noe først"), ("å" * 100_000, "for lang")])
async def test_a_message_that_can_not_be_sent_keeps_its_text(browse: Any, helper: Any, centre: Any, text: str, said: str) -> None:
    youth = browse()
    await ask(youth, centre.service_id)
    await take(helper)
    page = await youth.get(f"{HOME}/chat/samtale")
    page = await youth.submit(page.form("/chat/samtale"), {"text": text})
    assert page.status == 422
    assert said in page.text
    assert page.form("/chat/samtale").fields["text"] == text.strip()


async def test_a_request_with_nonsense_is_shown_again(browse: Any, helper: Any, centre: Any) -> None:
    youth = browse()
    page = await youth.get(f"{HOME}/chat")
    sent = page.form("/chat").fields
    for wrong in ({"service": "x"}, {"service": str(centre.service_id), "topic": "æ" * 50_000}, {"service": "", "age": "17"}):
        page = await youth.post(f"{HOME}/chat", {**sent, **wrong})
        assert page.status == 422
        assert "ds-error-summary" in page.html
    assert await centre.told("chat.requested") == []


async def test_another_browser_finds_no_talk(browse: Any, helper: Any, centre: Any) -> None:
    """INVARIANT: who hasn't this browser's session doesn't see that there is a chat."""
    youth, stranger = browse(), browse()
    await ask(youth, centre.service_id)
    await take(helper)
    page = await stranger.get(f"{HOME}/chat")
    for path in ("/chat/venter", "/chat/samtale", "/chat/strom", "/videre"):
        assert (await stranger.get(HOME + path)).status == 404
    sent = page.form("/chat").fields | {"text": "hei"}
    for path in ("/chat/samtale", "/chat/avslutt", "/chat/forlat"):
        assert (await stranger.post(HOME + path, sent)).status == 404
    assert (await youth.get(f"{HOME}/chat/samtale")).has_form("/chat/samtale")


async def test_leaving_the_queue_and_nobody_coming_have_their_own_words(browse: Any, helper: Any, centre: Any) -> None:
    youth = browse()
    page = await ask(youth, centre.service_id)
    page = await youth.submit(page.form("/chat/forlat"))
    assert "ute av køen" in page.text
    await ask(youth, centre.service_id)
    await centre.later(give_up_waiting, hours=2)
    page = await youth.get(f"{HOME}/chat/venter")
    assert "Ingen rakk å svare deg" in page.text
    assert page.link("/spor")


async def test_a_form_that_finds_its_work_done_keeps_that_as_its_outcome(browse: Any, helper: Any, centre: Any, database: Any) -> None:
    """INVARIANT: what is answered with success is there to be asked for again, also where nothing was left to do."""
    youth = browse()
    again = (await youth.get(f"{HOME}/chat")).form("/chat")
    leave = (await ask(youth, centre.service_id)).form("/chat/forlat")
    await youth.submit(again, {"service": str(centre.service_id)})  # she waits already
    desk = await take(helper)
    await youth.submit(leave)  # the helper came first
    end = (await youth.get(f"{HOME}/chat/samtale")).form("/chat/avslutt")
    await helper.submit(desk.form("/avslutt"))
    ended = await youth.submit(end)  # the helper ended it first
    say_again = ended.form("/chat/hjalp")
    said = (await youth.get(f"{HOME}/chat/samtale")).form("/chat/hjalp")
    for form in (said, say_again):
        await youth.submit(form, button="Ja")
    async with database.engine.connect() as connection:
        kept = set(await connection.scalars(text("select key_hash from idempotency_keys")))
    for form in (again, leave, end, said, say_again):
        assert sha256(unb64(form.fields["key"])).digest() in kept, form.action


async def test_a_chat_whose_time_is_up_is_gone_from_the_page(browse: Any, helper: Any, centre: Any) -> None:
    youth = browse()
    await ask(youth, centre.service_id)
    await take(helper)
    await centre.later(delete_overdue, days=10)
    assert (await youth.get(f"{HOME}/chat/samtale")).status == 404


async def test_a_renewing_page_can_be_stopped(browse: Any, helper: Any, centre: Any) -> None:
    youth = browse()
    page = await ask(youth, centre.service_id)
    stopped = await youth.get(page.link("stopp"))
    assert "refresh" not in stopped.headers
    assert stopped.link("/chat/venter")


async def test_twenty_helpers_take_and_one_gets_it_by_the_pages(staff_browser: Any, centre: Any, browse: Any) -> None:
    """INVARIANT: one winner, also through the doors; the others read that it's taken."""
    helpers = [await staff_browser(roles=("helper",)) for _ in range(6)]
    for each in helpers:
        page = await each.get(f"{HOME}/ansatt/samtaler")
        await each.submit(page.form("/ansatt/vakt"))
    await ask(browse(), centre.service_id)
    forms = [(each, (await each.get(f"{HOME}/ansatt/samtaler")).form("/ta")) for each in helpers]
    pages = await asyncio.gather(*(each.submit(form) for each, form in forms))
    assert sorted(page.status for page in pages) == [200, *[409] * 5]
    assert all("Noen andre tok samtalen" in page.text for page in pages if page.status == 409)


async def test_only_the_helper_who_took_it_sees_a_talk(staff_browser: Any, helper: Any, browse: Any, centre: Any) -> None:
    """INVARIANT: neither another organisation's helper, nor a colleague, nor another role reads a chat."""
    await ask(browse(), centre.service_id)
    desk = await take(helper)
    forms = desk.form("/svar").fields
    stranger = await staff_browser(roles=("helper",), organisation="999999902")
    for other in (stranger, await staff_browser(roles=("helper",))):
        assert (await other.get(desk.url)).status == 404
        page = await other.get(f"{HOME}/ansatt/samtaler")
        sent = {**forms, "csrf": page.form("/ansatt/vakt").fields["csrf"], "text": "hei"}
        for path in ("/svar", "/avslutt", "/videre"):
            assert (await other.post(desk.url + path, sent)).status == 404
        assert (await other.get(f"{desk.url}/strom")).status == 404
    panel = await staff_browser(roles=("panel",))
    assert (await panel.get(f"{HOME}/ansatt/samtaler")).status == 403
    assert (await browse().get(desk.url)).url.startswith(f"{HOME}/ansatt/logg-inn")


async def test_the_desk_shows_only_the_own_organisations_queue(staff_browser: Any, helper: Any, browse: Any, centre: Any) -> None:
    await ask(browse(), centre.service_id)
    stranger = await staff_browser(roles=("helper",), organisation="999999902")
    page = await stranger.get(f"{HOME}/ansatt/samtaler")
    assert "Ingen venter" in page.text
    refused = await stranger.submit(page.form("/ansatt/vakt"), {})
    assert refused.status == 200
    forged = page.form("/ansatt/vakt").fields | {"service": str(centre.service_id), "key": "A" * 43}
    assert (await stranger.post(f"{HOME}/ansatt/vakt", forged)).status == 422


async def test_a_desk_that_is_open_keeps_the_helper_on_duty(helper: Any, centre: Any, database: Any) -> None:
    await helper.get(f"{HOME}/ansatt/samtaler")
    await centre.later(measure_services, minutes=14)
    assert await centre.told("provider.closed") == []
    page = await helper.get(f"{HOME}/ansatt/samtaler")
    page = await helper.submit(page.form("/ansatt/pause"))
    assert page.has_form("/ansatt/vakt")
    assert len(await centre.told("provider.closed")) == 1


async def test_a_supervisor_sets_the_promise_and_a_helper_does_not(staff_browser: Any, helper: Any, browse: Any, centre: Any) -> None:
    assert not (await helper.get(f"{HOME}/ansatt/samtaler")).has_form("/lagring")
    supervisor = await staff_browser(roles=("supervisor",))
    page = await supervisor.get(f"{HOME}/ansatt/samtaler")
    await supervisor.submit(page.form("/lagring"), {"retention": "end_of_chat"})
    assert "Teksten slettes når samtalen er slutt" in (await browse().get(f"{HOME}/chat")).text
    desk = await helper.get(f"{HOME}/ansatt/samtaler")
    sent = desk.form("/ansatt/pause").fields | {"retention": "7_days"}
    assert (await helper.post(f"{HOME}/ansatt/tjenester/{centre.service_id}/lagring", sent)).status == 403


async def test_words_of_a_chat_stay_in_their_table(browse: Any, helper: Any, centre: Any, database: Any, caplog: Any) -> None:
    """INVARIANT: what was said appears in no fact, log line or plain column."""
    youth = browse()
    await ask(youth, centre.service_id)
    await take(helper)
    page = await youth.get(f"{HOME}/chat/samtale")
    await youth.submit(page.form("/chat/samtale"), {"text": CANARY})
    await youth.submit(page.form("/chat/samtale"), {"text": CANARY * 200})
    assert "Kanarifugl" not in str(await centre.told())
    assert "Kanarifugl" not in caplog.text


async def test_every_unsafe_route_is_guarded(app: Any) -> None:
    """INVARIANT: nothing changes without the own page's form."""
    assert_unsafe_routes_are_guarded(app)


async def test_state_is_open_to_programs(browse: Any, helper: Any) -> None:
    page = await browse().get(f"{HOME}/api/chats/state")
    assert '"takes_chats":true' in page.html.replace(" ", "")


@pytest.mark.parametrize("language", ["nn", "en"])
async def test_the_pages_speak_her_language(browse: Any, helper: Any, centre: Any, language: str) -> None:
    youth = browse(language)
    await ask(youth, centre.service_id)
    assert (await centre.told("chat.requested"))[0].data["language"] == language
    page = await youth.get(f"{HOME}/chat/venter")
    assert {"nn": "Du står i kø", "en": "You are in the queue"}[language] in page.text

"""What keeps a talk alive around its page, without script and with it; and what is shown when it can't go on."""

import re
from datetime import timedelta
from typing import Any

import pytest
from dialog.domain.presence import STREAM_HOLDS
from dialog.handlers.presence import note_helper
from sqlalchemy import text

HOME = "http://snakk.localhost:8080"
DESK = f"{HOME}/ansatt/samtaler"
HOSTILE = ["\u202eabc\u2066", "<script>alert(1)</script>", "👩‍👩‍👧😀", "Z" + "\u0351\u0363" * 500, "\u200bhei\u200b", "&lt;b&gt;"]


class Pair:
    """A youth and a helper who talk, each in a browser."""

    def __init__(self, youth: Any, helper: Any, desk: Any) -> None:
        self.youth, self.helper, self.desk = youth, helper, desk

    async def youth_says(self, words: str) -> Any:
        page = await self.youth.get(f"{HOME}/chat/samtale")
        return await self.youth.submit(page.form("/chat/samtale"), {"text": words})


@pytest.fixture
async def helper(staff_browser: Any, centre: Any) -> Any:
    browser = await staff_browser(roles=("helper",))
    await browser.submit((await browser.get(DESK)).form("/ansatt/vakt"), {"capacity": "3"})
    return browser


async def pair(browse: Any, helper: Any, centre: Any) -> Pair:
    youth = browse()
    page = await youth.get(f"{HOME}/chat")
    await youth.submit(page.form("/chat"), {"service": str(centre.service_id)})
    return Pair(youth, helper, await helper.submit((await helper.get(DESK)).form("/ta")))


@pytest.fixture
async def talking(browse: Any, helper: Any, centre: Any) -> Pair:
    return await pair(browse, helper, centre)


async def test_without_script_a_frame_renews_itself_beside_the_form(talking: Pair) -> None:
    """INVARIANT: what she is writing isn't lost because something new arrives."""
    page = await talking.youth.get(f"{HOME}/chat/samtale")
    assert "refresh" not in page.headers
    src = re.search(r'<iframe[^>]*src="([^"]+)"', page.html)
    assert src
    await talking.helper.submit(talking.desk.form("/svar"), {"text": "Jeg er her."})
    frame = await talking.youth.get(HOME + src[1])
    assert int(frame.headers["refresh"]) == 5
    assert "frame-ancestors 'self'" in frame.headers["content-security-policy"]
    assert "Jeg er her." in frame.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    stopped = await talking.youth.get(frame.link("stopp"))
    assert "refresh" not in stopped.headers
    assert "Jeg er her." in stopped.text
    assert "Oppdater nå" in stopped.text
    assert not frame.forms


async def test_frames_open_for_their_own_side_only(talking: Pair, browse: Any, staff_browser: Any) -> None:
    """INVARIANT: a frame is as closed as the page around it."""
    assert (await browse().get(f"{HOME}/chat/samtale/ramme")).status == 404
    colleague = await staff_browser(roles=("helper",))
    assert (await colleague.get(talking.desk.url + "/ramme")).status == 404
    assert "/ansatt/logg-inn" in (await browse().get(talking.desk.url + "/ramme")).url


async def test_each_sees_that_the_other_writes_and_has_what_was_sent(talking: Pair) -> None:
    await talking.youth_says("hei")
    assert "Sendt" in (await talking.youth.get(f"{HOME}/chat/samtale")).text
    desk = await talking.helper.get(talking.desk.url)
    assert "Levert" in (await talking.youth.get(f"{HOME}/chat/samtale")).text
    sent = {name: value for name, value in desk.form("/svar").fields.items() if name != "text"}
    assert (await talking.helper.post(talking.desk.url + "/skriver", sent)).status == 204
    assert "skriver …" in (await talking.youth.get(f"{HOME}/chat/samtale/ramme")).text
    desk = await talking.helper.submit(desk.form("/svar"), {"text": "hei du"})
    assert "skriver …" not in (await talking.youth.get(f"{HOME}/chat/samtale/ramme")).text


async def test_the_desk_shows_several_talks_and_what_is_new_in_each(talking: Pair, browse: Any, helper: Any, centre: Any) -> None:
    second = await pair(browse, helper, centre)
    await talking.youth_says("er du der?")
    page = await helper.get(second.desk.url)
    assert "1 ny" in page.text
    assert "er du der?" in page.text
    forms = [form.action for form in page.forms if form.action.endswith("/svar")]
    assert forms == [second.desk.url + "/svar", talking.desk.url + "/svar"]
    assert len(re.findall(r"<h1", page.html)) == 1
    await helper.get(talking.desk.url)
    assert "1 ny" not in (await helper.get(DESK)).text


async def lose(centre: Any, helper_id: Any) -> None:
    async with centre.database.begin_at(timedelta(0) - 2 * STREAM_HOLDS)() as uow:
        await note_helper(helper_id, uow, STREAM_HOLDS)


async def test_a_lost_helper_is_told_and_a_colleague_goes_on(talking: Pair, staff_browser: Any, centre: Any, database: Any) -> None:
    await talking.youth_says("jeg er redd")
    async with database.engine.connect() as connection:
        (lost,) = (await connection.scalars(text("select helper from chats"))).all()
    await lose(centre, lost)
    assert "Den du snakker med, har mistet forbindelsen" in (await talking.youth.get(f"{HOME}/chat/samtale")).text
    colleagues = [await staff_browser(roles=("helper",)) for _ in range(2)]
    forms = []
    for each in colleagues:
        page = await each.submit((await each.get(DESK)).form("/ansatt/vakt"))
        forms.append(page.form("/over"))
    won = await colleagues[0].submit(forms[0])
    await colleagues[0].get(won.url)  # a page that is open is a sign of life, for some seconds
    late = await colleagues[1].submit(forms[1])
    assert (won.status, late.status) == (200, 409)
    assert "jeg er redd" in won.text
    assert "en kollega har tatt over" in late.text
    await colleagues[0].get(won.url)
    assert "Den du snakker med, har mistet forbindelsen" not in (await talking.youth.get(f"{HOME}/chat/samtale")).text
    back = await talking.helper.submit(talking.desk.form("/svar"), {"text": "Beklager, her er jeg igjen."})
    assert back.status == 404
    assert "Beklager, her er jeg igjen." in back.html
    assert "jeg er redd" not in back.html


async def test_quick_exit_ends_the_talk_and_the_helper_reads_no_reason(talking: Pair) -> None:
    """INVARIANT: after the way out nothing of the talk opens, nobody waits for her, and the helper learns nothing but that she left."""
    await talking.youth_says("noen kommer")
    page = await talking.youth.get(f"{HOME}/chat/samtale")
    assert (await talking.youth.submit(page.form("/forlat"))).url.startswith("https://www.yr.no")
    desk = await talking.helper.get(talking.desk.url)
    assert "Den unge har forlatt samtalen" in desk.text
    main = desk.html.split("<main")[1].split("</main")[0].lower()
    assert "nød" not in main
    assert "forlat siden" not in main
    assert (await talking.youth.get(f"{HOME}/chat/samtale")).status == 404


async def test_the_end_has_its_words_for_each_side_and_she_can_say_whether_it_helped(talking: Pair) -> None:
    await talking.helper.submit(talking.desk.form("/avslutt"))
    page = await talking.youth.get(f"{HOME}/chat/samtale")
    assert "Den du snakket med, har avsluttet samtalen" in page.text
    page = await talking.youth.submit(page.form("/chat/hjalp"), {}, button="Ja, det hjalp")
    assert "Takk for at du sa fra" in page.text
    assert not page.has_form("/chat/hjalp")
    assert page.link("/spor")


@pytest.mark.parametrize("words", HOSTILE)
async def test_hostile_text_is_shown_as_text_on_both_sides(talking: Pair, words: str) -> None:
    """INVARIANT: nothing that one writes becomes markup, or turns what stands around it."""
    page = await talking.youth_says(words)
    desk = await talking.helper.get(talking.desk.url)
    for shown in (page, desk):
        assert "<script>alert" not in shown.html
        assert words.strip() in shown.text or words.strip() in "".join(shown.text.split(" ")) or "Z" in words
        assert re.search(r'<li class="said"[^>]*>.*?<p dir="auto">', shown.html, re.DOTALL)


@pytest.mark.parametrize("words", ["\u200b\u200b", "\u202e \u2066", "\ufeff"])
async def test_a_message_that_nobody_can_see_is_not_sent(talking: Pair, words: str) -> None:
    page = await talking.youth_says(words)
    assert page.status == 422
    assert "Skriv noe først" in page.text


async def test_a_form_whose_session_is_gone_comes_back_with_what_was_written(talking: Pair, browse: Any) -> None:
    """INVARIANT: an old page loses nothing: what was written stands ready to be sent again."""
    page = await talking.youth.get(f"{HOME}/chat/samtale")
    sent = page.form("/chat/samtale").filled({"text": "Det er vondt å si."})
    stranger = browse()
    await stranger.get(f"{HOME}/chat")
    kept = await stranger.post(f"{HOME}/chat/samtale", sent)
    assert kept.status == 403
    assert kept.form("/chat/samtale").fields["text"] == "Det er vondt å si."
    again = await stranger.submit(kept.form("/chat/samtale"))
    assert again.status == 404
    assert "Det er vondt å si." in again.html
    question = (await stranger.get(f"{HOME}/spor")).form("/spor").filled({"text": "Er det vanlig å være redd?"})
    kept = await stranger.post(f"{HOME}/spor", question | {"csrf": "x"})
    done = await stranger.submit(kept.form("/spor"))
    assert "Koden din" in done.text


async def test_a_helper_who_was_logged_out_finds_the_answer_again(talking: Pair, database: Any) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("delete from browser_sessions where organisation is not null"))
    kept = await talking.helper.submit(talking.desk.form("/svar"), {"text": "Jeg skrev lenge på dette."})
    assert kept.status == 403
    assert kept.form("/svar").fields["text"] == "Jeg skrev lenge på dette."
    assert "/ansatt/logg-inn?neste=" in kept.html
    pressed = await talking.helper.submit(talking.desk.form("/avslutt"))
    assert "/ansatt/logg-inn" in pressed.url


async def test_with_script_the_waiting_page_and_the_desk_follow_a_stream_and_can_be_stopped(browse: Any, helper: Any, centre: Any) -> None:
    youth = browse()
    await youth.submit((await youth.get(f"{HOME}/chat")).form("/chat"), {"service": str(centre.service_id)})
    for browser, address in ((youth, f"{HOME}/chat/venter"), (helper, DESK)):
        page = await browser.get(address)
        assert "refresh" in page.headers
        assert "data-stream" in page.html
        stopped = await browser.get(page.link("stopp=1"))
        assert "refresh" not in stopped.headers
        assert "data-stream" not in stopped.html

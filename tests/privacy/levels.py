"""What the youth of the walk does on each level, with a canary in each input."""

from servicekit.claim_secret import TypedCode

from deploy.local.journey.browser import Page
from deploy.local.journey.cast import CHAT_HELPER, CLINICIAN, EDITOR, MUNICIPALITY, PANEL, synthetic_number
from deploy.local.journey.people import Youth, code_on, fine, is_wish, until, wish_link
from tests.privacy.around import listens
from tests.privacy.walk import NUMBER, Walk

LONG = "x" * 100_000


async def reads(walk: Walk, youth: Youth) -> None:
    """Level 1: the front page, searches, addresses that lead nowhere."""
    info, browser = walk.urls["info"], youth.browser
    front = await youth.opens("info", "/")
    await browser.submit(front.form("/sok"), {"q": f"eksamensangst {walk.word('search words')}"})
    for path in (
        f"/sok?q={walk.word('search words')}&tema={walk.word('unknown filter')}",
        f"/sok?q={walk.word('far too long search words')}{LONG[:2000]}",
        f"/api/search?q={walk.word('search words')}&topic={walk.word('unknown filter')}",
        f"/hjelp?kommune={walk.word('unknown filter')}",
        f"/hjelp/{walk.word('path')}",
        f"/artikkel/{walk.word('path')}",
        f"/svar/{walk.word('path')}",
        f"/?x={walk.word('query')}&spraak=nn",
        f"/?spraak={walk.word('query')}",
    ):
        await browser.get(info + path)


async def asks(walk: Walk, youth: Youth) -> None:
    """Level 2: two questions, one of which is published without what points to her; the other she deletes."""
    canaries, browser = walk.canaries, youth.browser
    form = (await youth.opens("dialog", f"/spor?x={walk.word('query')}")).form("/spor")
    await walk.sends_wrong(browser, form, {"text": LONG + walk.word("far too long question")})
    await walk.sends_wrong(browser, form, {"text": "Hei", "topic": walk.word("unknown choice"), "age": walk.word("unknown choice")})
    await walk.sends_wrong(browser, form, {"csrf": walk.word("wrong csrf token")}, 403)
    await walk.sends_wrong(browser, form, {"key": walk.word("wrong key")})
    mail = f"{walk.word('e-mail')}@example.org"
    about = f"Jeg heter {walk.word('name')}. Ring {canaries.digits('phone', '+4790412387', '90412387')} eller skriv til {mail}."
    values = {"text": f"{about} {walk.sentence('question to publish')}", "topic": "school", "publish": "yes"}
    form = (await walk.sends(browser, form, values, status=422)).form("/spor")
    receipt = await walk.sends(browser, form, {"seen": "yes"})
    published = canaries.credential("receipt code", code_on(receipt))
    await walk.sends(browser, receipt.form("/spor/sjekk"), {"code": walk.word("receipt code, mistyped")})
    await _answers(walk, "question to publish", "answer to publish")
    await _publishes(walk)
    await _tries_codes(walk, youth)
    await youth.reads_answer(published, walk.word("answer to publish"))

    form = (await youth.opens("dialog", "/spor")).form("/spor")
    values = {"text": walk.sentence("question"), "topic": "body", "publish": "no"}
    private = canaries.credential("receipt code of the other question", code_on(await walk.sends(browser, form, values)))
    await _answers(walk, "question", "answer", read_by_another=True)
    page = await youth.reads_answer(private, walk.word("answer"))
    await walk.sends(browser, page.form("/svar/slett"), {})


async def _tries_codes(walk: Walk, youth: Youth) -> None:
    """Codes that aren't hers: no code at all, and one that could be."""
    form = (await youth.opens("dialog", "/svar")).form("/svar")
    await walk.sends_wrong(youth.browser, form, {"code": walk.word("wrong receipt code")})
    await walk.sends_wrong(youth.browser, form, {"code": walk.canaries.credential("unknown receipt code", "ZQX1-2345-6789-VWXY")}, 404, 422)


async def _answers(walk: Walk, question: str, answer: str, *, read_by_another: bool = False) -> None:
    """The panel finds her question, writes a draft, and answers, perhaps after a second pair of eyes."""
    panel, browser = walk.panel, walk.panel.browser
    queue = await panel.starts("dialog", "/ansatt/sporsmal", PANEL)
    page = await _question_with(walk, queue, walk.word(question))
    walk.questions[question] = page.url
    page = await walk.sends(browser, page.form("/ta"), {})
    form = page.form("/svar")
    await walk.sends_wrong(browser, form, {"answer": LONG + walk.word("far too long answer"), "profession": "Lege", "do": "send"})
    draft = {"answer": walk.sentence("draft"), "profession": walk.word(f"profession in the draft of {answer}")}
    page = await walk.sends(browser, form, draft, button="Be en kollega" if read_by_another else "kladd")
    if read_by_another:
        page = await _comments(walk, question)
        browser = walk.editor.browser
    values = {"answer": walk.sentence(answer), "profession": f"Lege {walk.word(f'profession at {answer}')}"}
    await walk.sends(browser, page.form("/svar"), values, button="Send")


async def _comments(walk: Walk, question: str) -> Page:
    editor = walk.editor
    await editor.starts("dialog", "/ansatt/sporsmal", EDITOR)
    page = fine(await editor.browser.get(walk.questions[question]))
    return await walk.sends(editor.browser, page.form("/kommentar"), {"note": walk.sentence("comment on a draft")})


async def _question_with(walk: Walk, queue: Page, word: str) -> Page:
    for link in dict.fromkeys(link for link in queue.links if "/ansatt/sporsmal/" in link):
        page = fine(await walk.panel.browser.get(link))
        if word in page.text:
            return page
    raise AssertionError("her question isn't in the queue")


async def _publishes(walk: Walk) -> None:
    """The editor takes out what points to her."""
    editor, browser = walk.editor, walk.editor.browser
    await editor.starts("dialog", "/ansatt/sporsmal", EDITOR)
    form = (await editor.opens("dialog", walk.questions["question to publish"].removeprefix(walk.urls["dialog"]) + "/publiser")).form(
        "/publiser"
    )
    await walk.sends_wrong(browser, form, {"title": walk.word("far too long title") + LONG})
    values = {"title": walk.word("title to publish"), "question": walk.sentence("question to publish")}
    await walk.sends(browser, form, {**values, "answer": walk.sentence("answer to publish")})


async def chats(walk: Walk, youth: Youth) -> Page:
    """Level 2: a chat, and the yes at the border. Returns the page with the secret."""
    browser, helper = youth.browser, walk.helper
    await helper.goes_on_duty(CHAT_HELPER, walk.cast.chat_service, 3)
    await youth.asks_to_chat(walk.cast.chat_service, "mental_health", "13_15")
    talk = await helper.takes_next()
    page = await youth.waits_for_helper()
    form = page.form("/chat/samtale")
    await walk.sends_wrong(browser, form, {"text": LONG + walk.word("far too long message")})
    await walk.sends(
        browser, (await youth.opens("dialog", "/chat/samtale")).form("/chat/samtale"), {"text": walk.sentence("chat sentence")}
    )
    in_chat = walk.canaries.digits("national identity number in a chat", synthetic_number(153))
    await youth.says(f"Jeg heter {walk.word('name')}, nummeret er {walk.canaries.planted['phone'].text}, fødselsnummer {in_chat}.")
    form = (await helper.sees(talk)).form("/svar")
    await walk.sends(helper.browser, form, {"text": walk.sentence("helper's message")})
    await youth.reads(walk.word("helper's message"))
    await listens(walk, browser, f"{walk.urls['dialog']}/chat/strom")
    await listens(walk, helper.browser, f"{talk.url}/strom")
    form = (await helper.sees(talk)).form("/videre")
    summary = f"{walk.sentence('summary sentence, ticked')} {walk.sentence('summary sentence, not ticked')}"
    await walk.sends(helper.browser, form, {"need": "mental_health", "urgency": "soon", "summary": summary})
    return await _says_yes(walk, youth)


async def _says_yes(walk: Walk, youth: Youth) -> Page:
    browser = youth.browser
    form = (await youth.opens("dialog", "/videre")).form("/videre", field="own")
    values = {"own": walk.sentence("own summary sentence"), "include_1": "yes", "device": "same"}
    await walk.sends_wrong(browser, form, {**values, "answer": "yes", "device": walk.word("unknown choice")})
    await walk.sends_wrong(browser, form, {**values, "answer": "yes", "own": LONG + walk.word("far too long summary")})
    withdrawal = (await youth.opens("dialog", "/videre/trekk")).form("/videre/trekk")
    await walk.sends_wrong(browser, withdrawal, {"secret": walk.word("wrong secret to withdraw")})
    page = await walk.sends(browser, form, values, button="Ja")
    walk.claimed.append(walk.canaries.credential("claim secret", page.form("/inn", field="secret").fields["secret"]))
    return page


async def goes_in(walk: Walk, youth: Youth, carrying: Page) -> None:
    """Level 3: wrong codes, presenting, login with her number, the yes, and what she brought."""
    browser = youth.browser
    form = (await youth.opens("helpjourney", f"/inn?x={walk.word('query')}")).form("/inn/kode")
    await walk.sends_wrong(browser, form, {"code": walk.word("wrong claim code")})
    unknown = str(TypedCode("ZQX", "123456789VWX"))
    await browser.post(form.action, {**form.fields, "code": walk.canaries.credential("unknown claim code", unknown)})
    browser.page = carrying
    await browser.post(
        carrying.form("/inn", field="secret").action, {"secret": walk.word("wrong secret"), "code": walk.word("wrong claim code")}
    )
    browser.page = carrying
    page = await youth.carries(carrying)
    await browser.get(f"{walk.urls['helpjourney']}/logg-inn?neste=/{walk.word('query')}&niva={walk.word('query')}")
    await browser.get(f"{walk.urls['helpjourney']}/logg-inn/tilbake?code={walk.word('query')}&state={walk.word('query')}")
    at_provider = fine(await browser.get(page.link("/logg-inn/start")))
    form = at_provider.form(field="other")
    await walk.sends_wrong(browser, form, {"other": walk.word("wrong login")})
    walk.canaries.digits("national identity number", NUMBER)
    page = await browser.submit(form, {"other": NUMBER, "level": "substantial"})
    await walk.sends(browser, page.form("/er-det-deg"), {})
    page = await youth.takes_in()
    page = fine(await browser.get(next(link for link in page.links if "/reise/" in link and not link.endswith("/time"))))
    assert walk.word("own summary sentence") in page.text
    assert walk.word("summary sentence, ticked") in page.text
    assert walk.word("summary sentence, not ticked") not in page.text


async def wishes(walk: Walk, youth: Youth) -> None:
    """Level 3: a wish with a note, a time, the case."""
    browser = youth.browser
    page = fine(await browser.get(wish_link(await youth.opens("helpjourney", "/"))))
    await walk.sends_wrong(browser, page.form("/sted"), {"municipality": walk.word("unknown choice")})
    page = await walk.sends(browser, page.form("/sted"), {"municipality": MUNICIPALITY})
    form = page.form("/time", field="note")
    await walk.sends_wrong(browser, form, {"unit": walk.word("unknown choice"), "note": walk.word("note of a refused wish")})
    await walk.sends_wrong(browser, form, {"unit": walk.cast.unit, "note": LONG + walk.word("far too long note")})
    values = {"unit": walk.cast.unit, "note": walk.sentence("note"), "shares": "yes", "reminds": "yes"}
    await walk.sends(browser, form, values)
    await _offers_time(walk)
    page = await youth.opens("helpjourney", "/")
    page = fine(await browser.get(next(link for link in page.links if "/time/" in link)))
    await walk.sends_wrong(browser, page.form("/velg"), {"slot": walk.word("unknown choice")})
    await youth.accepts_time()


async def _offers_time(walk: Walk) -> None:
    clinician, browser = walk.clinician, walk.clinician.browser
    await clinician.starts("helpjourney", "/ansatt/i-dag", CLINICIAN)
    page = await until(clinician.next_wish, is_wish, "a wish")
    assert walk.word("note") in page.text
    form = page.form("/tilby")
    await walk.sends_wrong(browser, form, {"start": walk.word("wrong time"), "minutes": walk.word("unknown choice")})
    code = (await clinician.opens("helpjourney", "/ansatt/kode")).form("/ansatt/kode")
    await walk.sends_wrong(browser, code, {"code": walk.word("wrong claim code at the clinic")})
    await clinician.offers_time(CLINICIAN)

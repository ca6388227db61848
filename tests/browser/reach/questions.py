"""Questions to the panel: what a youth sees, and what the panel sees."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

from deploy.local.journey.browser import Page
from deploy.local.journey.people import Youth, code_on, fine
from tests.browser.scene import Scene
from tests.browser.visits import Reach, Visit, by_form, by_link

TEXT = "Jeg gruer meg til å gå på skolen hver dag. Hva kan jeg gjøre?"
NUMBER = "90412387"
WITH_NUMBER = f"Kan noen ringe meg på {NUMBER}? Jeg gruer meg til å gå på skolen."
ACUTE = "Jeg vil ikke leve lenger."
ASKED = {"text": TEXT, "topic": "school", "age": "13_15", "publish": "yes"}
ANSWER = "Så bra at du spør. Mange har det som deg. Snakk med helsesykepleier på skolen, hun har tid til deg."
LONG = "Dette er en veldig lang tekst. " * 400
MISTYPED = "HSES-NW0P-WC"


def asks(**changed: str) -> Reach:
    """The answer to her question, or to what is wrong with it."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.youth() as youth:
            page = await youth.opens("dialog", "/spor")
            yield by_form(youth.browser, page.form("/spor", field="text"), ASKED | changed)

    return reach


def checks(right: bool) -> Reach:
    """She types the code that she wrote down."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.youth() as youth:
            page = await youth.opens("dialog", "/spor")
            page = fine(await youth.browser.submit(page.form("/spor", field="text"), ASKED))
            yield by_form(youth.browser, page.form("/spor/sjekk"), {"code": code_on(page) if right else MISTYPED})

    return reach


@asynccontextmanager
async def asks_too_often(scene: Scene) -> AsyncIterator[Visit]:
    """The fourth question within the hour."""
    async with scene.youth() as youth:
        for number in range(3):
            await youth.asks(f"Spørsmål {number}: er det vanlig å være trøtt?", "body", "13_15", publish=False)
        page = await youth.opens("dialog", "/spor")
        yield by_form(youth.browser, page.form("/spor", field="text"), ASKED)


@asynccontextmanager
async def old_form(scene: Scene) -> AsyncIterator[Visit]:
    """A form of a session that is over."""
    async with scene.youth() as youth:
        page = await youth.opens("dialog", "/spor")
        youth.browser.cookies.clear()
        yield by_form(youth.browser, page.form("/spor", field="text"), ASKED)


def looks(code: str) -> Reach:
    """A code that opens nothing: mistyped, or one that nobody has."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.youth() as youth:
            page = await youth.opens("dialog", "/svar")
            yield by_form(youth.browser, page.form("/svar", field="code"), {"code": code})

    return reach


@asynccontextmanager
async def not_answered(scene: Scene) -> AsyncIterator[Visit]:
    """The code of a question that waits."""
    async with scene.youth() as youth:
        code = await youth.asks(TEXT, "school", "13_15", publish=False)
        page = await youth.opens("dialog", "/svar")
        yield by_form(youth.browser, page.form("/svar", field="code"), {"code": code})


@asynccontextmanager
async def looks_too_often(scene: Scene) -> AsyncIterator[Visit]:
    """So many codes without an answer that she must wait."""
    async with scene.youth() as youth:
        code = await youth.asks(TEXT, "school", "13_15", publish=False)
        for _ in range(40):
            if (await _tries(youth, code)).status == 429:
                break
        form = (await youth.opens("dialog", "/svar")).form("/svar", field="code")
        yield by_form(youth.browser, form, {"code": code})


async def _tries(youth: Youth, code: str) -> Page:
    page = await youth.opens("dialog", "/svar")
    return await youth.browser.submit(page.form("/svar", field="code"), {"code": code})


def own_text(scene: Scene, text: str = TEXT) -> str:
    """A question that can be told from all others."""
    return f"{text} Det har vært sånn i {next(scene.serials)} dager."


async def panel_answers(scene: Scene, text: str, answer: str) -> str:
    """The panel answers the question with this text; returns its address at their desk."""
    address = await _address_of(scene, text)
    page = fine(await scene.panel.browser.get(address))
    if page.has_form("/ta"):
        page = fine(await scene.panel.browser.submit(page.form("/ta")))
    form = page.form("/svar", field="answer")
    fine(await scene.panel.browser.submit(form, {"answer": answer, "profession": "Helsesykepleier"}, button="Send"))
    return address


async def _answered(scene: Scene, youth: Youth) -> tuple[str, Page]:
    text = own_text(scene)
    code = await youth.asks(text, "school", "13_15", publish=True)
    await panel_answers(scene, text, ANSWER)
    return code, await youth.reads_answer(code, "Så bra at du spør")


async def _address_of(scene: Scene, text: str) -> str:
    """The question with this text, at the panel's desk."""
    queue = await scene.at_panel()
    for link in dict.fromkeys(link for link in reversed(queue.links) if "/ansatt/sporsmal/" in link):
        page = await scene.panel.browser.get(link)
        if page.status == 200 and text in page.html and page.has_form("/ta"):
            return link
    raise AssertionError("the question isn't in the queue")


@asynccontextmanager
async def answered(scene: Scene) -> AsyncIterator[Visit]:
    """Her answer."""
    async with scene.youth() as youth:
        code, _ = await _answered(scene, youth)
        page = await youth.opens("dialog", "/svar")
        yield by_form(youth.browser, page.form("/svar", field="code"), {"code": code})


def after_answer(action: str, values: Mapping[str, str] | None = None) -> Reach:
    """What she can do with her answer."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.youth() as youth:
            _, page = await _answered(scene, youth)
            yield by_form(youth.browser, page.form(action), values)

    return reach


@asynccontextmanager
async def panel_queue(scene: Scene) -> AsyncIterator[Visit]:
    """Some questions wait, one of them acute."""
    async with scene.youth() as youth:
        await youth.asks(TEXT, "school", "13_15", publish=True)
        await youth.asks(ACUTE, "mental_health", "16_17", publish=False)
        page = await scene.at_panel()
        yield by_link(scene.panel.browser, page.url)


@asynccontextmanager
async def empty_panel(scene: Scene) -> AsyncIterator[Visit]:
    """Nothing waits: only before anybody has asked."""
    page = await scene.at_panel()
    yield by_link(scene.panel.browser, page.url)


def at_question(taken: bool = True, do: str = "", publish: bool = True, **values: str) -> Reach:
    """A question at the panel's desk; with `values` the answer's form is sent."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        text = own_text(scene)
        async with scene.youth() as youth:
            await youth.asks(text, "school", "13_15", publish=publish)
        address, browser = await _address_of(scene, text), scene.panel.browser
        page = fine(await browser.get(address))
        if taken:
            page = fine(await browser.submit(page.form("/ta")))
        if do == "read":
            form = page.form("/svar", field="answer")
            page = fine(await browser.submit(form, {"answer": ANSWER}, button="Be en kollega"))
            await scene.at_editors_desk()
            page = fine(await scene.editor.browser.get(address))
            yield by_link(scene.editor.browser, page.url)
        elif do:
            yield by_form(browser, page.form("/svar", field="answer"), {"do": do, **values})
        else:
            yield by_link(browser, page.url)

    return reach


@asynccontextmanager
async def unknown_question(scene: Scene) -> AsyncIterator[Visit]:
    """One that was deleted."""
    await scene.at_panel()
    yield by_link(scene.panel.browser, f"{scene.urls['dialog']}/ansatt/sporsmal/{uuid4()}")


@asynccontextmanager
async def taken_by_others(scene: Scene) -> AsyncIterator[Visit]:
    """An old form for a question that was answered since."""
    text = own_text(scene)
    async with scene.youth() as youth:
        await youth.asks(text, "school", "13_15", publish=False)
    address, browser = await _address_of(scene, text), scene.panel.browser
    page = fine(await browser.get(address))
    page = fine(await browser.submit(page.form("/ta")))
    form = page.form("/svar", field="answer")
    await browser.submit(form, {"answer": ANSWER, "profession": "Helsesykepleier"}, button="Send")
    visit = by_form(browser, form, {"answer": ANSWER, "profession": "Lege", "do": "send"})
    fields = tuple((name, "x" * 43 if name == "key" else value) for name, value in (visit.fields or ()))
    yield Visit(visit.url, visit.cookies, fields)


def publishing(**values: str) -> Reach:
    """An answer that an editor makes ready; with `values` the form is sent."""

    @asynccontextmanager
    async def reach(scene: Scene) -> AsyncIterator[Visit]:
        async with scene.youth() as youth:
            text = own_text(scene, f"Kan jeg ringe noen? Nummeret mitt er {NUMBER}.")
            await youth.asks(text, "school", "13_15", publish=True)
        address = await _address_of(scene, text)
        await _answer(scene, address)
        await scene.at_editors_desk()
        page = fine(await scene.editor.browser.get(address + "/publiser"))
        if values:
            yield by_form(scene.editor.browser, page.form("/publiser"), values)
        else:
            yield by_link(scene.editor.browser, page.url)

    return reach


async def _answer(scene: Scene, address: str) -> None:
    page = fine(await scene.panel.browser.get(address))
    page = fine(await scene.panel.browser.submit(page.form("/ta")))
    form = page.form("/svar", field="answer")
    await scene.panel.browser.submit(form, {"answer": ANSWER, "profession": "Helsesykepleier"}, button="Send")


@asynccontextmanager
async def editors_queue(scene: Scene) -> AsyncIterator[Visit]:
    """Answers that wait to be published."""
    async with publishing()(scene):
        page = await scene.at_editors_desk()
        yield by_link(scene.editor.browser, page.url)


@asynccontextmanager
async def panel_publishes(scene: Scene) -> AsyncIterator[Visit]:
    """Publishing is for editors."""
    async with publishing()(scene) as visit:
        yield by_link(scene.panel.browser, visit.url)

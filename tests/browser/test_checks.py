"""Each check of the sweep is seen to fail once, on a page that is broken in that way alone, and to pass on a whole one."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser

from tests.browser import checks, reading
from tests.browser.broken import HOST, NOISE, Broken, bare, shown
from tests.browser.checks import Fault
from tests.browser.looking import Look
from tests.browser.sweep import Report, Seen
from tests.browser.variants import PLAIN
from tests.browser.visits import Row, Visit, Who, at

Check = Callable[[Look], Awaitable[list[Fault]]]


async def weight(look: Look) -> list[Fault]:
    return checks.weight(look)


async def third_party(look: Look) -> list[Fault]:
    return checks.third_party(look)


async def console(look: Look) -> list[Fault]:
    return checks.console(look)


async def address(look: Look) -> list[Fault]:
    return checks.address(look)


async def structure(look: Look) -> list[Fault]:
    return await checks.structure(look, PLAIN)


async def renewal(look: Look) -> list[Fault]:
    return await checks.renewal(look, PLAIN)


LATE = """addEventListener("load", () => setTimeout(() => {
  const box = document.createElement("div");
  box.className = "late";
  document.body.prepend(box);
}, 300))"""
TRAP = """document.querySelector("#stuck").addEventListener("keydown", (event) => {
  if (event.key === "Tab") event.preventDefault();
})"""
BUILT = """document.querySelector("main").insertAdjacentHTML(
  "beforeend", "<p>Bare med skript</p><form action=/ny><button>Send</button></form>")"""
FRAME = b'<html lang=nb><title>Side</title><main><h1>Ramme</h1><img src="/a.png"></main>'
KEPT = "; Path=/; Secure; HttpOnly; SameSite=Lax"
PARTS = "<header></header><main><h1>x</h1></main><footer></footer>"
CASES: dict[str, tuple[Check, Broken, str]] = {
    "contrast": (checks.axe, Broken(main='<p class="pale">Blekt</p>', css=".pale{color:#ccc}"), "color-contrast"),
    "no label": (checks.axe, Broken(main='<form><input name="a"></form>'), "label"),
    "no heading order": (checks.axe, Broken(main="<h4>Hopp</h4>"), "heading-order"),
    "in a frame": (
        checks.axe,
        Broken(main='<iframe title="Samtale" src="/ramme"></iframe>', files={"/ramme": ("text/html", FRAME)}),
        "image-alt",
    ),
    "heavy": (
        weight,
        Broken(main='<img alt="" width="9" height="9" src="/noise.png">', files={"/noise.png": ("image/png", NOISE)}),
        "kB",
    ),
    "third party": (third_party, Broken(main='<img alt="" width="9" height="9" src="https://spor.example/p.svg">'), "spor.example"),
    "inline script": (checks.policy, Broken(main="<script>document.title = 'x'</script>"), "script-src-elem inline"),
    "inline style": (checks.policy, Broken(main='<p style="color: red">Rødt</p>'), "style-src-attr inline"),
    "script error": (console, Broken(script="missing()"), "missing is not defined"),
    "missing file": (console, Broken(main='<img alt="" width="9" height="9" src="/borte.png">'), "404"),
    "layout shift": (checks.shift, Broken(script=LATE, css=".late{height:90px}"), "0."),
    "cookie": (checks.cookies, Broken(headers={"Set-Cookie": f"__Host-sporing=1{KEPT}"}), "not in the list"),
    "cookie kept": (checks.cookies, Broken(headers={"Set-Cookie": f"__Host-spraak=nn{KEPT}; Max-Age=90000"}), "kept"),
    "cookie for scripts": (checks.cookies, Broken(headers={"Set-Cookie": "__Host-spraak=nn; Path=/; Secure; SameSite=Lax"}), "httponly"),
    "telling title": (structure, Broken(html=bare(PARTS, title="Chat om overgrep")), "title 'Chat om overgrep'"),
    "telling icon": (structure, Broken(html=bare(PARTS)), "icon"),
    "two headings": (structure, Broken(main="<h1>En til</h1>"), "2 h1"),
    "no main": (structure, Broken(html=bare("<header></header><h1>x</h1><footer></footer>")), "not one <main>"),
    "wrong language": (structure, Broken(html=bare(PARTS, "lang=en data-level=anonymous")), "lang='en'"),
    "inline handler": (structure, Broken(main='<button type="button" onclick="x()">Trykk</button>'), 'inline: button "Trykk"'),
    "no crisis numbers": (structure, Broken(html=bare(PARTS)), "no crisis number tel:113"),
    "small target": (
        checks.targets,
        Broken(main='<button type="button" class="small">x</button>', css=".small{min-height:20px;min-width:20px;padding:0}"),
        "button",
    ),
    "renews itself": (renewal, Broken(headers={"Refresh": "10"}), "Stopp oppdatering"),
    "frame renews itself": (
        renewal,
        Broken(main='<iframe title="x" src="/frame"></iframe>', frames={"/frame": {"Refresh": "5"}}),
        "Stopp oppdatering",
    ),
    "too wide": (reading.reflow, Broken(main='<p class="wide">x</p>', css=".wide{width:600px}"), "reflow: "),
    "clipped when spaced": (
        reading.reflow,
        Broken(main='<p class="low">To linjer med tekst som trenger plass</p>', css=".low{height:30px;overflow:hidden;width:99px}"),
        "spacing: p in .low",
    ),
    "focus not seen": (reading.keyboard, Broken(css=":focus-visible{outline:none}"), "focus: not seen"),
    "focus covered": (
        reading.keyboard,
        Broken(main='<div class="cover">over</div>', css=".cover{position:fixed;inset:0;background:#fff}"),
        "under",
    ),
    "trap": (reading.keyboard, Broken(main='<button type="button" id="stuck">Fast</button>', script=TRAP), "trap at #stuck"),
}
WHOLE: list[Check] = [
    *(checks.axe, weight, third_party, checks.policy, console, checks.shift, checks.cookies),
    *(address, structure, checks.targets, renewal, reading.reflow, reading.keyboard),
]


@pytest.mark.parametrize("name", CASES)
async def test_a_page_that_is_broken_on_purpose_is_noticed(browser: Browser, name: str) -> None:
    """INVARIANT: none of the sweep's zeros is zero because nothing is looked for."""
    check, page, expected = CASES[name]
    async with shown(browser, page) as look:
        found = await check(look)
        for _ in range(50):  # what moves late is told late
            if name != "layout shift" or found:
                break
            await look.page.wait_for_timeout(100)
            found = await check(look)
    assert any(expected in str(fault) for fault in found), found


@pytest.mark.parametrize("check", WHOLE)
async def test_a_whole_page_passes(browser: Browser, check: Check) -> None:
    async with shown(browser, Broken()) as look:
        assert await check(look) == []


async def test_a_page_that_renews_itself_and_can_be_stopped_passes(browser: Browser) -> None:
    page = Broken(headers={"Refresh": "10"}, main='<a href="/a">Stopp oppdatering</a> <a href="/b">Oppdater nå</a>')
    async with shown(browser, page) as look:
        assert await renewal(look) == []


@pytest.mark.parametrize(
    ("path", "found"),
    [("/svar/om-selvmord", "word in"), ("/svar?om=vold", "parameter om"), ("/reise/6f1f7a52-96a5-4d3a-9a83-8d2f8f1f7a52?stopp=1", "")],
)
async def test_an_address_that_tells_something_is_noticed(browser: Browser, path: str, found: str) -> None:
    async with shown(browser, Broken(), path=path) as look:
        told = checks.address(look)
    assert any(found in str(fault) for fault in told) if found else told == []


async def test_what_only_scripts_build_is_noticed(browser: Browser) -> None:
    """INVARIANT: a page whose text or form comes from a script is missing something for who has none."""
    page = Broken(script=BUILT)
    async with shown(browser, page) as look, shown(browser, page, javascript=False) as plain:
        found = [str(each) for each in await reading.differences(look, plain)]
    assert [each for each in found if "Bare med skript" in each]
    assert [each for each in found if "form: /ny" in each]
    async with shown(browser, Broken()) as look, shown(browser, Broken(), javascript=False) as plain:
        assert await reading.differences(look, plain) == []


def test_the_sum_counts_what_was_found() -> None:
    """INVARIANT: no number of the line is a constant."""
    seen = Seen(Row("info", "GET /", "normal", Who.ANYBODY, at("info/")), variants=4, bytes=61_234, plain=False)
    seen.faults = {"nb-light-390": [Fault("axe", "x"), Fault("third party", "y"), Fault("csp", "z")], "page": [Fault("axe", "w")]}
    report = Report([seen, Seen(seen.row, variants=4, bytes=1, plain=True)])
    assert report.line == "pages: pages=2 variants=8 axe=2 nojs=1/2 third_party=1 csp=1 heaviest_kb=61"
    assert len(report.faults) == 4


def test_an_unknown_host_is_not_asked() -> None:
    """What is broken on purpose is served by interception: nothing listens there."""
    assert Visit(HOST).url.endswith(":1")

"""Each check of the sweep is seen to fail once, on a page that is broken in that way alone, and to pass on a whole one."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest
from playwright.async_api import Browser

from tests.browser import checks, reading
from tests.browser.broken import HOST, NOISE, Broken, bare, served, shown
from tests.browser.checks import Fault
from tests.browser.looking import Look
from tests.browser.scene import Scene
from tests.browser.sweep import Report, look_at
from tests.browser.variants import FOURS, PLAIN
from tests.browser.visits import Row, Visit, Who

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
    [
        ("/svar/om-selvmord", "word in"),
        ("/svar?om=vold", "parameter om"),
        ("/tilbake/idporten?state=om-selvmord", "word in"),
        ("/reise/6f1f7a52-96a5-4d3a-9a83-8d2f8f1f7a52?stopp=1", ""),
        ("/tilbake/idporten?code=q7Sex0u1VoLdKf3mW8zr2Yc5Hn6Tj9Pa4Xb1Gd0Ei7k&state=Zt5R0wKangst8Jq2Mv7Lx1Cy4Ub6Nf3Hs9Dg0Pe5-Ao", ""),
    ],
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


@asynccontextmanager
async def at_side(_: Scene) -> AsyncIterator[Visit]:
    yield Visit(HOST + "/side")


SIDE = Row("dialog", "GET /side", "broken on purpose", Who.YOUTH, at_side)
NOBODY = cast("Scene", None)


async def test_every_number_of_the_sum_rises_on_a_page_that_is_broken_in_every_way(browser: Browser) -> None:
    """INVARIANT: the sweep as it runs on our pages finds axe's faults, other hosts, the policy's stops, what needs scripts, and weight."""
    page = Broken(
        main='<p class="pale" style="color: red">Blekt</p><img alt="" src="https://spor.example/p.svg"><img alt="" src="/noise.png">',
        css=".pale{color:#ccc}",
        script=f"{BUILT}; missing()",
        headers={"Set-Cookie": f"__Host-sporing=1{KEPT}"},
        files={"/noise.png": ("image/png", NOISE)},
    )
    async with served(browser, page) as windows:
        report = Report([await look_at(windows, NOBODY, SIDE, FOURS[0])])
    numbers = dict(re.findall(r"(\w+)=(\S+)", report.line))
    assert int(numbers["axe"]) >= 4
    assert int(numbers["heaviest_kb"]) > 60
    assert report.line.startswith("pages: pages=1 variants=4 axe=")
    assert "nojs=0/1 third_party=3 csp=3 " in report.line, "once in each language"
    assert {"weight", "console", "cookie", "without javascript"} <= {fault.check for _, fault in report.seen[0].all_faults}


async def test_every_number_of_the_sum_is_good_on_a_whole_page(browser: Browser) -> None:
    async with served(browser, Broken()) as windows:
        report = Report([await look_at(windows, NOBODY, SIDE, (PLAIN,))])
    assert report.line == "pages: pages=1 variants=1 axe=0 nojs=1/1 third_party=0 csp=0 heaviest_kb=1"
    assert report.faults == []


async def test_a_page_that_cannot_be_reached_is_no_zero(browser: Browser) -> None:
    """INVARIANT: what wasn't looked at isn't counted as seen."""
    row = Row("dialog", "GET /side", "behind a state that never comes", Who.YOUTH, never_comes)
    async with served(browser, Broken()) as windows:
        report = Report([await look_at(windows, NOBODY, row, (PLAIN,))])
    assert report.line == "pages: pages=1 variants=0 axe=0 nojs=0/1 third_party=0 csp=0 heaviest_kb=0"
    assert "reach: AssertionError: it never came" in report.faults[0]


@asynccontextmanager
async def never_comes(_: Scene) -> AsyncIterator[Visit]:
    assert _, "it never came"
    yield Visit(HOST)


def test_an_unknown_host_is_not_asked() -> None:
    """What is broken on purpose is served by interception: nothing listens there."""
    assert Visit(HOST).url.endswith(":1")

"""What every page must keep: each check names what it found, and is seen to fail in test_checks.py."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.async_api import Frame
from webkit.crisis import crisis
from webkit.i18n import translate
from webkit.levels import LEVELS

from tests.browser.looking import Look, renews
from tests.browser.variants import LOCALES, Variant

AXE = (Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js").read_text()
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")
RUN_AXE = f"() => axe.run({{runOnly: {list(TAGS)}, resultTypes: ['violations'], preload: false}})"
HEAVIEST = 60_000
"""Bytes over the wire of a first view."""
MOST_STOPS = 250
"""Elements on a page that one comes past with Tab."""
RENEWING = {
    "nb": (r"Stopp oppdatering", r"Oppdater nå"),
    "nn": (r"Stopp oppdatering", r"Oppdater no"),
    "en": (r"Stop (updat|renew|refresh)ing", r"(Update|Renew|Refresh) now"),
}
"""What a page that renews itself must offer (WCAG 2.2.1, 2.2.2)."""
QUERY = {"fra", "til", "stopp", "neste", "niva", "fersk", "state", "iss", "error", "client_id", "logout_hint", "her", "code", "from", "to"}
"""Names that may stand in an address above level 1."""
OPAQUE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<==)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{43}(?=&|$)")
"""Ids, and a login's code and state: 256 random bits in base64url (RFC 6749 10.10), in which one word or other stands by chance."""
SENSITIVE = re.compile(
    r"selvmord|overgrep|voldtekt|abort|rus(?:middel|middl)|psyk|angst|depres|skad|spise|sex|homo|lesb|trans|gravid|vold|mobb|fodsel|navn="
)
"""Words that an address above level 1 must not hold."""


@dataclass(frozen=True, slots=True)
class CookieRule:
    """A cookie that may be set, and how long it may be kept."""

    name: re.Pattern[str]
    hosts: frozenset[str]
    most: int
    """Seconds; 0: until the browser closes."""


def _rule(name: str, hosts: str, most: int = 0) -> CookieRule:
    return CookieRule(re.compile(name), frozenset(hosts.split()), most)


EVERY = "localhost snakk.localhost logg-inn.localhost min.localhost tall.localhost"
COOKIES = (
    _rule("__Host-stegvis", EVERY),
    _rule("__Host-spraak", EVERY),
    _rule("__Host-inn", "min.localhost", 7200),
    _rule("__Host-(inn|ut)logging", EVERY, 600),
    _rule("__Host-kladd", "min.localhost", 7200),
    _rule("__Host-forsok-[0-9a-f]{16}", "logg-inn.localhost", 600),
)
"""All that any of our hosts may have a browser keep. The test login, which is not ours, has its own on 127.0.0.1."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that isn't as it should be."""

    check: str
    found: str

    def __str__(self) -> str:
        return f"{self.check}: {self.found}"


def faults(check: str, found: Iterable[object]) -> list[Fault]:
    """One for each thing found."""
    return [Fault(check, str(each)) for each in found]


async def bring_axe(look: Look) -> None:
    """Into the page and its frames, once it is loaded; the page's policy doesn't stop what the browser itself brings."""
    for frame in look.loaded_frames:
        await frame.evaluate(f"{AXE};0")


async def axe(look: Look) -> list[Fault]:
    """axe-core: WCAG 2.2 A and AA, and best practice."""
    if not await look.page.evaluate("'axe' in window"):
        await bring_axe(look)
    result = await look.page.evaluate(RUN_AXE)
    return [Fault("axe", f"{each['id']} {node['target']} {_why(node)}") for each in result["violations"] for node in each["nodes"]]


def _why(node: dict[str, Any]) -> str:
    reasons = [one["message"] for kind in ("any", "all", "none") for one in node[kind]]
    return "; ".join(reasons)[:200]


def weight(look: Look) -> list[Fault]:
    return [Fault("weight", f"{look.bytes / 1000:.1f} kB")] if look.bytes > HEAVIEST else []


def third_party(look: Look) -> list[Fault]:
    """Nobody else is asked for anything."""
    asked = {request.url for request in look.requests if not request.url.startswith((f"{look.origin}/", "data:", "about:", "blob:"))}
    return faults("third party", sorted(asked))


async def policy(look: Look) -> list[Fault]:
    """Nothing that the content security policy has to stop."""
    told = [error for error in look.errors if "Content Security Policy" in error]
    seen = (await look.seen())["stopped"]
    return faults("csp", seen or told)


def console(look: Look) -> list[Fault]:
    return faults("console", (error for error in look.errors if "Content Security Policy" not in error))


async def shift(look: Look) -> list[Fault]:
    """Nothing moves once it is shown."""
    seen = await look.seen()
    return [Fault("layout shift", f"{seen['shift']:.4f} {sorted(set(seen['moved']))}")] if seen["shift"] > 0 else []


async def cookies(look: Look) -> list[Fault]:
    """Only those of the list, for this host alone, unseen by scripts, not kept longer than the list says."""
    now = await look.page.evaluate("Date.now() / 1000") if look.page.url.startswith("http") else 0
    found = []
    for cookie in await look.context.cookies():
        if cookie["domain"] == "127.0.0.1":
            continue
        rule = next((each for each in COOKIES if each.name.fullmatch(cookie["name"]) and cookie["domain"] in each.hosts), None)
        if rule is None:
            found.append(f"{cookie['name']} at {cookie['domain']} is not in the list")
            continue
        kept = cookie["expires"] - now if cookie["expires"] > 0 else 0
        wrong = {
            "secure": not cookie["secure"],
            "httponly": not cookie["httpOnly"],
            "path": cookie["path"] != "/",
            "samesite": cookie["sameSite"] not in {"Lax", "Strict"},
            f"kept {kept:.0f} s": kept > rule.most + 5,
        }
        found += [f"{cookie['name']}: {name}" for name, is_wrong in wrong.items() if is_wrong]
    return faults("cookie", found)


def address(look: Look) -> list[Fault]:
    """Above level 1 an address says nothing: no words about her, no values but ids."""
    parts = urlsplit(look.url)
    if parts.hostname in {"localhost", "127.0.0.1"}:
        return []
    found = [f"word in {parts.path}" for _ in SENSITIVE.findall(OPAQUE.sub("", f"{parts.path}?{parts.query}").lower())]
    found += [f"parameter {name}" for name, _ in parse_qsl(parts.query) if name not in QUERY]
    return faults("address", found)


async def structure(look: Look, variant: Variant, *, static: bool = False, numbers: bool = True) -> list[Fault]:
    """Heading, landmarks, language, title and icon, nothing inline, and the crisis numbers.

    `static`: a page of the gateway's own, which knows neither level nor reader's language and has no footer.
    """
    seen = await look.measure("structure")
    found = [] if seen["headings"] == 1 else [f"{seen['headings']} h1"]
    found += [f"not one <{name}>" for name in seen["landmarks"] if not (static and name == "footer")]
    found += [f"inline: {each}" for each in seen["inline"]]
    missing = {line.href for line in crisis().lines} - set(seen["telephones"]) if numbers else set()
    found += [f"no crisis number {each}" for each in sorted(missing)]
    if not static:
        found += [f"lang={seen['language']!r}"] if seen["language"] != variant.language else []
        found += _neutral(seen)
    return faults("structure", found)


def _neutral(seen: dict[str, Any]) -> list[str]:
    """Above level 1 neither title nor icon tells what the page is."""
    level = LEVELS.get(seen["level"])
    if level is None:
        return [f"level {seen['level']!r}"]
    if not level.private:
        return []
    allowed = {translate(language)(level.title) for language in LOCALES} if level.title else set()
    found = [] if seen["title"] in allowed else [f"title {seen['title']!r} above level 1"]
    return found + ([] if "blank" in seen["icon"] else [f"icon {seen['icon']} above level 1"])


async def targets(look: Look) -> list[Fault]:
    """At least 44 x 44 CSS pixels to press, except links in a sentence."""
    return faults("target", await look.measure("smallTargets"))


async def renewal(look: Look, variant: Variant) -> list[Fault]:
    """Pages and frames with a `Refresh` header can be stopped, and renewed by hand. axe doesn't see the header."""
    found = []
    for document in look.documents:
        if not renews(document):
            continue
        said = await _text_of(document.frame)
        found += [f"{urlsplit(document.url).path} lacks {word!r}" for word in RENEWING[variant.language] if not re.search(word, said)]
    return faults("renewal", found)


async def _text_of(frame: Frame) -> str:
    return str(await frame.evaluate("document.body.innerText"))

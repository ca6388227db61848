"""What the browsers of the walk were told to keep, to fetch and to send: cookies, caches, policies, addresses."""

import re
from urllib.parse import urlsplit

import pytest

from deploy.local.environment import HOSTS
from deploy.local.journey.browser import Browser
from deploy.local.journey.forms import forms_of
from deploy.local.platform import Platform
from tests.privacy.addresses import Address, addresses_of
from tests.privacy.walk import Walk
from tests.privacy.witness import Exchange

OURS = frozenset(HOSTS.values())
PRIVATE = {HOSTS[service] for service in ("dialog", "identity", "helpjourney")}
LANGUAGE = "__Host-spraak"
AT_WORK = ("/ansatt", "/logg-inn/tilbake")
"""Where the staff of the open pages log in; nobody else can there."""
LONGEST = 7200
"""Seconds that a cookie may be kept: as long as a login or a presented secret lives."""
MAY_BE_NAMED = {"www.116111.no", "www.yr.no"}
"""Other hosts that pages above level 1 link to: the emergency chat for children, and where the quick exit leads."""
ELSEWHERE = re.compile(r"""url\(\s*["']?(?:https?:)?//|@import[^;]*//|(?:fetch|import|sendBeacon)\(\s*["'](?:https?:)?//""")
"""In a style sheet or script: something that is asked for from another host."""


def ours(walk: Walk) -> list[Exchange]:
    """What our own services answered; strange methods are answered by the HTTP parser, before any service sees them."""
    return [seen for seen in walk.seen if seen.host in OURS and not seen.method.startswith("ZQX")]


def read_cookie(header: str) -> tuple[str, str, dict[str, str]]:
    """Name, value and attributes (names in lower case) of a Set-Cookie."""
    (name, value), *rest = [part.strip().partition("=")[::2] for part in header.split(";")]
    return name, value, {key.lower(): content for key, content in rest}


def cookies(walk: Walk) -> list[tuple[Exchange, str, str, dict[str, str]]]:
    """Every Set-Cookie of ours, with its answer."""
    return [(seen, *read_cookie(header)) for seen in ours(walk) for header in seen.headers.get_list("set-cookie")]


def faults(name: str, attributes: dict[str, str]) -> list[str]:
    """What would let a script, another service or a later day have the cookie."""
    found = {
        "prefix": not name.startswith("__Host-"),
        "secure": "secure" not in attributes,
        "httponly": "httponly" not in attributes,
        "domain": "domain" in attributes,
        "path": attributes.get("path") != "/",
        "samesite": attributes.get("samesite", "").lower() not in {"lax", "strict"},
        "kept": int(attributes.get("max-age", 0)) > LONGEST or ("expires" in attributes and attributes.get("max-age") != "0"),
    }
    return [fault for fault, is_there in found.items() if is_there]


def test_every_cookie_belongs_to_its_host_alone(walk: Walk) -> None:
    """INVARIANT: `__Host-`, Secure, HttpOnly, SameSite, without a Domain: no script and no other service can read or set it."""
    assert len(cookies(walk)) > 50
    assert {
        f"{name} at {seen.path}": faults(name, attributes) for seen, name, _, attributes in cookies(walk) if faults(name, attributes)
    } == {}


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax", []),
        ("a=1; Path=/; Secure; HttpOnly; SameSite=Lax", ["prefix"]),
        ("__Host-a=1; Path=/; Domain=localhost; Secure; HttpOnly; SameSite=Lax", ["domain"]),
        ("__Host-a=1; Path=/chat; SameSite=None; Max-Age=9000", ["secure", "httponly", "path", "samesite", "kept"]),
    ],
)
def test_a_cookie_without_its_protection_is_noticed(header: str, found: list[str]) -> None:
    name, _, attributes = read_cookie(header)
    assert faults(name, attributes) == found


def test_no_cookie_reaches_another_service(walk: Walk) -> None:
    """INVARIANT: what one host gave a browser to keep is never sent to another, in an address or a cookie, nor known to another."""
    given: dict[str, set[str]] = {host: set() for host in OURS}
    for seen, _, value, attributes in cookies(walk):
        if len(value) > 20 and attributes.get("max-age") != "0":  # not a language code
            given[seen.host].add(value)
    assert all(given[host] for host in PRIVATE)
    for seen in walk.seen:
        others = {value for host, values in given.items() if host != seen.host for value in values}
        exchanged = f"{seen.url} {seen.sent_cookies} {seen.headers.multi_items()} {seen.html}"
        assert [value for value in others if value in exchanged] == [], seen.url


def test_level_1_keeps_only_the_choice_of_language(walk: Walk) -> None:
    """INVARIANT: who reads and searches gets no cookie; the staff's login is another matter."""
    read = [entry for entry in cookies(walk) if entry[0].host == HOSTS["info"] and not entry[0].path.startswith(AT_WORK)]
    assert {name for _, name, _, attributes in read if attributes.get("max-age") != "0"} == {LANGUAGE}
    assert {value for _, name, value, _ in read if name == LANGUAGE} <= {"nb", "nn", "se", "en"}


def test_nothing_above_level_1_is_kept_in_a_cache(walk: Walk) -> None:
    """INVARIANT: the back button and a shared machine show nothing: no-store on levels 2 and 3, and on all pages of staff."""
    private = [seen for seen in ours(walk) if seen.host in PRIVATE or seen.path.startswith("/ansatt")]
    pages = [seen for seen in private if not seen.path.startswith("/static/")]
    assert len(pages) > 200
    assert [(seen.method, seen.path, seen.status) for seen in pages if seen.headers.get("cache-control") != "no-store"] == []
    assert [seen.path for seen in ours(walk) if "set-cookie" in seen.headers and seen.headers.get("cache-control") != "no-store"] == []


def test_every_answer_has_the_policies(walk: Walk) -> None:
    """INVARIANT: no referrer to others, nothing inline, nothing from elsewhere, no framing."""
    for seen in ours(walk):
        where = f"{seen.method} {seen.url} {seen.status}"
        assert seen.headers["referrer-policy"] == "same-origin", where
        assert seen.headers["x-content-type-options"] == "nosniff", where
        policy = {rule.split()[0]: rule.split()[1:] for rule in seen.headers["content-security-policy"].split(";")}
        assert policy["default-src"] == ["'none'"], where
        assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"], where
        assert "unsafe" not in seen.headers["content-security-policy"], where
        fetched = {source for name, sources in policy.items() if name.endswith("-src") for source in sources}
        assert fetched <= {"'none'", "'self'", "data:"}, where
        assert "strict-transport-security" not in seen.headers, where


def test_only_the_page_with_the_secret_may_post_to_another_service(walk: Walk, platform: Platform) -> None:
    """INVARIANT: forms go to the own host; the one that carries the secret goes to helpjourney, and to nobody else."""
    other = {f"http://{host}:{platform.addresses.gateway_port}" for host in OURS}
    for seen in ours(walk):
        targets = re.search(r"form-action ([^;]*)", seen.headers["content-security-policy"])
        named = other & set(targets[1].split()) if targets else set()
        carrying = seen.is_page and any(form.action.endswith("/inn") and "secret" in form.fields for form in forms_of(seen.html, seen.url))
        assert named == ({platform.urls["helpjourney"]} if carrying and seen.host == HOSTS["dialog"] else set()), seen.url


def all_addresses(walk: Walk) -> list[tuple[Exchange, Address]]:
    return [(seen, address) for seen in ours(walk) if seen.is_page for address in addresses_of(seen.html, seen.url)]


def test_no_page_fetches_anything_from_elsewhere(walk: Walk) -> None:
    """INVARIANT: a browser that shows a page of ours asks nobody else for anything, and no form goes elsewhere."""
    found = all_addresses(walk)
    assert sum(address.is_fetched for _, address in found) > 500
    assert {(address.tag, address.host) for seen, address in found if address.is_fetched and address.host not in {seen.host, ""}} == set()
    sent = {(seen.host, address.host) for seen, address in found if address.attribute in {"action", "formaction"}}
    assert {(here, there) for here, there in sent if here != there} <= {(HOSTS["dialog"], HOSTS["helpjourney"])}


def test_links_to_others_say_nothing_of_where_they_were_pressed(walk: Walk) -> None:
    """INVARIANT: above level 1 only the named hosts are linked to; everywhere such a link sends no referrer."""
    for seen, address in all_addresses(walk):
        if address.host in {"", *OURS} or address.is_fetched:
            continue
        assert seen.host == HOSTS["info"] or address.host in MAY_BE_NAMED, f"{address.url} on {seen.url}"
        assert "noreferrer" in address.rel or seen.host == HOSTS["info"], f"{address.url} on {seen.url}"
        assert not urlsplit(address.url).query, address.url


async def test_style_sheets_and_scripts_ask_nobody_else(walk: Walk, platform: Platform) -> None:
    """INVARIANT: what pages fetch from us fetches nothing from others."""
    files = {address.url for _, address in all_addresses(walk) if address.is_fetched and urlsplit(address.url).path.startswith("/static/")}
    assert any(url.endswith(".css") for url in files)
    async with Browser() as browser:
        for url in sorted(files):
            page = await browser.get(url)
            assert page.status == 200, url
            text = re.sub(r"/\*.*?\*/", "", page.html, flags=re.S)
            elsewhere = ELSEWHERE.findall(text)
            assert elsewhere == [], url


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<img src="//tracker.example/p.gif">', "tracker.example"),
        ('<link rel=stylesheet href="https://fonts.example/a.css">', "fonts.example"),
        ('<img srcset="/a.png 1x, https://cdn.example/b.png 2x">', "cdn.example"),
        ('<meta http-equiv="refresh" content="0; url=https://other.example/">', "other.example"),
        ('<iframe src="https://video.example/embed"></iframe>', "video.example"),
    ],
)
def test_an_address_elsewhere_is_noticed(html: str, found: str) -> None:
    assert found in {address.host for address in addresses_of(html, "http://localhost:8080/") if address.is_fetched}

"""Pages broken on purpose, served to a real browser by interception: each lacks one thing, which the checks must notice."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, Route
from webkit.crisis import crisis

from tests.browser.looking import Look, looking
from tests.browser.variants import PLAIN, Variant
from tests.browser.visits import Visit
from tests.browser.windows import Windows

HOST = "http://snakk.localhost:1"
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: https:; frame-src 'self'; form-action 'self'"
NUMBERS = "".join(f'<a href="{line.href}">{line.number}</a> ' for line in crisis().lines)
STYLE = """body { font: 16px/1.5 sans-serif; margin: 16px; color: #111; background: #fff }
a, button { display: inline-block; min-width: 44px; min-height: 44px; color: #004 }
p a { display: inline; min-height: 0 }
:focus-visible { outline: 3px solid #000 }"""
PAGE = """<!doctype html>
<html lang="nb" data-level="anonymous"><head><meta charset="utf-8"><title>Side</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:image/svg+xml,blank"><link rel="stylesheet" href="/site.css"><script src="/own.js" defer></script></head>
<body><header><a href="/">Stegvis</a></header><main><h1>Overskrift</h1><p>Litt tekst, og <a href="/a">en lenke</a>.</p>{main}</main>
<footer>{numbers}</footer></body></html>"""


@dataclass(frozen=True)
class Broken:
    """A page, whole but for what is said here."""

    main: str = ""
    css: str = ""
    script: str = ""
    html: str = ""
    """The whole page instead."""
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    """Path -> media type and content."""
    frames: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Path of an empty frame -> its headers."""

    def text(self) -> str:
        return self.html or PAGE.format(main=self.main, numbers=NUMBERS)


def bare(body: str, attributes: str = "lang=nb data-level=anonymous", title: str = "Side") -> str:
    """A page without what all have."""
    return f"<!doctype html><html {attributes}><title>{title}</title><body>{body}</body></html>"


NOISE = random.Random(1).randbytes(70_000)  # doesn't get smaller by compression


def served(browser: Browser, page: Broken, path: str = "/side") -> Windows:
    """Windows in which this page stands at `HOST + path`, with nothing behind it."""

    async def serve(route: Route) -> None:
        asked = route.request.url.removeprefix(HOST)
        if not route.request.url.startswith(HOST):
            await route.fulfill(status=200, content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>")
        elif asked == path:
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": POLICY, **page.headers}
            await route.fulfill(headers=headers, body=page.text())
        elif asked in page.files:
            kind, content = page.files[asked]
            await route.fulfill(status=200, content_type=kind, body=content)
        elif asked in page.frames:
            await route.fulfill(headers={"Content-Type": "text/html", **page.frames[asked]}, body="<p>Tom</p>")
        elif asked == "/site.css":
            await route.fulfill(status=200, content_type="text/css", body=STYLE + page.css)
        elif asked == "/own.js":
            await route.fulfill(status=200, content_type="application/javascript", body=page.script)
        else:
            await route.fulfill(status=404, body="Not here")

    return Windows(browser, serve)


@asynccontextmanager
async def shown(
    browser: Browser, page: Broken, variant: Variant = PLAIN, path: str = "/side", *, javascript: bool = True
) -> AsyncIterator[Look]:
    """Opens it in the same way as a page of ours."""
    async with served(browser, page, path) as windows, looking(windows, Visit(HOST + path), variant, javascript=javascript) as look:
        yield look

"""How long the services take over each page that a youth meets, in every state that can be brought about, one request at a time."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from bench.pages_load import Answer, Ask, Connections, one_at_a_time
from bench.results import Progress
from deploy.local.platform import Platform
from tests.browser.page_list import ANYWHERE, CATALOGUE, CHATS, DEMO, OTHERS
from tests.browser.scene import Scene
from tests.browser.visits import LoginVisit, Row, Visit

READS, POSTS = 20, 3
"""How often a page is read, and a form sent (each time a new one, since the second time is only looked up)."""
WARM = 2
"""Reads before those that count."""
PATIENCE = 45
"""Seconds to bring about a state once."""
STRETCHING = {"helpjourney POST /inn/kode", "helpjourney POST /inn", "dialog POST /videre"}
"""Service and route where argon2id runs."""
HEADERS = "Accept: text/html\r\nAccept-Encoding: gzip\r\nAccept-Language: nb\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n"


@dataclass
class Page:
    """One row of the page list and its answers."""

    row: Row
    answers: list[Answer] = field(default_factory=list)
    problem: str = ""
    """Why it couldn't be measured."""

    @property
    def stretches(self) -> bool:
        """Whether argon2id may run."""
        return f"{self.row.service} {self.row.route}" in STRETCHING


def rows() -> Iterator[Row]:
    """What a youth may meet while all services run, without the catalogue of parts and the demo's start page."""
    left_out = {id(row) for row in (*CATALOGUE, *DEMO)}
    return (row for row in (*OTHERS, *ANYWHERE, *CHATS) if row.who.is_youth and id(row) not in left_out)


async def measure(platform: Platform, progress: Progress) -> list[Page]:
    """Every page past the gateway, so that the time is the service's own."""
    doors = {name: Connections(port) for name, port in platform.addresses.ports.items()}
    scene, pages = Scene(platform), []
    seen: dict[str, int] = defaultdict(int)
    try:
        for row in rows():
            page = Page(row)
            await _measure(scene, page, doors[row.service])
            if page.answers or page.problem:
                pages.append(page)
            seen[row.service] += 1
            if sum(seen.values()) % 20 == 0:
                progress(f"pages one at a time: {sum(seen.values())} states, last {row.name}")
    finally:
        await scene.leave()
        for door in doors.values():
            await door.close()
    return pages


async def _measure(scene: Scene, page: Page, door: Connections) -> None:
    is_read = page.row.route.startswith("GET ")
    try:
        for _ in range(1 if is_read else POSTS):
            async with asyncio.timeout(PATIENCE), page.row.reach(scene) as visit:
                if isinstance(visit, LoginVisit):
                    return  # begins at the provider: most of the time would be that one's
                ask = _ask(visit)
                page.answers += (await one_at_a_time(door.send, ask, WARM + READS))[WARM:] if is_read else [await _once(door, ask)]
    except Exception as error:  # whatever it is, the other pages are measured
        page.problem = f"{type(error).__name__}: {error}"[:300]


async def _once(door: Connections, ask: Ask) -> Answer:
    return (await one_at_a_time(door.send, ask, 1))[0]


def _ask(visit: Visit) -> Ask:
    """The visit as a browser on the page before would send it."""
    url = urlsplit(visit.url)
    cookies = "; ".join(f"{name}={value}" for (host, name, _), value in visit.cookies.items() if host == url.hostname)
    headers = HEADERS + (f"Cookie: {cookies}\r\n" if cookies else "")
    path = url.path + (f"?{url.query}" if url.query else "")
    if visit.fields is None:
        return Ask("page", path, url.netloc, headers)
    return Ask("form", path, url.netloc, f"{headers}Origin: {url.scheme}://{url.netloc}\r\n", urlencode(visit.fields).encode())

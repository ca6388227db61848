"""What a browser does to get to a page in a certain state, again and again with the same result."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from playwright.async_api import Page, Response

from deploy.local.journey.browser import Browser as Walker
from deploy.local.journey.forms import Form
from tests.browser.chromium import Cookies

if TYPE_CHECKING:
    from tests.browser.scene import Scene

SEND = """([action, fields]) => {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  for (const [name, value] of fields) {
    const field = document.createElement("textarea");
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  HTMLFormElement.prototype.submit.call(form);
}"""
"""Sends a form as the page itself would: same origin, a navigation, its answer shown as a page."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One way to a page: an address, or a form that is sent (its key makes a second time show the same)."""

    url: str
    cookies: Cookies = field(default_factory=dict)
    fields: tuple[tuple[str, str], ...] | None = None
    """What is posted; None: an ordinary link."""

    async def go(self, page: Page) -> Response:
        """Opens it in a real browser; returns the answer that is shown."""
        if self.fields is None:
            answer = await page.goto(self.url)
        else:
            async with page.expect_navigation() as shown:
                await page.evaluate(SEND, [self.url, [list(each) for each in self.fields]])
            answer = await shown.value
        assert answer is not None, self.url
        return answer


LOG_IN = """([person, level]) => {
  const form = [...document.forms].find((each) => each.elements.level);
  const fields = [...form.elements];
  const listed = fields.filter((each) => each.name === "pid" && each.value === person);
  for (const each of listed) each.checked = true;
  for (const each of fields.filter((each) => each.name === "other")) each.value = listed.length ? "" : person;
  for (const each of fields.filter((each) => each.name === "level")) each.checked = each.value === level;
  HTMLFormElement.prototype.submit.call(form);
}"""
"""Fills in the test login's form."""


@dataclass(frozen=True, slots=True)
class LoginVisit(Visit):
    """Through the provider of the test login, anew each time: its codes are good for one login."""

    person: str = ""
    level: str = "substantial"

    async def go(self, page: Page) -> Response:
        await page.goto(self.url)
        async with page.expect_navigation() as shown:
            await page.evaluate(LOG_IN, [self.person, self.level])
        answer = await shown.value
        assert answer is not None, self.url
        return answer


Reach = Callable[["Scene"], AbstractAsyncContextManager[Visit]]
"""Brings about the state and says how to look at it; takes back afterwards what would disturb others."""


class Who(StrEnum):
    """Who looks."""

    ANYBODY = "anybody"
    YOUTH = "youth"
    KNOWN = "youth, logged in"
    HELPER = "helper"
    PANEL = "panel"
    EDITOR = "editor"
    CLINICIAN = "clinician"
    OPERATOR = "operator"

    @property
    def is_youth(self) -> bool:
        """Whether a youth may be reading."""
        return self in {Who.ANYBODY, Who.YOUTH, Who.KNOWN}


@dataclass(frozen=True, slots=True)
class Row:
    """One page in one state."""

    service: str
    route: str
    """Method and path as the service's table of routes has it, e.g. `GET /hjelp/{service_id}`; for the gateway's own pages the file."""
    state: str
    who: Who
    reach: Reach
    status: int = 200
    has: str = ""
    """A selector that only this state has."""

    @property
    def name(self) -> str:
        """For people and for file names."""
        return f"{self.service} {self.route} ({self.state})"


def at(path: str) -> Reach:
    """By an ordinary link; `path` begins with the service, e.g. `info/sok?q=angst`."""

    @asynccontextmanager
    async def reach(scene: "Scene") -> AsyncIterator[Visit]:
        service, _, rest = path.partition("/")
        yield Visit(f"{scene.urls[service]}/{rest}")

    return reach


def by_link(walker: Walker, url: str) -> Visit:
    """With what this walker's browser keeps."""
    return Visit(url, dict(walker.cookies))


def by_form(walker: Walker, form: Form, values: Mapping[str, str] | None = None, *, button: str = "") -> Visit:
    """The form as it stands, filled in; `values` may hold what no person could choose."""
    pressed = {name: value for text, name, value in form.buttons if button and button.lower() in text.lower() and name}
    sent = {**form.fields, **pressed, **(values or {})}
    return Visit(form.action, dict(walker.cookies), tuple(sent.items()))

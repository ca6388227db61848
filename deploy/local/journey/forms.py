"""Reads forms, links and text out of HTML, as a browser without JavaScript sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

_UNSEEN = {"script", "style", "template", "title"}
_BLOCKS = {"p", "div", "li", "h1", "h2", "h3", "td", "th", "tr", "dd", "dt", "section", "label", "button", "br", "legend", "output"}


@dataclass(slots=True)
class Form:
    """A form as it stands on the page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    """Field name -> the value it would be sent with; unchecked boxes and radios are left out, but known in `choices`."""
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """Text, name and value of each submit button."""

    def has_button(self, text: str) -> bool:
        return not text or any(text.lower() in button[0].lower() for button in self.buttons)

    def filled(self, values: Mapping[str, str], button: str = "") -> dict[str, str]:
        """What is sent. Raises AssertionError for a field or choice that the form doesn't have: a person couldn't either."""
        for name, value in values.items():
            assert name in self.fields or name in self.choices, (
                f"{self.action}: no field {name!r} among {sorted({*self.fields, *self.choices})}"
            )
            offered = self.choices.get(name)
            assert offered is None or value in offered, f"{self.action}: {name} offers {offered}, not {value!r}"
        pressed = next((pressed for pressed in self.buttons if button and button.lower() in pressed[0].lower()), None)
        named = {pressed[1]: pressed[2]} if pressed and pressed[1] else {}
        return self.fields | dict(values) | named


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self.forms, self.links, self.words, self.title = url, [], [], [], ""
        self._form: Form | None = None
        self._select: str | None = None
        self._textarea: str | None = None
        self._button: list[str] | None = None
        self._unseen: list[str] = []

    forms: list[Form]
    links: list[str]
    words: list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self.words.append("\n")
        if tag in _UNSEEN:
            self._unseen.append(tag)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(urljoin(self.url, given.get("action", "")), given.get("method", "get").upper())
            self.forms.append(self._form)
        elif self._form:
            self._start_control(tag, given, self._form)

    def _start_control(self, tag: str, given: dict[str, str], form: Form) -> None:
        name = given.get("name", "")
        if tag == "input":
            self._input(given, name, form)
        elif tag == "textarea" and name:
            self._textarea = name
            form.fields[name] = ""
        elif tag == "select" and name:
            self._select = name
            form.choices[name] = []
        elif tag == "option" and self._select:
            value = given.get("value", "")
            form.choices[self._select].append(value)
            if "selected" in given or self._select not in form.fields:
                form.fields[self._select] = value
        elif tag == "button" and given.get("type", "submit") == "submit":
            form.buttons.append(("", name, given.get("value", "")))
            self._button = []

    def _input(self, given: dict[str, str], name: str, form: Form) -> None:
        kind = given.get("type", "text").lower()
        if kind in {"submit", "image"}:
            form.buttons.append((given.get("value", ""), name, given.get("value", "")))
        elif name and kind in {"radio", "checkbox"}:
            form.choices.setdefault(name, []).append(given.get("value", "on"))
            if "checked" in given:
                form.fields[name] = given.get("value", "on")
        elif name and kind not in {"button", "reset", "file"}:
            form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None
        elif tag == "button" and self._button is not None and self._form:
            _, name, value = self._form.buttons[-1]
            self._form.buttons[-1] = (" ".join("".join(self._button).split()), name, value)
            self._button = None
        if self._unseen and self._unseen[-1] == tag:
            self._unseen.pop()

    def handle_data(self, data: str) -> None:
        if self._textarea and self._form:
            self._form.fields[self._textarea] += data.removeprefix("\n") if not self._form.fields[self._textarea] else data
        if self._button is not None:
            self._button.append(data)
        if self._unseen and self._unseen[-1] == "title":
            self.title += data
        elif not self._unseen:
            self.words.append(data)


def _read(html: str, url: str = "") -> _Reader:
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return reader


def forms_of(html: str, url: str) -> list[Form]:
    """The forms of a page, with absolute actions."""
    return _read(html, url).forms


def links_of(html: str) -> list[str]:
    """The addresses of all links."""
    return _read(html).links


def text_of(html: str) -> str:
    """What a person reads, white space folded."""
    return " ".join("".join(_read(html).words).split())


def title_of(html: str) -> str:
    """The page's title."""
    return " ".join(_read(html).title.split())

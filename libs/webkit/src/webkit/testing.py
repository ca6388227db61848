"""Reads rendered pages in tests, as a browser without script would."""

from dataclasses import dataclass
from html.parser import HTMLParser

LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data", "use": "href"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag."""

    name: str
    attributes: dict[str, str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Tag(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.found.append(Tag("/form", {}))


def tags(html: str, name: str | None = None) -> list[Tag]:
    """The page's start tags in order, or those called `name`."""
    return [tag for tag in _read(html) if tag.name != "/form" and name in (None, tag.name)]


def loaded(html: str) -> list[str]:
    """What a browser fetches by itself while it shows the page."""
    return [tag.attributes[LOADED[tag.name]] for tag in tags(html) if LOADED.get(tag.name, "") in tag.attributes]


def links(html: str) -> list[str]:
    """Where the page's links lead."""
    return [tag.attributes["href"] for tag in tags(html, "a") if "href" in tag.attributes]


def form_fields(html: str, action: str) -> dict[str, str]:
    """The inputs of the first form with this action, as they would be posted untouched. KeyError without such a form."""
    inside = False
    fields: dict[str, str] = {}
    for tag in _read(html):
        if tag.name == "form" and tag.attributes.get("action") == action:
            inside = True
        elif tag.name == "/form" and inside:
            return fields
        elif inside and tag.name == "input" and "name" in tag.attributes:
            unticked = tag.attributes.get("type") in ("radio", "checkbox") and "checked" not in tag.attributes
            if not unticked:
                fields[tag.attributes["name"]] = tag.attributes.get("value", "")
    raise KeyError(action)


def _read(html: str) -> list[Tag]:
    reader = _Reader()
    reader.feed(html)
    return reader.found

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


def tags(html: str, name: str | None = None) -> list[Tag]:
    """The page's start tags in order, or those called `name`."""
    reader = _Reader()
    reader.feed(html)
    return [tag for tag in reader.found if name in (None, tag.name)]


def loaded(html: str) -> list[str]:
    """What a browser fetches by itself while it shows the page."""
    return [tag.attributes[LOADED[tag.name]] for tag in tags(html) if LOADED.get(tag.name, "") in tag.attributes]


def links(html: str) -> list[str]:
    """Where the page's links lead."""
    return [tag.attributes["href"] for tag in tags(html, "a") if "href" in tag.attributes]

"""Every address that a page names, and what a browser would do with it."""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

ATTRIBUTES = {"href", "src", "action", "formaction", "srcset", "data", "poster", "cite", "ping", "background", "manifest"}
LINKS = {"a", "area"}
"""A browser goes there only when somebody presses."""


@dataclass(frozen=True)
class Address:
    """One address on one page."""

    tag: str
    attribute: str
    url: str
    """Absolute."""
    rel: str = ""

    @property
    def host(self) -> str:
        """Empty for tel:, mailto: and data:."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_fetched(self) -> bool:
        """The browser asks for it by itself."""
        return self.tag not in LINKS and self.attribute not in {"action", "formaction", "cite"}


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.found: list[Address] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            for one in value.split(",") if name == "srcset" else [value]:
                if name in ATTRIBUTES and one.strip():
                    self.found.append(Address(tag, name, urljoin(self.url, one.split()[0]), given.get("rel", "")))
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.found.append(Address(tag, "refresh", urljoin(self.url, given.get("content", "").rpartition("=")[2])))


def addresses_of(html: str, url: str) -> list[Address]:
    """In the page's order."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return reader.found

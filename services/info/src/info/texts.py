"""Markdown as readers get it: no HTML of the writer's own, no pictures, links only where links may lead."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape


def _may_lead(url: str) -> bool:
    """Asked with the address percent-encoded."""
    parts = urlsplit(url)
    return parts.scheme in ("https", "tel") or (not parts.scheme and not parts.netloc and url.startswith("/") and "%5C" not in url.upper())


_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False}).disable(["image", "html_block", "html_inline", "autolink"])
_MARKDOWN.validateLink = _may_lead  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as readers get it."""

    html: Markup
    headings: tuple[tuple[str, str], ...]
    """Fragment and words of each heading of the second level, for a list of contents."""


@lru_cache(maxsize=512)
def to_html(markdown: str) -> Rendered:
    """The text as HTML that is safe to show."""
    tokens = _MARKDOWN.parse(markdown)
    headings: list[tuple[str, str]] = []
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open" and heading.tag == "h2":
            headings.append((f"del-{len(headings) + 1}", _words(inline)))
            heading.attrSet("id", headings[-1][0])
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Rendered(Markup(html), tuple(headings))  # noqa: S704 - html is off, links are checked


def paragraphs(text: str) -> list[str]:
    """What was written without markup, by paragraph; the template escapes it."""
    return [paragraph for paragraph in (part.strip() for part in text.split("\n\n")) if paragraph]


def plain_text(markdown: str) -> str:
    """The words alone, one paragraph a line."""
    lines = (_words(token) for token in _MARKDOWN.parse(markdown) if token.type in ("inline", "fence", "code_block"))
    return "\n".join(line for line in lines if line)


def _words(token: Token) -> str:
    if token.children is None:
        return token.content.strip()
    return "".join(" " if child.type in ("softbreak", "hardbreak") else child.content for child in token.children).strip()


MARKED = ("\x02", "\x03")
"""What the database puts around a hit: control characters, which no text here holds (see `without_controls`)."""


def without_controls(text: str) -> str:
    """The text without control characters but line ends and tabs: PostgreSQL takes no NUL, and `MARKED` must stay ours."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")


def snippet(headline: str, start: str | None = None) -> Markup:
    """A headline from the database as HTML: everything escaped, hits in <mark>.

    `start`: how the whole text begins; a headline from further on gets dots in front.
    """
    opening, closing = MARKED
    plain = headline.replace(opening, "").replace(closing, "")
    dots = "" if start is None or start.startswith(plain[: len(start)]) or plain.startswith(start) else "… "
    marked = str(escape(" ".join(headline.split()))).replace(opening, "<mark>").replace(closing, "</mark>")
    return Markup(dots + marked)  # noqa: S704 - escaped above


def as_asked(query: str) -> str:
    """What somebody typed in a search box as it may stand on a page: on one line, nothing unseen, no towers of accents."""
    seen = "".join(c if c.isprintable() or c.isspace() else "" for c in unicodedata.normalize("NFC", query))
    return re.sub(r"[\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{2,}", "", " ".join(seen.split()))

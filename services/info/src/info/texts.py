"""Markdown as readers get it: no HTML of the writer's own, no pictures, links only where links may lead."""

import unicodedata
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


def to_html(markdown: str) -> Markup:
    """The text as HTML that is safe to show."""
    return Markup(_MARKDOWN.render(markdown))  # noqa: S704 - html is off, links are checked


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


def snippet(headline: str) -> Markup:
    """A headline from the database as HTML: everything escaped, hits in <mark>."""
    opening, closing = MARKED
    marked = str(escape(headline)).replace(opening, "<mark>").replace(closing, "</mark>")
    return Markup(marked)  # noqa: S704 - escaped above

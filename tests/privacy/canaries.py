"""Canaries: texts that are nowhere else in the world, each typed into one input, and how to find them however they were written."""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Protocol
from urllib.parse import quote

MARKER = "zqxkvwjh"
"""Every made-up word begins with this, so that one look at a large file tells whether any of them is there."""
LETTERS = "bcdfghjklmnpqrstvwxz"
NEAR = 400
"""Bytes on each side of a marker in which the whole word is looked for; more than any encoding needs."""
FEW_DIGITS = 10
"""Fewer than so many are inside an id or a longer number by chance, once in some thousand runs: there they aren't looked for."""
HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF")


class Searchable(Protocol):
    """Bytes, or a file that is mapped into memory."""

    def find(self, sub: bytes, start: int = 0, /) -> int: ...
    def __getitem__(self, place: slice, /) -> bytes: ...


@dataclass(frozen=True)
class Canary:
    """What was typed into one input, under a name that the table of allowed places uses."""

    name: str
    text: str
    """As it was typed, or enough of it to know it by."""
    forms: frozenset[bytes]
    """Every way in which it could lie somewhere."""
    plain: frozenset[bytes]
    """As characters only."""

    @property
    def is_marked(self) -> bool:
        return self.text.startswith(MARKER)


@dataclass
class Canaries:
    """Those that one walk planted, by name."""

    planted: dict[str, Canary] = field(default_factory=dict)

    def word(self, name: str) -> str:
        """A new word to type into the input `name`; the same word when the name was used before."""
        if name not in self.planted:
            text = MARKER + "".join(secrets.choice(LETTERS) for _ in range(12))
            needle = text[:-3]  # a stemmer may cut the end off
            self.planted[name] = Canary(name, text, frozenset(forms_of(needle)), frozenset([needle.encode()]))
        return self.planted[name].text

    def sentence(self, name: str) -> str:
        """A sentence around such a word."""
        return f"Jeg tenker på {self.word(name)} hele tida."

    def digits(self, name: str, text: str, *spellings: str) -> str:
        """A number, address or name of a real kind. So few are possible that a plain hash would give it away too."""
        needles = (text, *spellings)
        forms = frozenset(form for needle in needles for form in (*forms_of(needle), *hashes_of(needle)))
        self.planted[name] = Canary(name, text, forms, frozenset(needle.encode() for needle in needles))
        return text

    def credential(self, name: str, text: str) -> str:
        """What opens something: a code, a secret, a cookie. Shown to one person once."""
        plain = {text, text.lower(), text.replace("-", ""), text.replace("-", "").lower()}
        forms = {form.encode() for form in plain} | {form for spelling in plain for form in hashes_of(spelling)}
        if raw := _raw(text):
            forms |= {raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), *hashes_of(raw)}
        self.planted[name] = Canary(name, text, frozenset(forms), frozenset(form.encode() for form in plain))
        return text

    def found_in(self, content: bytes) -> set[str]:
        """The names of those that `content` holds, in any form."""
        marked, others = self._sorted()
        near = _around(content, _MARKERS)
        return _found(marked, near) | _found(others, content)

    def found_plainly_in(self, content: Searchable) -> set[str]:
        """As `found_in`, for large files: all but the marked words as plain characters only."""
        marked, others = self._sorted()
        near = _around(content, _MARKERS)
        return _found(marked, near) | {canary.name for canary in others if any(_holds(content, form) for form in canary.plain)}

    def _sorted(self) -> tuple[list[Canary], list[Canary]]:
        marked = [canary for canary in self.planted.values() if canary.is_marked]
        return marked, [canary for canary in self.planted.values() if not canary.is_marked]


def forms_of(text: str) -> Iterator[bytes]:
    """A text as bytes: plain, in other encodings, quoted, escaped, hexadecimal, base64 at any offset."""
    for spelling in {text, text.lower(), text.upper()}:
        raw = spelling.encode()
        yield from (
            raw,
            spelling.encode("latin-1", "replace"),
            spelling.encode("utf-16-le"),
            raw.hex().encode(),
            raw.hex().upper().encode(),
        )
        yield from (quote(spelling, safe="").encode(), json.dumps(spelling)[1:-1].encode(), escape(spelling).encode())
        yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    """The characters that every base64 of something with `raw` inside has, at each of the three offsets."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        first, last = (offset * 8 + 5) // 6, (offset + len(raw)) * 8 // 6
        yield from (encoded[first:last], encoded[first:last].replace(b"+", b"-").replace(b"/", b"_"))


def hashes_of(text: str | bytes) -> Iterator[bytes]:
    """Plain digests, as bytes, hexadecimal and base64."""
    raw = text if isinstance(text, bytes) else text.encode()
    for name in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(name, raw).digest()
        yield from (digest, digest.hex().encode(), base64.b64encode(digest).rstrip(b"="), base64.urlsafe_b64encode(digest).rstrip(b"="))


def _raw(text: str) -> bytes | None:
    """The 32 bytes that a secret stands for, if it is one."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return raw if len(raw) == 32 else None


_MARKERS = frozenset(forms_of(MARKER))


def _around(content: Searchable, markers: Iterable[bytes]) -> bytes:
    """What stands near the markers. The words are then looked for in it, which is little, instead of in all of the content."""
    found = []
    for marker in markers:
        place = content.find(marker)
        while place >= 0:
            found.append(content[max(0, place - NEAR) : place + NEAR])
            place = content.find(marker, place + NEAR // 2)
    return b"\n".join(found)


def _found(canaries: Iterable[Canary], content: bytes) -> set[str]:
    return {canary.name for canary in canaries if any(_holds(content, form) for form in canary.forms)}


def _holds(content: Searchable, form: bytes) -> bool:
    place = content.find(form)
    while place >= 0 and form.isdigit() and len(form) < FEW_DIGITS and _is_inside(content, place, place + len(form)):
        place = content.find(form, place + 1)
    return place >= 0


def _is_inside(content: Searchable, begins: int, ends: int) -> bool:
    """Whether it is a part of a longer number, hexadecimal or not."""
    return not HEXADECIMAL.isdisjoint(content[max(0, begins - 1) : begins] + content[ends : ends + 1])


def is_allowed(name: str, place: str, table: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the table says that the canary `name` may be in `place`. A place of the table may end in `*`."""
    return any(place.startswith(known[:-1]) if known.endswith("*") else place == known for known in table.get(name, ()))


def leaks(found: Mapping[str, set[str]], table: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What lies where it must not, given the names found by place."""
    return sorted(f"{name} in {place}" for place, names in found.items() for name in names if not is_allowed(name, place, table))

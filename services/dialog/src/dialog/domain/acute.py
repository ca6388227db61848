"""Which texts a person must see first: listed words and phrases, matched as whole words. Rules only, never likeness."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
APOSTROPHES = re.compile(r"['’‘´`]")
BETWEEN_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class AcuteWords:
    """A list in force. A hit may raise a text in the queue and show the crisis numbers; it never closes, hides or reports."""

    pattern: re.Pattern[str]

    @classmethod
    def of(cls, lines: Iterable[str]) -> Self:
        """One word or phrase a line; `*` ends a word whose endings count too; `#` starts a comment."""
        phrases = [_rule(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]
        return cls(re.compile(rf"(?<!\S)(?:{'|'.join(phrases)})(?!\S)"))

    @classmethod
    def listed(cls) -> Self:
        """The list that the service ships: `acute_words.txt` beside this module."""
        return cls.of(files("dialog.domain").joinpath("acute_words.txt").read_text("utf-8").splitlines())

    def match(self, text: str) -> bool:
        return self.pattern.search(plain(text)) is not None


def plain(text: str) -> str:
    """Lower case words with one space between: no punctuation, apostrophes or invisible characters that would split a word."""
    visible = INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return BETWEEN_WORDS.sub(" ", APOSTROPHES.sub("", visible).casefold()).strip()


def _rule(line: str) -> str:
    words = line.split("#")[0].split()
    return " ".join(re.escape(plain(word)) + (r"\w*" if word.endswith("*") else "") for word in words)

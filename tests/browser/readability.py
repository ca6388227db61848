"""How hard a text is to read: LIX (Björnsson 1968), words per sentence plus the share of words longer than six letters in per cent."""

import re
from collections.abc import Iterable, Mapping
from statistics import fmean

MOST = 35
"""Björnsson: below 30 easy, 30-40 middling."""
FEWEST_WORDS = 40
"""A page with fewer says nothing about its language."""
LONG = 7
"""Letters."""
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
END = re.compile(r"[.!?:]+(?:\s|$)|\n+")


def lix(text: str) -> float:
    """Of a text whose lines end sentences too, as headings, list items and buttons do; 0 without words."""
    sentences = [sentence for sentence in END.split(text) if WORD.search(sentence)]
    words = WORD.findall(text)
    if not words:
        return 0
    return len(words) / len(sentences) + 100 * sum(len(word) >= LONG for word in words) / len(words)


def mean_lix(texts: Iterable[str]) -> float:
    """Of the pages that hold enough words."""
    return fmean([lix(text) for text in texts if len(WORD.findall(text)) >= FEWEST_WORDS] or [0])


def hardest(texts: Mapping[str, str], most: int = 10) -> list[str]:
    """The hardest pages with their LIX."""
    long_enough = {name: lix(text) for name, text in texts.items() if len(WORD.findall(text)) >= FEWEST_WORDS}
    return [f"{name} {value:.0f}" for name, value in sorted(long_enough.items(), key=lambda item: -item[1])[:most]]

"""The explicit list of words that raise the crisis block on the search page, as data of the package."""

from functools import cache
from importlib.resources import files

from info.domain import names_a_crisis


@cache
def phrases() -> tuple[str, ...]:
    """The listed phrases, in the order of the file."""
    lines = (files("info") / "crisis_words.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def calls_for_help(text: str) -> bool:
    """Whether the full crisis block must stand on top of the answer to this search."""
    return names_a_crisis(text, phrases())

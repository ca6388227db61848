"""The explicit list of words that raise the crisis block on the search page, as data of the package."""

from functools import cache
from importlib.resources import files

from info.domain import CrisisWords, plain_words


@cache
def words() -> CrisisWords:
    """The list in force: phrases in the order of the file, and the forms of speech that are read as their words."""
    lines = (files("info") / "crisis_words.txt").read_text(encoding="utf-8").splitlines()
    stated = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    spoken = [line.partition("=")[::2] for line in stated if "=" in line]
    return CrisisWords(
        phrases=tuple(line for line in stated if "=" not in line),
        spoken={form: plain_words(word)[0] for word, forms in spoken for form in plain_words(forms)},
    )


def calls_for_help(text: str) -> bool:
    """Whether the full crisis block must stand on top of the answer to this search."""
    return words().named_in(text)

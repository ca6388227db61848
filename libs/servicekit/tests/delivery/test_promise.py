"""The promise stands in the same words everywhere, and each sentence names tests that exist."""

import re
from pathlib import Path

import pytest
import servicekit

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
README = (HERE.parents[1] / "README.md").read_text()
SENTENCES = (
    "a command answered 2xx is never lost",
    "each event's effect is applied once per consumer",
    "events of one key are applied in order",
    "nothing stays stuck unnoticed for more than 60 s",
)


def plain(text: str) -> str:
    return " ".join(text.replace(">", " ").split()).lower()


@pytest.mark.parametrize("text", [servicekit.__doc__, README, (ROOT / "README.md").read_text()], ids=["docstring", "README", "front page"])
def test_the_promise_is_made_in_these_words(text):
    assert "; ".join(SENTENCES) in plain(text)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_sentence_names_tests_that_exist(sentence):
    [row] = [line for line in README.splitlines() if line.startswith(f"| {sentence} |")]
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", row)
    assert len(named) >= 2
    for file, test in named:
        assert f"def {test}(" in (HERE / file).read_text()


def test_nobody_claims_what_cannot_be_kept():
    words = re.compile("exactly.once deliver", re.IGNORECASE)
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("libs/*/README.md"), *ROOT.glob("services/*/README.md")]
    assert [path.name for path in texts if words.search(path.read_text())] == []

"""Which words put a text first, and which don't."""

import pytest
from dialog.domain.acute import AcuteWords

WORDS = AcuteWords.listed()


@pytest.mark.parametrize(
    "text",
    [
        "Jeg vil ta livet mitt.",
        "jeg VIL DØ",
        "Eg orkar ikkje leve lenger",
        "tenker på selvmordet hele tida",
        "Eg tenkjer på sjølvmord",
        "I want to kill\nmyself",
        "i don’t want to live",
        "I don't want to live anymore",
        "han voldtok meg i helga",
        "vil\u00a0dø",
        "ta  livet -- mitt",
        "selv\u200bmord",
        "(voldtatt)",
        "æ orka itj mer, alt e tungt",
        "har tenkt på selvmrd",
        "selv mord",
        "Jeg tør ikke gå hjem etter skolen.",
        "faren min slår når han har drukket",
        "Mun háliidan jápmit",
    ],
)
def test_a_listed_word_is_found_however_it_is_typed(text: str) -> None:
    """INVARIANT: case, line breaks, punctuation and invisible characters don't hide a listed word."""
    assert WORDS.match(text)


@pytest.mark.parametrize(
    "text",
    [
        "Er det normalt å være trøtt?",
        "jeg vil døpe meg",
        "vi skal drepe tid",
        "grape juice",
        "hva er overgang",
        "",
        "   ",
        "jeg vil dørge etter makrell",
        "xselvmord",
    ],
)
def test_a_word_inside_another_word_is_not_found(text: str) -> None:
    assert not WORDS.match(text)


def test_a_starred_word_takes_any_ending_and_the_others_none() -> None:
    words = AcuteWords.of(["# a comment", "", "brann*", "to ord  # why"])
    assert words.match("brannen brenner")
    assert words.match("to ord")
    assert not words.match("to ordene")
    assert not words.match("why")


def test_a_long_text_is_matched_in_no_time() -> None:
    assert not WORDS.match("vil ta slå " * 9_000)


def test_every_language_has_its_own_words() -> None:
    """INVARIANT: someone who writes Nynorsk or English is seen as soon as someone who writes Bokmål."""
    for sentence in ("jeg har lyst til å dø", "eg har lyst til å døy", "i wish i was dead"):
        assert WORDS.match(sentence), sentence

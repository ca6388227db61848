"""Words that no youth should have to read: of the system, of offices, and those that judge. In all texts, Bokmål and Nynorsk."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.checks import ROOT
from tests.browser.readability import MOST, hardest, lix, mean_lix

AVOID: dict[str, str] = {
    # of the code
    r"\bloa\b|sikkerhetsnivå\w*|tryggleiksnivå\w*": "«BankID» eller «MinID»",
    r"\bhandoff\w*|\bclaim\w*|\btoken\w*|\bsession\w*|\bsesjon\w*": "hva det er for den som leser",
    r"\bpayload\w*|\bendpoint\w*|\bbackend\w*": "det samme",
    r"\bautentis\w*|\bautoris\w*|\bpålogging\w*|\bpålogg\w*": "«logge inn», «innlogging»",
    r"\bklikk\w*|\bvennligst\b|\bvenlegst\b": "«trykk», og be uten å bukke",
    r"\bugyldig\w*|\bobligatorisk\w*": "si hva som mangler",
    # of offices
    r"\bbruker(?:en|e|ne|s)\b|\bbrukar(?:en|ar|ane)\b|\bklient(?:en|er)?\b": "«du», «den unge»",
    r"\bihht\b|\bi henhold til\b|\bi samsvar med\b|\bjf\.|\bvedrørende\b|\bvedrørande\b|\bhva angår\b": "«etter», «om»",
    r"\bbistand\w*|\bivareta\w*|\biverksett\w*": "«hjelp», «ta vare på», «gjøre»",
    r"\bforeligg\w*|\bfremkom\w*|\bframbring\w*": "«finnes», «står»",
    r"\bkompetanse\w*|\bproblematikk\w*|\butfordringsbilde\w*|\baktør\w*|\bmålgruppe\w*|\blavterskel\w*": "det konkrete",
    r"\bpsykososial\w*|\bkomorbid\w*|\bsymptomatologi\w*|\bsuicid\w*": "vanlige ord",
    # that judge
    r"\bselvfølgelig\b|\bsjølvsagt\b|\bselvsagt\b|\bbare å\b|\bdet er bare til å\b": "gjør ikke det vanskelige lite",
    r"\bburde ha\b|\bburde visst\b|\bdu må forstå\b|\bdu må skjønne\b|\bta deg sammen\b|\bansvarsløs\w*|\buansvarlig\w*": "dømmer",
    r"\bjunkie\w*|\bnarkoman\w*|\bselvmorder\w*|\bsjølvmordar\w*": "mennesket først",
    r"\bbeg(?:å|ikk)\w* s(?:elv|jøl)mord": "«ta livet sitt»",
}
"""What to avoid (a pattern) -> what to write instead."""
WORDS = re.compile("|".join(f"(?:{pattern})" for pattern in AVOID), re.IGNORECASE)
ALLOWED = {"sesjonen"}
"""Found, and right where it stands."""


def texts() -> Iterator[tuple[str, str]]:
    """Every text in Bokmål (msgids of the catalogues, seeds) and Nynorsk, with where it stands."""
    for file in sorted(ROOT.glob("*/*/src/*/locale/nn/LC_MESSAGES/*.po")):
        for number, line in enumerate(_joined(file.read_text()), 1):
            yield f"{file.relative_to(ROOT)}#{number}", line
    for file in sorted(ROOT.glob("services/*/seeds/**/*.md")):
        if not file.name.endswith(".en.md"):
            yield str(file.relative_to(ROOT)), file.read_text()
    for file in sorted(ROOT.glob("services/*/seeds/*.yaml")):
        yield (
            str(file.relative_to(ROOT)),
            "\n".join(re.findall(r"^\s*(?:nb|nn|description|about|text|name):\s*(.+)$", file.read_text(), re.MULTILINE)),
        )


def _joined(catalogue: str) -> list[str]:
    """The msgids and msgstrs of a catalogue, lines joined."""
    found = re.findall(r'^(?:msgid|msgstr|msgid_plural|msgstr\[\d\])\s+((?:"(?:[^"\\]|\\.)*"\s*)+)', catalogue, re.MULTILINE)
    return ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', each)) for each in found if not each.startswith('""\n"')]


def avoided(text: str) -> list[str]:
    return [match[0] for match in WORDS.finditer(text) if match[0].lower() not in ALLOWED]


def test_no_text_uses_a_word_to_avoid() -> None:
    """INVARIANT: the system's words stay in the code."""
    found = {where: avoided(text) for where, text in texts() if avoided(text)}
    assert len(list(texts())) > 500
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "Vennligst logg inn",
        "Din handoff er claimet",
        "Brukeren må autentiseres",
        "Det er bare å si fra",
        "Han begikk selvmord",
        "Token er utløpt",
    ],
)
def test_a_word_to_avoid_is_noticed(text: str) -> None:
    assert avoided(text)


def test_plain_words_are_not() -> None:
    assert avoided("Du kan logge inn med BankID. Da ser helsesykepleieren det du skrev, og dere finner en tid som passer.") == []


def test_lix_tells_easy_from_hard() -> None:
    easy = "Du kan spørre om alt. Vi svarer deg. Du får en kode. Ta vare på den. " * 5
    hard = "Tilgjengeliggjøring av helseopplysninger forutsetter samtykkekompetanse vurdert av behandlingsansvarlig helsepersonell. " * 5
    assert lix(easy) < 25 < MOST < lix(hard)
    assert lix("") == 0
    assert mean_lix([easy, "Kort."]) == lix(easy)
    assert hardest({"a": easy, "b": hard, "c": "Kort."}, 1)[0].startswith("b ")


def test_lix_follows_its_definition() -> None:
    """Ten words, two sentences, one long word: 10 / 2 + 100 * 1 / 10."""
    assert lix("Jeg liker skolen min godt. Helsesykepleieren hører på meg alltid.") == pytest.approx(5 + 100 * 1 / 10)


def test_articles_are_easy_enough() -> None:
    """The written articles, each; the pages around them are measured by the sweep."""
    articles = {file.name: _body(file) for file in sorted(ROOT.glob("services/info/seeds/articles/*.n[bn].md"))}
    assert len(articles) > 10
    assert mean_lix(articles.values()) <= MOST, hardest(articles)


def _body(file: Path) -> str:
    """Without the head of the file and the marks of Markdown."""
    text = re.sub(r"\A---\n.*?\n---\n", "", file.read_text(), flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)|[*_#>\[]", "", text)

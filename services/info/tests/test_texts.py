"""Markdown from writers becomes HTML that can't harm a reader."""

import pytest
from info.texts import as_asked, paragraphs, plain_text, snippet, to_html, without_controls


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![bilde](http://elsewhere.example/x.png)",
        "[klikk](javascript:alert(1))",
        "[klikk](data:text/html,x)",
        "[klikk](//elsewhere.example/)",
        "[klikk](/\\elsewhere.example)",
        "[klikk](http://elsewhere.example/)",
        "<https://elsewhere.example>",
    ],
)
def test_nothing_foreign_gets_into_the_page(text):
    """INVARIANT: no tag of the writer's own, no picture, no link to where links may not lead."""
    html = to_html(text).html
    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html


def test_links_to_own_pages_numbers_and_secure_sites_stay():
    html = to_html("[a](/hjelp?kanal=chat) [b](tel:116111) [c](https://lovdata.no/)").html
    assert html.count("<a href=") == 3


def test_plain_text_is_the_words_alone():
    assert plain_text("## Hva nå?\n\n- **Vent** i\n  ti [minutter](/x)\n") == "Hva nå?\nVent i ti minutter"


def test_a_snippet_marks_hits_and_escapes_the_rest():
    """INVARIANT: what the database hands out is escaped before the hits are marked."""
    assert snippet("<b>\x02snus\x03</b> & mer") == "&lt;b&gt;<mark>snus</mark>&lt;/b&gt; &amp; mer"


def test_control_characters_of_a_text_are_dropped():
    assert without_controls("a\x00b\x02c\x03\n\td\x85") == "abc\n\td"


def test_a_question_is_split_in_paragraphs():
    assert paragraphs("Hei.\n\n\nJeg lurer på\nnoe.\n\n ") == ["Hei.", "Jeg lurer på\nnoe."]


def test_a_snippet_from_further_on_gets_dots_in_front():
    assert snippet("midt i \x02ordet\x03", "Teksten begynner slik") == "… midt i <mark>ordet</mark>"
    assert (
        snippet("Teksten \x02begynner\x03 slik og går videre", "Teksten begynner slik")
        == "Teksten <mark>begynner</mark> slik og går videre"
    )


def test_headings_can_be_led_to():
    text = to_html("## Hva er **det**?\n\nTekst.\n\n## Hva nå?")
    assert text.headings == (("del-1", "Hva er det?"), ("del-2", "Hva nå?"))
    assert '<h2 id="del-2">' in text.html


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("  får\tikke \n sove ", "får ikke sove"),
        ("sn\u200bus\u202e\u2066", "snus"),
        ("s\u0338\u0322\u0315n\u0337\u0321us", "snus"),
        ("fa\u030ar 😀", "får 😀"),
        ("a\x00b", "ab"),
    ],
)
def test_what_was_typed_comes_back_readable(typed, shown):
    """INVARIANT: no direction marks, nothing unseen and no towers of accents get onto the page."""
    assert as_asked(typed) == shown

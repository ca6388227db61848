"""What a text gives away before it is public. All numbers are synthetic or published examples."""

import time

import pytest
from dialog.domain.persondata import PersonData, find_person_data, is_national_id


@pytest.mark.parametrize("number", ["02013299997", "30108299920"])
def test_a_number_of_the_old_rule_is_a_national_id(number: str) -> None:
    assert is_national_id(number)


def test_a_number_that_only_the_rule_from_2032_allows_is_a_national_id() -> None:
    assert is_national_id("30108299939")


@pytest.mark.parametrize("number", ["30108299921", "00000000000", "12345678901", "3010829992", "3010829992a", "٣٠١٠٨٢٩٩٩٢٠"])
def test_other_digits_are_no_national_id(number: str) -> None:
    assert not is_national_id(number)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("jeg er 30108299920 og redd", PersonData.NATIONAL_ID),
        ("301082 99920", PersonData.NATIONAL_ID),
        ("3 0 1 0 8 2 9 9 9 3 9", PersonData.NATIONAL_ID),
        ("12345678901", PersonData.NATIONAL_ID),
        ("ring 99 88 77 66", PersonData.PHONE),
        ("ring 99887766.", PersonData.PHONE),
        ("ring +47 998 87 766", PersonData.PHONE),
        ("kari.nordmann@eksempel.no", PersonData.EMAIL),
        ("kari [at] eksempel.no", PersonData.EMAIL),
        ("følg meg på @kari_05", PersonData.HANDLE),
        ("snap: kari05", PersonData.HANDLE),
        ("Snapchat er kari05", PersonData.HANDLE),
        ("se https://eksempel.no/kari", PersonData.LINK),
    ],
)
def test_what_points_to_a_person_is_found(text: str, kind: PersonData) -> None:
    assert kind in find_person_data("Tittel", text)


@pytest.mark.parametrize(
    "text",
    [
        "Jeg er 14 år og 162 cm.",
        "Det skjedde 24.12.2025 kl. 18.30.",
        "Ring 116 111 eller 113.",
        "Kari bor i byen",
        "50 000 unge",
        "2024-2025",
    ],
)
def test_ordinary_numbers_and_the_crisis_lines_are_no_finds(text: str) -> None:
    assert find_person_data(text) == frozenset()


@pytest.mark.parametrize("piece", ["x", "1", "a.", "a@", "(at)", "x(at).", "snap", "2-", " "])
def test_a_long_text_without_a_find_is_read_at_once(piece: str) -> None:
    """INVARIANT: nobody can hold up the service for everyone by a text that is hard to look through."""
    began = time.process_time()
    find_person_data(piece * (100_000 // len(piece)))
    assert time.process_time() - began < 3

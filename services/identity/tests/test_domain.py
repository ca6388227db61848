"""The rules, without a network: numbers, ages, requests and proofs."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from contracts.codes import AgeBand, LevelOfAssurance
from identity.domain.ages import age_on, band_of
from identity.domain.clients import (
    InvalidRequestError,
    LoginRequest,
    Scope,
    UnknownClientError,
    proves,
    read_login_request,
    registered,
)
from identity.domain.numbers import InvalidNumberError, Kind, read_number
from identity.domain.providers import Accepted, Proof, Refusal, Staff, judge
from identity_numbers import number_for

TODAY, LATER = date(2026, 11, 24), date(2032, 1, 1)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CLIENTS = registered({"helpjourney": "https://min.example", "dialog": "https://snakk.example"})


@pytest.mark.parametrize("text", ["02013299997", "30108299920"])
def test_numbers_with_both_remainders_zero_hold_under_both_rules(text: str) -> None:
    assert read_number(text, TODAY).digits == text
    assert read_number(text, LATER).digits == text


def test_a_number_of_the_new_rule_holds_from_2032_and_tells_no_century() -> None:
    """From 2032 the first remainder may be 0 to 3, and the day of birth must come from the register."""
    with pytest.raises(InvalidNumberError):
        read_number("30108299939", TODAY)
    with pytest.raises(InvalidNumberError):
        read_number("30108299939", LATER - timedelta(days=1))
    assert read_number("30108299939", LATER).born is None
    assert read_number("30108299920", LATER).born is None


@pytest.mark.parametrize(
    ("parts", "born"),
    [
        ((1, 1, 54, 500), date(1854, 1, 1)),
        ((31, 12, 99, 0), date(1999, 12, 31)),
        ((29, 2, 12, 500), date(2012, 2, 29)),
        ((17, 6, 11, 500), date(2011, 6, 17)),
        ((15, 8, 39, 900), date(2039, 8, 15)),
        ((15, 8, 40, 900), date(1940, 8, 15)),
    ],
)
def test_the_century_follows_from_the_individual_digits(parts: tuple[int, int, int, int], born: date) -> None:
    day, month, year, individual = parts
    assert read_number(number_for(day, month, year, individual), TODAY).born == born
    synthetic = read_number(number_for(day, month + 80, year, individual), TODAY)
    assert (synthetic.born, synthetic.synthetic) == (born, True)
    d_number = read_number(number_for(day + 40, month, year, individual), TODAY)
    assert (d_number.born, d_number.kind, d_number.synthetic) == (born, Kind.D_NUMBER, False)
    both = read_number(number_for(day + 40, month + 80, year, individual), TODAY)
    assert (both.born, both.kind, both.synthetic) == (born, Kind.D_NUMBER, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1786115689",
        "178611568930",
        "17861156894",
        "17861156983",
        "1786115689a",
        "١٧٨٦١١٥٦٨٩٣",
        number_for(30, 2, 11, 500),
        number_for(29, 2, 11, 500),
        number_for(17, 13, 11, 500),
        number_for(17, 46, 11, 500),
        number_for(17, 71, 11, 500),
        number_for(17, 93, 11, 500),
        number_for(0, 6, 11, 500),
        number_for(17, 6, 45, 600),
        number_for(17, 6, 60, 800),
    ],
)
def test_what_no_person_can_have_is_refused(text: str) -> None:
    """Wrong length, check digits, days, months (also of help numbers, month + 40) and pairs never given out."""
    with pytest.raises(InvalidNumberError):
        read_number(text, TODAY)


def test_a_number_never_shows_itself() -> None:
    """INVARIANT: a number that ends up in a log line by mistake says nothing."""
    assert "178611" not in f"{read_number('17861156893', TODAY)!r} {a_proof()!r}"


def test_a_year_is_added_at_midnight_in_oslo() -> None:
    born = date(2013, 11, 25)
    assert band_of(born, datetime(2026, 11, 24, 22, 59, tzinfo=UTC)) is AgeBand.UNDER_13
    assert band_of(born, datetime(2026, 11, 24, 23, 0, tzinfo=UTC)) is AgeBand.FROM_13_TO_15
    summer = date(2010, 6, 1)
    assert band_of(summer, datetime(2026, 5, 31, 21, 59, tzinfo=UTC)) is AgeBand.FROM_13_TO_15
    assert band_of(summer, datetime(2026, 5, 31, 22, 0, tzinfo=UTC)) is AgeBand.FROM_16_TO_17


@pytest.mark.parametrize(
    ("age", "band"),
    [(12, "under_13"), (13, "13_15"), (15, "13_15"), (16, "16_17"), (17, "16_17"), (18, "18_20"), (20, "18_20"), (21, "over_20")],
)
def test_ages_are_told_in_bands(age: int, band: str) -> None:
    assert band_of(date(2026 - age, 11, 24), NOW) == band
    assert band_of(None, NOW) is AgeBand.UNKNOWN


def test_who_is_born_on_leap_day_gets_older_on_the_first_of_march() -> None:
    assert age_on(date(2012, 2, 29), date(2025, 2, 28)) == 12
    assert age_on(date(2012, 2, 29), date(2025, 3, 1)) == 13


def a_request(**changed: Any) -> dict[str, str]:
    sent = {
        "client_id": "helpjourney",
        "redirect_uri": "https://min.example/logg-inn/tilbake",
        "response_type": "code",
        "scope": "openid youth",
        "state": "s" * 43,
        "nonce": "n" * 43,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "acr_values": "idporten-loa-substantial",
    }
    return {name: value for name, value in {**sent, **changed}.items() if value is not None}


def test_a_valid_request_is_read() -> None:
    read = read_login_request(a_request(prompt="login", max_age="0", ui_locales="fr nn"), CLIENTS)
    assert (read.scope, read.level, read.fresh, read.language) == (Scope.YOUTH, LevelOfAssurance.SUBSTANTIAL, True, "nn")
    assert not read_login_request(a_request(), CLIENTS).fresh


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": None},
        {"client_id": "someone"},
        {"redirect_uri": None},
        {"redirect_uri": "https://min.example/logg-inn/tilbake/"},
        {"redirect_uri": "https://min.example/logg-inn/tilbake?x=1"},
        {"redirect_uri": "https://snakk.example/logg-inn/tilbake"},
        {"redirect_uri": "https://min.example.evil.example/logg-inn/tilbake"},
    ],
)
def test_an_unknown_client_or_address_is_answered_nowhere(changed: dict[str, Any]) -> None:
    """INVARIANT: a code is sent to registered addresses only, exact to the letter."""
    with pytest.raises(UnknownClientError):
        read_login_request(a_request(**changed), CLIENTS)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"state": "x" * 600}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "c" * 42}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "youth"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "openid youth staff"}, "invalid_scope"),
        ({"scope": "openid youth admin"}, "invalid_scope"),
        ({"scope": "openid youth", "client_id": "dialog", "redirect_uri": "https://snakk.example/logg-inn/tilbake"}, "invalid_scope"),
        ({"acr_values": "Level4"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "consent"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
    ],
)
def test_a_client_is_told_what_is_wrong(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_login_request(a_request(**changed), CLIENTS)
    assert refused.value.code == code


def test_a_scope_never_gets_less_than_it_needs() -> None:
    """INVARIANT: no client can talk the level of assurance down."""
    work = {"scope": "openid staff", "acr_values": "idporten-loa-low"}
    assert read_login_request(a_request(**work), CLIENTS).level is LevelOfAssurance.HIGH
    assert read_login_request(a_request(acr_values="idporten-loa-low"), CLIENTS).level is LevelOfAssurance.SUBSTANTIAL
    assert read_login_request(a_request(acr_values=None), CLIENTS).level is LevelOfAssurance.SUBSTANTIAL
    assert read_login_request(a_request(acr_values="idporten-loa-high"), CLIENTS).level is LevelOfAssurance.HIGH


def test_a_verifier_belongs_to_one_challenge() -> None:
    """The example of RFC 7636, appendix B."""
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert proves("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", challenge)
    assert not proves("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", challenge)
    assert not proves("short", challenge)
    assert not proves("", challenge)


def a_proof(**changed: Any) -> Proof:
    usual = {"subject": "x", "level": "idporten-loa-substantial", "auth_time": NOW, "session": None, "number": "17861156893", "staff": None}
    return Proof(**{**usual, **changed})


def the_request(**changed: Any) -> LoginRequest:
    return read_login_request(a_request(**changed), CLIENTS)


@pytest.mark.parametrize(
    ("proof", "asked", "outcome"),
    [
        ({}, {}, None),
        ({"level": "idporten-loa-high"}, {}, None),
        ({}, {"acr_values": "idporten-loa-high"}, Refusal.LEVEL_TOO_LOW),
        ({"level": "idporten-loa-low"}, {}, Refusal.LEVEL_TOO_LOW),
        ({"level": "Level4"}, {}, Refusal.LEVEL_TOO_LOW),
        ({"level": ""}, {}, Refusal.LEVEL_TOO_LOW),
        ({"number": None}, {}, Refusal.NO_NATIONAL_ID),
        ({"number": "17861156894"}, {}, Refusal.NUMBER_NOT_ALLOWED),
        ({"number": number_for(17, 6, 11, 500)}, {}, Refusal.NUMBER_NOT_ALLOWED),
        ({"number": number_for(25, 91, 14, 500)}, {}, Refusal.TOO_YOUNG),
        ({"number": number_for(24, 91, 14, 500)}, {}, None),
        ({"auth_time": NOW - timedelta(minutes=20)}, {}, None),
        ({"auth_time": NOW - timedelta(seconds=6)}, {"prompt": "login"}, Refusal.NOT_FRESH),
        ({"auth_time": NOW - timedelta(minutes=20)}, {"max_age": "0"}, Refusal.NOT_FRESH),
        ({"auth_time": NOW + timedelta(seconds=40)}, {"prompt": "login"}, None),
        ({"level": "idporten-loa-high"}, {"scope": "openid staff"}, Refusal.NO_ORGANISATION),
        (
            {"level": "idporten-loa-high", "staff": Staff("300000107", "x", (), None, None), "number": None},
            {"scope": "openid staff"},
            None,
        ),
    ],
)
def test_a_proof_must_be_what_was_asked_for(proof: dict[str, Any], asked: dict[str, Any], outcome: Refusal | None) -> None:
    """INVARIANT: level by rank, freshness by auth_time, a number that this installation takes, and 12 years."""
    judged = judge(a_proof(**proof), the_request(**asked), NOW, synthetic=True)
    assert judged is outcome if outcome else isinstance(judged, Accepted)


def test_production_takes_real_numbers_only_and_a_demonstration_only_synthetic_ones() -> None:
    """INVARIANT: no synthetic person in production, no real one in a demonstration."""
    synthetic, real = a_proof(), a_proof(number=number_for(17, 6, 11, 500))
    assert judge(synthetic, the_request(), NOW, synthetic=False) is Refusal.NUMBER_NOT_ALLOWED
    assert isinstance(judge(real, the_request(), NOW, synthetic=False), Accepted)
    assert judge(real, the_request(), NOW, synthetic=True) is Refusal.NUMBER_NOT_ALLOWED

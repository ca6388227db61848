"""Test-ID-porten and Test-Ansattporten, spoken to over HTTP by a relying party and persons without a script."""

import asyncio
import time
from datetime import date, timedelta

import httpx
import pytest
from joserfc.jwk import RSAKey

from deploy.local.journey.cast import synthetic_number as serial_number
from deploy.local.oidc.launcher import Client, LocalOidc
from deploy.local.oidc.persons import people
from deploy.local.processes import free_ports
from deploy.tests.relying_party import GOODBYE, REDIRECT, Person, RelyingParty, write_jwks

HIGH, SUBSTANTIAL = "idporten-loa-high", "idporten-loa-substantial"
KEY = RSAKey.generate_key(2048, {"use": "sig", "kid": "identity-1"}, private=True)
YOUTHS = {person["name"]: person for person in people()["youths"]}
DAUGHTER = YOUTHS["Lur Oter"]["pid"]
PARENT = YOUTHS["Omtenksom Grevling"]["pid"]


@pytest.fixture(scope="module")
def logout_port():
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def oidc(tmp_path_factory, logout_port):
    folder = tmp_path_factory.mktemp("oidc")
    write_jwks(folder / "identity.json", KEY)
    youths = Client("identity", folder / "identity.json", [REDIRECT], [GOODBYE], f"http://127.0.0.1:{logout_port}/backchannel")
    server = LocalOidc(folder, youths, Client("identity-staff", folder / "identity.json", [REDIRECT], [GOODBYE])).start()
    yield server
    server.stop()


@pytest.fixture
async def idporten(oidc):
    async with httpx.AsyncClient(timeout=30) as http:
        yield RelyingParty(oidc.idporten, "identity", KEY, http)


@pytest.fixture
async def ansattporten(oidc):
    async with httpx.AsyncClient(timeout=30) as http:
        yield RelyingParty(oidc.ansattporten, "identity-staff", KEY, http)


async def log_in(party: RelyingParty, person: Person, pid: str, level: str = "substantial", **request: str) -> dict:
    assert await person.open(await party.push(**request)) is None
    back = await person.submit(pid=pid, level=level)
    assert back is not None, person.html
    return await party.claims(back["code"])


async def test_a_youth_logs_in_and_the_service_learns_her_number_and_level(idporten):
    before = int(time.time())
    claims = await log_in(idporten, Person(), DAUGHTER, acr_values=SUBSTANTIAL, ui_locales="nn nb")
    assert (claims["pid"], claims["acr"], claims["amr"], claims["locale"]) == (DAUGHTER, SUBSTANTIAL, ["Minid-OTC"], "nn")
    assert claims["auth_time"] >= before
    assert claims["nonce"] == idporten.nonce
    assert claims["sub"] != DAUGHTER
    assert claims["sid"]


async def test_a_request_that_was_not_pushed_is_refused(idporten):
    response = await idporten.http.get(f"{idporten.issuer}/auth", params=idporten.parameters())
    assert response.status_code == 400 or "error=invalid_request" in response.headers["location"]


async def test_a_pushed_request_without_pkce_is_refused(idporten):
    parameters = {name: value for name, value in idporten.parameters().items() if not name.startswith("code_challenge")}
    response = await idporten.http.post(f"{idporten.issuer}/request", data=parameters | idporten.assertion())
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_a_client_with_a_strangers_key_is_refused(idporten):
    idporten.key = RSAKey.generate_key(2048, {"use": "sig", "kid": "identity-1"}, private=True)
    response = await idporten.http.post(f"{idporten.issuer}/request", data=idporten.parameters() | idporten.assertion())
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


async def test_a_code_works_once(idporten):
    person = Person()
    await person.open(await idporten.push())
    back = await person.submit(pid=DAUGHTER, level="high")
    assert (await idporten.exchange(back["code"])).status_code == 200
    assert (await idporten.exchange(back["code"])).status_code == 400


async def test_a_live_session_answers_without_a_page_unless_a_fresh_login_is_asked_for(idporten):
    """INVARIANT: prompt=login and max_age show the login page also over a live session."""
    person = Person()
    first = await log_in(idporten, person, PARENT)
    back = await person.open(await idporten.push())
    assert back is not None
    assert (await idporten.claims(back["code"]))["auth_time"] == first["auth_time"]
    assert await person.open(await idporten.push(prompt="login")) is None
    await asyncio.sleep(first["auth_time"] + 1.1 - time.time())  # the provider counts whole seconds
    assert await person.open(await idporten.push(max_age="0")) is None


async def test_a_daughter_logs_in_over_her_parents_session_and_gets_her_own(idporten):
    """INVARIANT: the login that was asked for is of the person who gave it."""
    person = Person()
    parent = await log_in(idporten, person, PARENT)
    claims = await log_in(idporten, person, DAUGHTER, "high", prompt="login")
    assert claims["pid"] == DAUGHTER
    assert claims["sid"] != parent["sid"]
    assert claims["sub"] != parent["sub"]


async def test_too_low_a_level_is_asked_to_step_up(idporten):
    person = Person()
    await log_in(idporten, person, DAUGHTER, "substantial", acr_values=SUBSTANTIAL)
    assert await person.open(await idporten.push(acr_values=HIGH)) is None
    assert await person.submit(pid=DAUGHTER, level="substantial") is None
    assert "Tjenesten ber om et høyere nivå" in person.html
    back = await person.submit(pid=DAUGHTER, level="high")
    assert (await idporten.claims(back["code"]))["acr"] == HIGH


async def test_one_person_always_comes_back_too_low_so_that_services_must_check(idporten):
    claims = await log_in(idporten, Person(), YOUTHS["Uheldig Hakkespett"]["pid"], "high", acr_values=HIGH)
    assert claims["acr"] == SUBSTANTIAL


async def test_an_eid_from_abroad_gives_no_national_number(idporten):
    assert "pid" not in await log_in(idporten, Person(), "langveisfarende-terne")


async def test_a_person_without_bankid_cannot_use_it(idporten):
    person = Person()
    await person.open(await idporten.push())
    assert await person.submit(pid=YOUTHS["Stille Måltrost"]["pid"], level="high") is None
    assert (person.status, 'role="alert"' in person.html) == (422, True)


@pytest.mark.parametrize("number", ["02013299997", "02091253438", "02891253439", "12345678901", "<i>x", ""])
async def test_only_well_formed_synthetic_numbers_get_in(idporten, number):
    """INVARIANT: a number in the form of a real one gets nobody in, and what was written is never shown again.

    The first is well-formed (both check digits) and of a birth date to come: an example of the tax administration.
    """
    person = Person()
    await person.open(await idporten.push())
    assert await person.submit(pid=number, level="substantial") is None
    assert person.status == 422
    assert not number or number not in person.html


async def test_an_unlisted_synthetic_number_gets_in(idporten):
    number = serial_number(1)
    assert (await log_in(idporten, Person(), number))["pid"] == number


async def test_cancelling_leads_back_with_access_denied(idporten):
    person = Person()
    await person.open(await idporten.push())
    back = await person.submit(cancel="yes")
    assert back["error"] == "access_denied"


async def test_logging_out_leads_straight_back_and_tells_the_service(idporten, logout_port):
    told: list[str] = []

    async def listen(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        told.append((await reader.readexactly(length)).decode())
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", logout_port)
    person = Person()
    claims = await log_in(idporten, person, DAUGHTER)
    back = await person.open(f"{idporten.issuer}/session/end?client_id=identity&post_logout_redirect_uri={GOODBYE}&state=s1")
    assert (person.url, back) == (f"{GOODBYE}?state=s1", {"state": "s1"})
    token = await idporten.read(told[0].removeprefix("logout_token="))
    assert (token["sid"], token["aud"]) == (claims["sid"], "identity")
    assert await person.open(await idporten.push()) is None
    server.close()


async def test_logging_out_without_a_session_leads_back_too(idporten):
    person = Person()
    await person.open(f"{idporten.issuer}/session/end?client_id=identity&post_logout_redirect_uri={GOODBYE}")
    assert person.url == GOODBYE


async def test_staff_come_with_organisation_roles_and_unit_and_no_number(ansattporten):
    claims = await log_in(ansattporten, Person(), "clinician-1", "high")
    assert claims["organisation"] == "300000107"
    assert claims["organisation_name"] == "Nordlys bydel, Oslo (oppdiktet)"
    assert claims["roles"] == ["clinician"]
    assert claims["unit"] == "676ed505-5dd2-4467-9a79-2fb88d37fe9b"
    assert claims["hpr_number"] == "990000018"
    assert "pid" not in claims
    assert "hpr_number" not in await log_in(ansattporten, Person(), "helper-1")


async def test_the_two_issuers_share_no_session_in_one_browser(idporten, ansattporten):
    person = Person()
    await log_in(idporten, person, DAUGHTER)
    await log_in(ansattporten, person, "panel-1")
    assert await person.open(await idporten.push()) is not None


async def test_every_page_says_that_it_is_a_test(oidc, idporten):
    person = Person()
    await person.open(await idporten.push())
    fronts = [f"{oidc.idporten}/", f"{oidc.ansattporten}/", f"{oidc.idporten}/auth"]
    pages = [person.html, *[(await person.http.get(url)).text for url in fronts]]
    for html in pages:
        assert "<strong>TEST</strong>" in html
        assert 'lang="nb"' in html
        assert "<script" not in html


DAYS = [date(2026, 11, 26), date(2027, 3, 11), date(2028, 2, 29), date(2029, 6, 30), date(2029, 7, 1), date(2031, 1, 1), date(2031, 12, 31)]


def age_on(born: str, day: date) -> int:
    year, month, of_month = map(int, born.split("-"))
    return day.year - year - ((day.month, day.day) < (month, of_month))


@pytest.mark.parametrize("today", DAYS)
def test_listed_youths_are_as_old_as_the_list_says_on_any_day(today):
    """Also two months before and after: what runs over midnight, and a demo that stays up, means the same all the time."""
    youths = people(today)["youths"]
    for around in (today - timedelta(days=60), today, today + timedelta(days=60)):
        assert {person["name"]: age_on(person["born"], around) for person in youths} == {person["name"]: person["age"] for person in youths}
    assert {person["age"] for person in youths} == {*range(12, 21), 47}


@pytest.mark.parametrize("today", DAYS)
def test_listed_youths_have_synthetic_numbers_that_fit_their_birth(today):
    """INVARIANT: nobody on the page is real."""
    numbers = [person["pid"] for person in people(today)["youths"] if person["pid"]]
    for person in people(today)["youths"]:
        year, month, day = person["born"].split("-")
        assert person["pid"] is None or person["pid"][:6] == f"{day}{int(month) + 80}{year[2:]}"
    assert len(set(numbers)) == len(numbers) == 12
    assert not [number for number in numbers if not right_check_digits(number)]


@pytest.mark.parametrize("today", DAYS)
def test_numbers_by_serial_are_of_youths_of_16_and_nobody_else_has_them(today):
    numbers = [serial_number(serial, today) for serial in range(1000)]
    assert len({*numbers, *(person["pid"] for person in people(today)["youths"])}) == 1000 + len(people(today)["youths"])
    born = [f"20{number[4:6]}-{int(number[2:4]) - 80:02}-{number[:2]}" for number in numbers]
    assert {age_on(each, today) for each in born} == {16}
    assert all(right_check_digits(number) for number in numbers)


def right_check_digits(number: str) -> bool:
    """Modulus 11 (Skatteetaten), the check digits counted in."""
    digits = [int(digit) for digit in number]
    weighted = [zip(digits, weights, strict=False) for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))]
    return all(sum(digit * weight for digit, weight in pairs) % 11 == 0 for pairs in weighted)


async def test_a_listed_person_can_also_be_named_by_number(idporten):
    """She is the same then: the one who always comes back too low does so."""
    unlucky = YOUTHS["Uheldig Hakkespett"]
    by_id = await log_in(idporten, Person(), unlucky["id"], "high", acr_values=HIGH)
    by_number = await log_in(idporten, Person(), unlucky["pid"], "high", acr_values=HIGH)
    assert (by_id["sub"], by_id["pid"], by_id["acr"]) == (by_number["sub"], unlucky["pid"], SUBSTANTIAL)

"""The border page: what travels, the secret that is shown once, and the way back. The whole application, real PostgreSQL."""

import re
from typing import Any

import pytest
from joserfc.jwk import ECKey
from servicekit.claim_secret import TypedCode, lookup_hash, open_summary, read_secret
from servicekit.keys import Keys
from sqlalchemy import text

HOME = "http://snakk.localhost:8080"
CODE = re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}\b")


@pytest.fixture
def receiver(agency_keys: Any) -> ECKey:
    """The private key of the service that receives."""
    [key] = Keys(agency_keys / "keys" / "helpjourney").encryption
    return key


async def test_the_border_shows_what_would_travel_with_nothing_chosen(border_talk: Any) -> None:
    """INVARIANT: by default need and urgency travel, and no sentence."""
    page = await border_talk.border()
    form = page.form("/videre")
    assert (form.fields["need"], form.fields["urgency"]) == ("mental_health", "soon")
    assert form.fields["sentence_1"] == "Jeg sover nesten ikke."
    assert not [name for name in form.fields if name.startswith("include")]
    assert [button[0] for button in form.buttons] == ["Vis nøyaktig hva som blir sendt", "Ja, send dette", "Nei, ikke send noe"]
    variants = re.findall(r'<button[^>]*data-variant="(\w+)"[^>]*name="answer"', page.html)
    assert variants == ["tertiary", "secondary", "secondary"]


async def test_a_preview_shows_what_a_yes_would_send_and_sends_nothing(border_talk: Any, centre: Any, receiver: ECKey) -> None:
    """INVARIANT: what she is shown is what travels."""
    chosen = {"include_2": "yes", "sentence_2": "Søsteren min vet det.", "own": "Jeg er redd."}
    page = await border_talk.border()
    page = await border_talk.youth.submit(page.form("/videre"), chosen, button="Vis nøyaktig")
    shown = re.findall(r'<p dir="auto">([^<]*)</p>', page.html.split('class="preview"')[1].split("</section>")[0])
    assert await centre.told("handoff.offered") == []
    page = await border_talk.youth.submit(page.form("/videre"), {}, button="Ja, send dette")
    (fact,) = await centre.told("handoff.offered")
    secret = read_secret(page.form("/inn").fields["secret"])
    assert open_summary(fact.data["sealed_summary"], secret, receiver).splitlines() == shown == ["Søsteren min vet det.", "Jeg er redd."]


async def test_without_the_helpers_offer_there_is_no_border(browse: Any, border_talk: Any) -> None:
    stranger = browse()
    assert (await stranger.get(f"{HOME}/videre")).status == 404
    form = (await border_talk.border()).form("/videre").fields
    stranger_form = (await stranger.get(f"{HOME}/videre/trekk")).form("/videre/trekk").fields
    answer = await stranger.post(f"{HOME}/videre", form | stranger_form | {"answer": "yes"})
    assert answer.status == 404


async def test_her_no_sends_nothing(border_talk: Any, centre: Any) -> None:
    page = await border_talk.border()
    page = await border_talk.youth.submit(page.form("/videre"), {"include_1": "yes"}, button="Nei, ikke send noe")
    assert page.url == f"{HOME}/chat/samtale#ikke-sendt"
    assert 'id="ikke-sendt"' in page.html
    assert await centre.told("handoff.offered") == []


async def test_on_the_same_device_the_secret_stands_in_one_form_to_the_other_host(border_talk: Any, centre: Any, receiver: ECKey) -> None:
    page = await border_talk.accept(include_1="yes", sentence_1="Jeg sover dårlig.")
    form = page.form("/inn")
    assert form.action == "http://min.localhost:8080/inn"
    assert list(form.fields) == ["secret"]
    assert "http://min.localhost:8080" in page.headers["content-security-policy"].split("form-action")[1].split(";")[0]
    secret = read_secret(form.fields["secret"])
    (fact,) = await centre.told("handoff.offered")
    assert fact.data["lookup_hash"] == lookup_hash(secret)
    assert open_summary(fact.data["sealed_summary"], secret, receiver) == "Jeg sover dårlig."


async def test_only_ticked_sentences_travel_as_she_wrote_them(border_talk: Any, centre: Any, receiver: ECKey) -> None:
    """INVARIANT: what travels is what she chose, word for word, and nothing else."""
    chosen = {"include_1": "yes", "include_3": "yes", "sentence_3": "Helst i morgen.", "own": "Jeg er redd.\nRing ikke hjem."}
    page = await border_talk.accept(**chosen)
    (fact,) = await centre.told("handoff.offered")
    secret = read_secret(page.form("/inn").fields["secret"])
    assert open_summary(fact.data["sealed_summary"], secret, receiver).splitlines() == [
        "Jeg sover nesten ikke.",
        "Helst i morgen.",
        "Jeg er redd.",
        "Ring ikke hjem.",
    ]


async def test_nothing_ticked_sends_no_text(border_talk: Any, centre: Any) -> None:
    await border_talk.accept()
    (fact,) = await centre.told("handoff.offered")
    assert fact.data["sealed_summary"] is None


async def test_a_code_is_shown_once_and_a_repeat_of_the_form_shows_the_same(border_talk: Any, centre: Any, database: Any) -> None:
    """INVARIANT: a repeated yes is one offer and the same code; the code is stored nowhere."""
    page = await border_talk.border()
    sent = page.form("/videre").filled({"device": "other", "life": "14d"}, "Ja, send dette")
    pages = [await border_talk.youth.post(f"{HOME}/videre", sent) for _ in range(2)]
    codes = {found.group() for page in pages if (found := CODE.search(page.text))}
    assert len(codes) == 1
    (fact,) = await centre.told("handoff.offered")
    code = TypedCode.read(codes.pop())
    assert fact.data["locator"] == code.locator
    assert fact.data["lookup_hash"] == lookup_hash(code.stretched(bytes.fromhex(fact.data["salt"])))
    async with database.engine.connect() as connection:
        names = (await connection.scalars(text("select tablename from pg_tables where schemaname = 'public'"))).all()
        for name in names:
            for row in (await connection.execute(text(f'select t::text from "{name}" t'))).scalars():
                assert code.secret not in row


async def test_a_repeat_shows_the_same_also_after_the_chat_is_deleted(border_talk: Any, centre: Any) -> None:
    page = await border_talk.border()
    sent = page.form("/videre").filled({}, "Ja, send dette")
    first = await border_talk.youth.post(f"{HOME}/videre", sent)
    chat = await border_talk.youth.get(f"{HOME}/chat/samtale")
    await border_talk.youth.submit(chat.form("/chat/slett"))
    again = await border_talk.youth.post(f"{HOME}/videre", sent)
    assert first.form("/inn").fields == again.form("/inn").fields
    assert len(await centre.told("handoff.offered")) == 1


async def test_the_chat_stays_open_and_the_helper_sees_that_she_tries(border_talk: Any) -> None:
    await border_talk.accept()
    desk = await border_talk.helper.get(border_talk.desk.url)
    assert "prøver å logge inn" in desk.text
    assert "min.localhost" not in desk.html.split("<footer")[0]
    page = await border_talk.youth.get(f"{HOME}/chat/samtale")
    await border_talk.youth.submit(page.form("/chat/samtale"), {"text": "Det gikk ikke."})
    assert "Den unge er i samtalen" in (await border_talk.helper.get(border_talk.desk.url)).text


async def test_she_takes_it_back_from_the_page_or_with_the_code(border_talk: Any, browse: Any, centre: Any) -> None:
    page = await border_talk.accept()
    done = await border_talk.youth.submit(page.form("/videre/trekk"))
    assert "tatt tilbake" in done.text
    page = await border_talk.accept(device="other")
    code = CODE.search(page.text)
    assert code
    elsewhere = browse()
    field = await elsewhere.get(f"{HOME}/videre/trekk")
    done = await elsewhere.submit(field.form("/videre/trekk"), {"secret": code.group().lower()})
    assert "tatt tilbake" in done.text
    facts = await centre.told("handoff.offered", "handoff.withdrawn")
    assert [fact.sequence for fact in facts] == [1, 2, 1, 2]
    again = await elsewhere.submit(field.form("/videre/trekk"), {"secret": code.group().lower()})
    assert again.status == 200
    assert len(await centre.told("handoff.withdrawn")) == 2


async def test_a_browser_may_not_guess_codes_for_long(browse: Any, centre: Any) -> None:
    browser = browse()
    page = await browser.get(f"{HOME}/videre/trekk")
    statuses = []
    for number in range(12):
        code = str(TypedCode.from_random(bytes([number] * 16)))
        sent = {**page.form("/videre/trekk").fields, "secret": code, "key": f"{number:043}"}
        statuses.append((await browser.post(f"{HOME}/videre/trekk", sent)).status)
    assert statuses == [200] * 10 + [429] * 2


@pytest.mark.parametrize("secret", ["", "1234", "x" * 100_000, "ABCD-EFGH-JKMN-PQRS", "æøå\u202e"])
async def test_a_mistyped_code_is_told_so_without_an_echo_of_much(browse: Any, centre: Any, secret: str) -> None:
    browser = browse()
    page = await browser.get(f"{HOME}/videre/trekk")
    page = await browser.submit(page.form("/videre/trekk"), {"secret": secret})
    assert page.status == 422
    assert "16 tegn" in page.text
    assert len(page.form("/videre/trekk").fields["secret"]) <= 60


@pytest.mark.parametrize(
    "wrong",
    [
        {"need": "nonsense"},
        {"urgency": ""},
        {"device": "other", "life": "99d"},
        {"include_1": "yes", "sentence_1": "a" * 100_000},
        {"own": "\n".join(["linje"] * 13)},
    ],
)
async def test_a_border_form_with_nonsense_sends_nothing_and_keeps_her_text(border_talk: Any, centre: Any, wrong: dict[str, str]) -> None:
    page = await border_talk.border()
    sent = page.form("/videre").filled({"include_2": "yes", "sentence_2": "Min egen setning."}, "Ja, send dette")
    page = await border_talk.youth.post(f"{HOME}/videre", sent | wrong)
    assert page.status == 422
    assert "ds-error-summary" in page.html
    kept = page.form("/videre").fields
    assert (kept["include_2"], kept["sentence_2"]) == ("yes", "Min egen setning.")
    assert await centre.told("handoff.offered") == []


async def test_a_helpers_proposal_that_is_too_long_is_shown_again(border_talk: Any) -> None:
    page = await border_talk.helper.submit(border_talk.desk.form("/videre"), {"need": "school", "summary": "a" * 5000})
    assert page.status == 422
    assert page.form("/videre").fields["summary"] == "a" * 5000


async def test_the_secret_is_in_no_address_and_no_log(border_talk: Any, caplog: Any) -> None:
    """INVARIANT: the secret travels in bodies only."""
    page = await border_talk.accept()
    secret = page.form("/inn").fields["secret"]
    assert secret not in page.url
    assert secret not in caplog.text
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["cache-control"] == "no-store"
    assert page.title == "Side"

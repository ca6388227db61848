"""Every input is given a canary; then everything that the platform writes down is searched for them."""

import base64
import secrets
from collections.abc import Callable
from urllib.parse import quote

import pytest

from deploy.local.platform import Platform
from tests.privacy.addresses import addresses_of
from tests.privacy.by_hand import a_line_in, a_record_with, a_row_with
from tests.privacy.canaries import MARKER, Canaries, leaks
from tests.privacy.sinks import Sinks, look_at_everything, mapped
from tests.privacy.walk import Walk

PUBLISHED = ("kafka:dialog.publications.v1", "database:info.answers", "database:info.search_texts", "files:data/postgres/info/*")
"""An approved answer is for everybody: it goes to info, which shows and indexes it."""
ON_ITS_WAY = ("files:data/postgres/dialog/*", "files:data/kafka/*")
"""It lies in dialog's outbox until Kafka has it, so in the journals of dialog's database too."""
AT_WORK = ("database:dialog.questions", "files:data/postgres/dialog/*")
"""The profession that is shown under an answer ("Lege, <organisation>") is kept with it, readable."""
BORN = ("database:helpjourney.browser_sessions", "files:data/postgres/helpjourney/*")
"""While a login lasts, its session knows the day that decides which help she may have."""
ALLOWED: dict[str, tuple[str, ...]] = {
    "question to publish": PUBLISHED + ON_ITS_WAY,
    "answer to publish": PUBLISHED + ON_ITS_WAY,
    "title to publish": PUBLISHED + ON_ITS_WAY,
    "profession at answer to publish": PUBLISHED + ON_ITS_WAY + AT_WORK,
    "profession at answer": AT_WORK,
    "date of birth": BORN,
    "date of birth of another": BORN,
    "date of birth of one past the gateway": BORN,
    "HPR number": ("database:helpjourney.browser_sessions", "database:helpjourney.views", "files:data/postgres/helpjourney/*"),
}
"""Canary -> where it may lie. All others: nowhere. The national identity number is sealed in identity; summaries, notes, questions,
answers and messages are encrypted under keys of their own; searches, headers and mistakes are not kept at all. The logs of Kafka, the
gateway, the databases and the test login need no exception either."""
MUST_BE_SEEN = {
    "question to publish": "kafka:dialog.publications.v1",
    "answer to publish": "database:info.answers",
    "title to publish": "database:info.search_texts",
    "profession at answer to publish": "database:dialog.questions",
    "date of birth of another": "database:helpjourney.browser_sessions",
}
"""Where something is known to lie: the search has to find it there."""
IN_ADDRESSES = {
    "search words",
    "unknown filter",
    "far too long search words",
    "path",
    "query",
    "unknown address",
    "parameter of a login",
    "wrong date",
}
"""What the walk itself put into an address: a search is an ordinary link to its result."""


def test_no_canary_lies_in_a_record_a_table_a_log_a_span_or_a_metric(walk: Walk, sinks: Sinks) -> None:
    """INVARIANT: what a person types stays with the owner of that page, encrypted, or is kept nowhere."""
    found = {place: walk.canaries.found_in(content) for place, content in sinks.by_place.items()}
    assert leaks(found, ALLOWED) == []
    assert {name: place for name, place in MUST_BE_SEEN.items() if name not in found[place]} == {}


def test_no_canary_lies_in_a_file_of_any_part(walk: Walk, sinks: Sinks) -> None:
    """INVARIANT: the files under tables and topics (journals, segments, what services write) hold nothing readable either."""
    found = {}
    for place, path in sinks.files():
        with mapped(path) as content:
            found[place] = walk.canaries.found_plainly_in(content)
    parts = ("/pg_wal/", "/kafka/", "/services/helpjourney/", ":trust/", ":keys/")
    assert [part for part in parts if not any(part in place for place in found)] == []
    assert leaks(found, ALLOWED) == []
    journals = {name for place, names in found.items() if "postgres/dialog" in place for name in names}
    assert {"profession at answer", "answer to publish"} <= journals, "what is known to lie there is found there"


def test_no_canary_is_put_into_an_address_or_a_header(walk: Walk) -> None:
    """INVARIANT: no answer puts what was typed into a Location, a cookie, a link or a form's address; one may repeat its own address."""
    wrong = []
    for seen in walk.seen:
        asked = walk.canaries.found_in(seen.url.encode())
        assert asked <= IN_ADDRESSES, f"{seen.method} {seen.url}"
        told = "\n".join(f"{name}: {value}" for name, value in seen.headers.multi_items())
        pointed = "\n".join(address.url for address in addresses_of(seen.html, seen.url)) if seen.is_page else ""
        wrong += [f"{name} at {seen.path}" for name in walk.canaries.found_in(f"{told}\n{pointed}".encode()) - asked]
    assert wrong == []


def test_the_number_is_on_no_page_and_no_problem_document_repeats_what_was_sent(walk: Walk) -> None:
    """INVARIANT: errors never echo, and nobody's national identity number is ever shown."""
    documents = [seen for seen in walk.seen if "json" in seen.headers.get("content-type", "") and seen.status >= 400]
    assert len(documents) > 10
    assert [seen.path for seen in documents if walk.canaries.found_in(seen.html.encode())] == []
    number = walk.canaries.planted["national identity number"]
    own = [seen for seen in walk.seen if seen.host != "127.0.0.1"]
    assert [seen.path for seen in own if any(form in seen.html.encode() for form in number.plain)] == []


def test_every_kind_of_input_was_given_a_canary(walk: Walk) -> None:
    """The table of allowed places names only what was typed, and the walk typed into all that there is."""
    assert set(ALLOWED) <= set(walk.canaries.planted)
    assert len(walk.canaries.planted) >= 100
    sent = {*walk.canaries.planted}
    assert {"national identity number", "name", "phone", "e-mail", "chat sentence", "note", "search words", "User-Agent", "draft"} <= sent


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.encode(),
        lambda text: text.upper().encode(),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode().hex().encode(),
        lambda text: base64.b64encode(text.encode()),
        lambda text: base64.b64encode(b"1" + text.encode() + b"2"),
        lambda text: base64.urlsafe_b64encode(b"12" + text.encode()),
        lambda text: quote(text).encode(),
    ],
)
def test_a_canary_is_found_however_it_is_written(written: Callable[[str], bytes]) -> None:
    canaries = Canaries()
    text, number = canaries.word("a word"), canaries.digits("a number", "05897499887")
    around = secrets.token_bytes(5000)
    assert canaries.found_in(around) == set()
    assert canaries.found_in(around + written(f"jeg {text} ja") + around) == {"a word"}
    assert canaries.found_in(around + written(number) + around) == {"a number"}
    assert canaries.found_in(around + MARKER.encode() + around) == set()


def test_a_short_number_is_found_unless_it_is_a_part_of_an_id() -> None:
    canaries = Canaries()
    canaries.digits("phone", "+4790412387", "90412387")
    for text in (b"tlf 90412387.", b"a90412387 eller 90412387", b"+4790412387"):
        assert canaries.found_in(text) == canaries.found_plainly_in(text) == {"phone"}
    assert canaries.found_in(b"ff" + b"90412387".hex().encode() + b"ff") == {"phone"}
    for text in (b"trace_id=0af190412387c0", b"0.0190412387 1"):
        assert canaries.found_in(text) == canaries.found_plainly_in(text) == set()


async def test_a_canary_that_is_left_somewhere_by_hand_is_found(platform: Platform, sinks: Sinks) -> None:
    """The search itself is seen to fail: for a log line, a span, a file, a column and a record's header."""
    canaries = Canaries()
    word, file = canaries.word("left by hand"), platform.folder / "data" / "services" / "notes.txt"
    lines = a_line_in([platform.log("gateway"), platform.folder / "traces" / "info.jsonl", file], word)
    async with a_record_with(platform, word), a_row_with(platform.dsn("dialog"), word):
        with lines:
            everything = await look_at_everything(platform)
            with mapped(file) as content:
                assert canaries.found_plainly_in(content) == {"left by hand"}
            assert file in [path for _, path in everything.files()]
    found = {place: canaries.found_in(content) for place, content in everything.by_place.items()}
    expected = sorted(("log:gateway", "spans:info", "kafka:handmade", "database:dialog.handmade"))
    assert sorted(place for place, names in found.items() if names) == expected
    assert leaks(found, ALLOWED) == sorted(f"left by hand in {place}" for place in expected)
    assert leaks(found, {"left by hand": ("kafka:*", "database:*")}) == ["left by hand in log:gateway", "left by hand in spans:info"]

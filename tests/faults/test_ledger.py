"""The checker itself: each kind of harm is found, and a faultless world has none."""

from uuid import uuid4

import pytest

from tests.faults.answers import OF_QUESTION, phase_of, receipt_of
from tests.faults.ledger import Findings, Ledger, Phase, World, check, percentile

FINE = {
    "acts": {"a": 1, "b": 1},
    "things": {"/time/b"},
    "told": {"k": 2},
    "log": {"k": [(1, "x"), (2, "y")]},
    "effects": {"k": [1, 2]},
    "claims": {"offer": ["one"]},
    "models": {"figures": (2, 2)},
    "recoveries": [1.5],
}


def ledger(*lines: tuple[str, Phase]) -> Ledger:
    made = Ledger()
    for number, (command, phase) in enumerate(lines):
        made.note(command, phase, float(number))
    return made


ANSWERED = ledger(("a", Phase.INVOKE), ("a", Phase.UNKNOWN), ("a", Phase.INVOKE), ("a", Phase.OK), ("b", Phase.INVOKE), ("b", Phase.OK))

ANSWERED.receipts["b"] = "/time/b"


def test_a_faultless_world_has_no_findings():
    assert check(ANSWERED, World(**FINE)) == Findings()


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"acts": {"a": 1}}, {"lost"}),
        ({"things": set()}, {"lost"}),
        ({"acts": {"a": 2, "b": 1}}, {"duplicates"}),
        ({"effects": {"k": [1]}}, {"lost"}),
        ({"effects": {"k": []}}, {"lost"}),
        ({"effects": {"k": [1, 2, 2]}}, {"duplicates"}),
        ({"effects": {"k": [2, 1]}}, {"inversions"}),
        ({"log": {"k": [(2, "y"), (1, "x")]}}, {"inversions"}),
        ({"log": {"k": [(1, "x"), (2, "y"), (1, "x"), (2, "y")]}}, {"resent"}),
        ({"log": {"k": [(1, "x"), (1, "z"), (2, "y")]}}, {"resent", "duplicates"}),
        ({"log": {"k": [(1, "x")]}, "effects": {"k": [1]}}, {"zombies"}),
        ({"log": {"k": []}, "effects": {"k": []}}, {"zombies"}),
        ({"told": {"k": 1}}, {"ghosts"}),
        ({"told": {}}, {"ghosts"}),
        ({"claims": {"offer": ["one", "two"]}}, {"double_claims"}),
        ({"waiting": 1}, {"stuck"}),
        ({"recoveries": [61.0]}, {"stuck"}),
        ({"models": {"figures": (2, 3)}}, {"diverged"}),
        ({"parked": {"k": 2}, "effects": {"k": [1]}}, {"parked"}),
        ({"parked": {"k": 2}, "effects": {"k": []}}, {"parked", "lost"}),
    ],
)
def test_each_harm_is_found(changed, found):
    assert check(ANSWERED, World(**FINE | changed)).kinds() == found


def test_what_was_not_answered_may_have_happened_once_and_what_was_refused_must_not():
    asked = ledger(("a", Phase.INVOKE), ("a", Phase.UNKNOWN), ("a", Phase.FAIL), ("b", Phase.INVOKE), ("b", Phase.FAIL))
    assert check(asked, World(acts={})).kinds() == set()
    assert check(asked, World(acts={"a": 1})).kinds() == set()
    assert check(asked, World(acts={"a": 2})).kinds() == {"duplicates"}
    assert check(asked, World(acts={"b": 1})).kinds() == {"ghosts"}


def test_who_was_led_elsewhere_was_promised_nothing():
    asked = ledger(("a", Phase.INVOKE), ("a", Phase.ELSEWHERE), ("b", Phase.INVOKE), ("b", Phase.ELSEWHERE), ("b", Phase.OK))
    assert check(asked, World(acts={"b": 1})).kinds() == set()
    assert check(asked, World(acts={"a": 1, "b": 1})).kinds() == set()
    assert check(asked, World(acts={"a": 2})).kinds() == {"duplicates", "lost"}


@pytest.mark.parametrize(
    ("status", "location", "phase"),
    [
        (200, "", Phase.OK),
        (303, "/chat/samtale#siste", Phase.OK),
        (303, "https://min.example/time/1", Phase.OK),
        (303, "/", Phase.ELSEWHERE),
        (303, "/er-det-deg", Phase.ELSEWHERE),
        (303, "/ansatt/logg-inn?neste=/ansatt/samtaler", Phase.ELSEWHERE),
        (409, "", Phase.FAIL),
        (422, "", Phase.FAIL),
    ],
)
def test_an_answer_promises_what_its_reader_sees(status, location, phase):
    assert phase_of(status, location) is phase


def test_a_receipt_names_what_must_be_there():
    address = f"/time/{uuid4()}"
    assert receipt_of("/reise/1/time", address, "") == address
    assert receipt_of("/chat", "/chat/venter", "") is None
    assert receipt_of("/spor", "", "<p class=code>0123-ABCD-4567</p>") == f"{OF_QUESTION}0123-ABCD-4567"
    assert receipt_of("/spor", "", "<p>Takk!</p>") == f"{OF_QUESTION}without a code"


def test_an_operation_that_hangs_is_stuck():
    hanging = Ledger()
    hanging.note("a", Phase.INVOKE, 0)
    hanging.note("b", Phase.INVOKE, 61)
    assert check(hanging, World()).kinds() == {"stuck"}


def test_percentiles_are_values_that_were_seen():
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.0, 0.5, 0.95)] == [1.0, 2.0, 3.0]
    assert percentile([], 0.95) == 0.0

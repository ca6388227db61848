"""The gate tells what breaks from what doesn't, says whom, and is right because reading says the same."""

import copy
import re
import shutil
import subprocess
from datetime import date, timedelta

import pytest

from deploy.releases import compatibility
from deploy.releases.changes import Contracts, changes, contracts_of
from deploy.releases.compatibility import verdict
from deploy.releases.deployable import reasons
from deploy.releases.edits import EDITS
from deploy.releases.examples import FOLDER, thawed
from deploy.releases.gate import all_reads, final, stale_version
from deploy.releases.pins import needs
from deploy.releases.proof import misread, prove
from deploy.releases.record import HistoryError, Release, check_history, latest, releases, version_of
from deploy.releases.trees import tree

pytestmark = pytest.mark.timeout(300)
TODAY = date(2026, 11, 25)
VERSION = final(version_of("contracts"))
QUEUE = "dialog.queue.measured.v1"


@pytest.fixture(scope="module")
def proven():
    return prove()


@pytest.fixture
def here():
    return contracts_of(None)


@pytest.fixture
def changed(here):
    return copy.deepcopy(here)


def broken(old, new, today=TODAY):
    return {change.what: change.why for change in changes(old, new, all_reads(), today, VERSION) if change.breaking}


def test_every_verdict_is_what_reading_says(proven):
    """INVARIANT: the gate is right about every edit, each made for real and read by the other version in a process of its own."""
    assert len(proven) >= 40
    assert [str(one) for one in proven if not one.right] == []
    assert {one.edit.what for one in proven} == {edit.what for edit in EDITS}
    both = {(one.backward, one.forward) for one in proven}
    assert both == {(True, True), (True, False), (False, True), (False, False)}


RULES = {
    "string facets are compared": ("_fits", lambda written, read: True),
    "a writer says only what it declares": ("_closed", compatibility._without_facets),
    "jsonsubschema is asked": ("isSubschema", lambda written, read: True),
    "codes are short": ("LONGEST_CODE", float("inf")),
    "constants and facets are taken off before": ("NOT_ABOUT_DATA", frozenset()),
    "listed strings are tried": ("_allowed", lambda value, read: False),
}


@pytest.mark.parametrize("rule", RULES)
def test_without_one_of_its_rules_the_gate_is_wrong(proven, monkeypatch, rule):
    monkeypatch.setattr(compatibility, *RULES[rule])
    assert any(is_wrong(one) for one in proven)


def is_wrong(one):
    said = verdict(*one.schemas)
    return (said.backward, said.forward) != (one.backward, one.forward) or (said.why == "says the same") != one.edit.silent


def test_every_version_reads_the_golden_messages_of_every_other():
    assert misread() == []


def test_what_is_committed_breaks_nothing(here):
    assert broken(contracts_of(latest("contracts")), here) == {}


def test_a_field_that_a_reader_uses_can_not_go_and_its_owner_is_named(here, changed):
    """INVARIANT: a removal that a registered reader still uses fails and names the reader's owner, optional or not."""
    del changed.events[QUEUE]["schema"]["properties"]["wait_minutes"]
    why = broken(here, changed)[QUEUE]
    assert "`wait_minutes` is gone" in why
    assert "info (Bufdir)" in why
    assert "reporting (the DigiUng secretariat)" in why


def test_a_field_that_nobody_uses_can_go_if_it_was_optional(here, changed):
    definition = changed.events["info.service.listed.v1"]["schema"]["$defs"]["HelpService"]
    del definition["properties"]["assured_on"]
    why = broken(here, changed)
    assert "dialog" in why["info.service.listed.v1"], "dialog keeps the whole entry"
    reads = all_reads() | {"dialog": {}}
    found = changes(here, changed, reads, TODAY, VERSION)
    assert [change.breaking for change in found if change.what == "info.service.listed.v1"] == [False]


def test_a_type_goes_only_after_its_announced_day_and_when_nobody_reads_it(here, changed):
    old = copy.deepcopy(here)
    gone = "dialog.chat.queued.v1"
    del changed.events[gone]
    assert "no release said until when" in broken(old, changed)[gone]
    old.events[gone]["until"] = str(TODAY)
    assert "promised until" in broken(old, changed)[gone]
    assert gone not in broken(old, changed, TODAY + timedelta(days=1))
    del changed.events[QUEUE]
    old.events[QUEUE]["until"] = str(TODAY)
    assert "read by info (Bufdir)" in broken(old, changed, TODAY + timedelta(days=1))[QUEUE]


def test_a_new_type_says_since_when(here, changed):
    changed.events["dialog.chat.paused.v1"] = {**changed.events[QUEUE], "since": "0.1.0"}
    changed.topics["dialog.pauses.v1"] = copy.deepcopy(changed.topics["dialog.chats.v1"])
    assert set(broken(here, changed)) == {"dialog.chat.paused.v1", "dialog.pauses.v1"}
    said = [str(change) for change in changes(here, changed, all_reads(), TODAY, VERSION)]
    assert len([text for text in said if f'instead: set `since` to "{VERSION}"' in text]) == 2
    changed.events["dialog.chat.paused.v1"]["since"] = changed.topics["dialog.pauses.v1"]["since"] = VERSION
    assert broken(here, changed) == {}


@pytest.mark.parametrize("kind", ["events", "topics"])
@pytest.mark.parametrize(
    ("promised", "now", "breaks", "why"),
    [
        ("", 1, False, "ends on 2026-11-26; read by info (Bufdir), reporting (the DigiUng secretariat)"),
        ("", -1, True, "ends on 2026-11-24, which is past"),
        (3, 2, True, "but was promised until 2026-11-28"),
        (3, 4, False, "ends on 2026-11-29"),
        (3, "", False, "has no end any more"),
        (3, 3, False, None),
    ],
)
def test_an_end_is_told_and_a_promised_one_is_kept(here, kind, promised, now, breaks, why):
    """INVARIANT: a day that readers were promised isn't moved nearer, nor set when it's past."""
    name = {"events": QUEUE, "topics": "dialog.availability.v1"}[kind]
    old, new = copy.deepcopy(here), copy.deepcopy(here)
    for contracts, days in ((old, promised), (new, now)):
        getattr(contracts, kind)[name]["until"] = str(TODAY + timedelta(days=days)) if days else ""
    found = changes(old, new, all_reads(), TODAY, VERSION)
    assert [(change.what, change.breaking) for change in found] == ([(name, breaks)] if why else [])
    assert all(why in change.why for change in found)


@pytest.mark.parametrize(
    ("work", "said"), [("change", "first.json is changed"), ("remove", "first.json is gone"), ("add", ""), ("retire", "")]
)
def test_a_released_example_is_frozen(tmp_path, work, said):
    released, here = tmp_path / "released", tmp_path / "here"
    for root in (released, here):
        (root / FOLDER / QUEUE).mkdir(parents=True)
        (root / FOLDER / QUEUE / "first.json").write_text("{}")
    match work:
        case "change":
            (here / FOLDER / QUEUE / "first.json").write_text("[]")
        case "remove":
            (here / FOLDER / QUEUE / "first.json").unlink()
        case "add":
            (here / FOLDER / QUEUE / "second.json").write_text("{}")
        case "retire":
            shutil.rmtree(here / FOLDER / QUEUE)
    assert [change.why for change in thawed(released, here)] == ([f"its golden example {said}, and was released"] if said else [])


def test_contracts_that_differ_from_a_release_are_not_called_by_its_version():
    released = Release("contracts", "0.2.0", "0")
    assert [str(change).splitlines()[0] for change in stale_version(released, "0.2.0")] == [
        "BREAKING   contracts: differ from contracts 0.2.0, but are called 0.2.0"
    ]
    assert len(stale_version(released, "0.2.0.dev0")) == 1
    assert stale_version(released, "0.2.1.dev0") == stale_version(released, "0.3.0") == []


def test_the_released_examples_are_as_they_were_released():
    assert list(thawed(tree(latest("contracts")))) == []


def test_what_breaks_says_what_to_do_instead(here, changed):
    """INVARIANT: nobody is left with a verdict alone."""
    changed.events[QUEUE]["schema"]["properties"]["length"]["type"] = "string"
    del changed.events["dialog.chat.queued.v1"], changed.topics["dialog.handoffs.v1"]
    changed.topics["dialog.availability.v1"] |= {"partitions": 6, "retention_days": 3, "seconds": 0, "key": "id", "since": "9"}
    changed.events["info.usage.counted.v1"]["topics"] = []
    found = [change for change in changes(here, changed, all_reads(), TODAY, VERSION) if change.breaking]
    assert len(found) == 9
    assert all(change.instead for change in found)
    said = next(str(change) for change in found if change.what == QUEUE)
    assert said.startswith(f"BREAKING   {QUEUE}: `length`: integer became string: a new reader can't read")
    assert "instead: leave it as it was released, tell dialog.queue.measured.v2 beside it, and give this one an `until`" in said


@pytest.mark.parametrize(
    ("field", "value", "breaks"),
    [
        ("partitions", 6, True),
        ("key", "service_id", True),
        ("retention_days", 3, True),
        ("retention_days", 14, False),
        ("seconds", 1, True),
        ("seconds", 600, False),
    ],
)
def test_a_topic_keeps_its_promises(here, changed, field, value, breaks):
    changed.topics["dialog.handoffs.v1"][field] = value
    [change] = changes(here, changed, all_reads(), TODAY, VERSION)
    assert (change.what, change.breaking) == ("dialog.handoffs.v1", breaks)


def test_a_reader_is_not_locked_out_of_what_it_states(here, changed):
    changed.topics["dialog.availability.v1"]["readers"].remove("info")
    assert QUEUE in broken(here, changed)["dialog.availability.v1"]


def test_can_i_deploy_says_no_and_whose_release_it_would_break(here, changed):
    others = [latest(name) for name in ("info", "helpjourney", "reporting")]
    assert all(reason.holds for reason in reasons("dialog", here, others))
    changed.events[QUEUE]["schema"]["properties"]["length"]["type"] = "string"
    del changed.events["dialog.handoff.withdrawn.v1"]
    against = [reason.why for reason in reasons("dialog", changed, others) if not reason.holds]
    assert any(f"{latest('info')} (Bufdir)" in why and "integer became string" in why for why in against)
    assert any(str(latest("helpjourney")) in why and "dialog.handoff.withdrawn.v1, which is gone" in why for why in against)
    assert all(reason.holds for reason in reasons("identity", changed, others)), "what dialog breaks doesn't hold up identity"


def test_can_i_deploy_says_no_where_an_event_no_longer_comes_to_its_reader(here, changed):
    """INVARIANT: a release that tells elsewhere what another's release reads isn't called deployable, though no field changed."""
    others = [latest("info"), latest("reporting")]
    changed.events[QUEUE]["topics"] = ["dialog.chats.v1"]
    against = [reason.why for reason in reasons("dialog", changed, others) if not reason.holds]
    assert against == [
        f"{latest('info')} (Bufdir) reads {QUEUE} on dialog.availability.v1, where it no longer finds it",
        f"{latest('reporting')} (the DigiUng secretariat) reads {QUEUE} on dialog.availability.v1, where it no longer finds it",
    ]
    changed.events[QUEUE]["topics"] = here.events[QUEUE]["topics"]
    changed.topics["dialog.availability.v1"]["readers"].remove("info")
    against = [reason.why for reason in reasons("dialog", changed, others) if not reason.holds]
    assert against
    assert all(why.startswith(str(latest("info"))) for why in against)


def test_can_i_deploy_says_no_to_a_service_that_reads_what_its_contracts_no_longer_have(changed):
    del changed.events[QUEUE]
    against = [reason.why for reason in reasons("info", changed, [latest("dialog")]) if not reason.holds]
    assert any(f"info states that it reads {QUEUE}" in why for why in against)


def test_a_reader_goes_out_before_its_writer_but_not_against_it(here):
    info = latest("info")
    changed = copy.deepcopy(here)
    changed.events["dialog.answer.approved.v1"]["schema"]["required"].append("reviewer")
    changed.events["dialog.answer.approved.v1"]["schema"]["properties"]["reviewer"] = {"type": "string"}
    against = [reason.why for reason in reasons("info", changed, [latest("dialog")]) if not reason.holds]
    assert len(against) == 1
    assert "`reviewer` is new, required" in against[0]
    assert info


def test_a_range_that_takes_in_contracts_without_what_is_used_is_noticed(here, changed):
    old = copy.deepcopy(here)
    del old.events[QUEUE]
    assert list(needs("dialog", here, old)) == [f"{QUEUE}, which it writes"]
    assert list(needs("info", here, old)) == [f"{QUEUE}, which it reads"]
    changed.events[QUEUE]["schema"]["properties"]["helpers"] = {"type": "integer"}
    assert list(needs("dialog", changed, here)) == [f"`helpers` of {QUEUE}, which it writes"]


def git(folder, *arguments):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.no", *arguments], cwd=folder, check=True, capture_output=True)


def commit_of(folder, name):
    git(folder, "commit", "--allow-empty", "-m", name)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_a_release_that_the_history_lost_fails_in_one_line(tmp_path):
    """INVARIANT: what was released can be built again."""
    origin, shallow = tmp_path / "origin", tmp_path / "shallow"
    origin.mkdir()
    git(origin, "init", "-b", "main")
    first = commit_of(origin, "first")
    git(origin, "checkout", "-b", "aside")
    aside = commit_of(origin, "rebased away")
    git(origin, "checkout", "main")
    second = commit_of(origin, "second")
    check_history([Release("info", "1", first), Release("info", "2", second)], origin)
    with pytest.raises(HistoryError, match="which is no ancestor of HEAD"):
        check_history([Release("info", "3", aside)], origin)
    with pytest.raises(HistoryError, match="which this repository doesn't have"):
        check_history([Release("info", "4", "0" * 40)], origin)
    with pytest.raises(HistoryError, match="run `git fetch --all`"):
        check_history([Release("info", "4", "0" * 40)], origin)
    with pytest.raises(HistoryError) as said:
        check_history([Release("info", "3", aside)], origin)
    git(origin, *re.search(r"`git (merge .*?)`", str(said.value))[1].split())
    check_history([Release("info", "3", aside)], origin)
    git(tmp_path, "clone", "--depth", "1", f"file://{origin}", str(shallow))
    with pytest.raises(HistoryError, match="shallow clone: run `git fetch --unshallow`"):
        check_history([Release("info", "1", first)], shallow)


def test_every_service_and_library_was_released_and_comes_from_history():
    check_history(releases())
    assert {release.name for release in releases()} >= {
        "contracts",
        "servicekit",
        "webkit",
        "info",
        "dialog",
        "identity",
        "helpjourney",
        "reporting",
    }


def test_an_unchanged_state_has_no_changes(here):
    assert isinstance(here, Contracts)
    assert changes(here, here, all_reads(), TODAY, VERSION) == []

"""The README's lines of a release and of the way back can be followed: `make rehearsal` does it, here they are looked at."""

import re
import shlex

import pytest

from deploy.checks import ROOT
from deploy.releases import trees
from tests.upgrade.readme import MOST, Line, lines
from tests.upgrade.rehearsal import Clone, Rehearsal, UnseenError

MAKEFILE = (ROOT / "Makefile").read_text()


def known(line: Line) -> bool:
    """Whether a line calls what there is."""
    match shlex.split(line.inner or line.command):
        case ["make", target, *settings]:
            [recipe] = re.findall(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE) or [""]
            return all(f"$({setting.partition('=')[0]})" in recipe for setting in settings) and bool(recipe)
        case ["git", "push"]:
            return True
        case ["$new" | "$old", "-m", "reporting", "migrate" | "run"]:
            return True
    return False


def test_it_takes_ten_lines_and_each_says_what_it_is_for():
    assert 0 < len(lines()) <= MOST
    assert all(line.said for line in lines())


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.command)
def test_a_line_calls_what_there_is(line):
    assert known(line)


@pytest.mark.parametrize("command", ["make relaese SERVICE=reporting", "make contracts SERVICE=reporting", "$new -m reporting undo"])
def test_a_line_that_calls_nothing_is_noticed(command):
    assert not known(Line(command, ""))


def test_the_way_back_is_in_it_behind_the_release():
    commands = [line.command for line in lines()]
    assert commands.index("make release SERVICE=reporting") < commands.index("$new -m reporting migrate")
    assert [command for command in commands if command.endswith(" run")] == [f"${it} -m reporting run" for it in ("new", "old", "new")]


def test_a_line_that_fails_or_says_no_ends_the_rehearsal(tmp_path):
    clone = Clone(tmp_path)
    clone.tree.mkdir()
    assert clone.follow("echo $((1 + 1))") == "2\n"
    with pytest.raises(UnseenError, match="ended with 3"):
        clone.follow("echo no; exit 3")
    assert clone.answer("echo aside >&2; echo python") == "python"
    with pytest.raises(UnseenError, match="one line"):
        clone.answer("echo making; echo python")
    with pytest.raises(UnseenError, match="ended with 1"):
        clone.answer("echo python; exit 1")
    rehearsal = object.__new__(Rehearsal)
    rehearsal._contracts("contracts: types=43 verdicts=58/58 breaking=0")
    rehearsal._may_go("can-i-deploy: reporting 0.2.0.dev0 yes")
    with pytest.raises(UnseenError):
        rehearsal._contracts("contracts: types=43 verdicts=58/58 breaking=1")
    with pytest.raises(UnseenError):
        rehearsal._may_go("can-i-deploy: reporting 0.2.0.dev0 no")


def test_what_is_taken_as_an_answer_is_one_line_also_where_assets_are_made_first():
    """INVARIANT: `old=$(make released ...)` holds an interpreter, and not what else make told."""
    recipe = re.search(r"^released:(.*)\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe[1] == "", "what a target needs is made before its recipe, and tells it on standard output"
    assert [line.endswith(">&2") for line in recipe[2].splitlines()] == [True, False]


def test_a_release_that_never_was_is_refused_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["trees", "reporting", "9.9.9"])
    assert trees.main() == 1
    assert capsys.readouterr().err.startswith("released: releases.toml has no reporting 9.9.9; VERSION= one of 0.1.0")
    monkeypatch.setattr("sys.argv", ["trees", "reprting"])
    assert trees.main() == 1
    assert "releases.toml has no reprting; SERVICE= one of info, dialog" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["trees"])
    assert trees.main() == 1
    assert "SERVICE= one of info, dialog" in capsys.readouterr().err

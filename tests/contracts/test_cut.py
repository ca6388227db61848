"""Cutting a release: refused with a reason until version, changelog and commit agree, then one entry more."""

import subprocess
import sys

import pytest

from deploy.releases import cut
from deploy.releases.record import HistoryError, latest, releases

RELEASED = '[[release]]\nname = "dialog"\nversion = "0.1.0"\ncommit = "0"\n'


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A repository with one service at a version of its own, and what it released so far."""
    service = tmp_path / "services" / "dialog"
    service.mkdir(parents=True)
    (tmp_path / "releases.toml").write_text(RELEASED)
    (service / "pyproject.toml").write_text('[project]\nname = "dialog"\nversion = "0.2.0"\n')
    (service / "CHANGELOG.md").write_text("# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- Something.\n")
    for arguments in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@example.no", "commit", "-qm", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    monkeypatch.setattr(cut, "ROOT", tmp_path)
    monkeypatch.setattr(cut, "RELEASES", tmp_path / "releases.toml")
    monkeypatch.setattr(cut, "latest", lambda name: latest(name, releases(tmp_path / "releases.toml")))
    monkeypatch.setattr(cut, "project", lambda name: cut_project(name, tmp_path))
    monkeypatch.setattr(cut, "version_of", lambda name: cut_version(name, tmp_path))
    monkeypatch.setattr(sys, "argv", ["cut", "dialog"])
    return tmp_path


cut_project, cut_version = cut.project, cut.version_of


def test_a_release_is_recorded_with_its_commit(tree, capsys):
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tree, capture_output=True, text=True, check=True).stdout.strip()
    assert cut.main() == 0
    recorded = releases(tree / "releases.toml")
    assert [str(release) for release in recorded] == ["dialog 0.1.0", "dialog 0.2.0"]
    assert (str(recorded[-1]), recorded[-1].commit) == ("dialog 0.2.0", head)
    assert "commit releases.toml" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("pyproject.toml", '[project]\nname = "dialog"\nversion = "0.2.0.dev0"\n', "set the version"),
        ("pyproject.toml", '[project]\nname = "dialog"\nversion = "0.1.0"\n', "isn't newer than 0.1.0"),
        ("pyproject.toml", '[project]\nname = "dialog"\nversion = "0.2.0"\n# changed\n', "aren't committed"),
        ("CHANGELOG.md", "# Changelog\n", "has no heading"),
        ("CHANGELOG.md", "# Changelog\n\n## 0.2.0 (not released)\n", "has no heading"),
    ],
)
def test_what_is_not_ready_is_refused(tree, capsys, file, text, why):
    (tree / "services" / "dialog" / file).write_text(text)
    assert cut.main() == 1
    assert why in capsys.readouterr().err
    assert (tree / "releases.toml").read_text() == RELEASED


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", '[[release]]\nname = "dialog"\nname = "info"\n', '[[release]]\nname = "dialog"\n', ""])
def test_a_record_that_a_merge_left_broken_is_told_in_one_line(tmp_path, text):
    (tmp_path / "releases.toml").write_text(text)
    with pytest.raises(HistoryError, match=r"^releases\.toml can't be read, .*: each release is a \[\[release\]\] with [^\n]+$"):
        releases(tmp_path / "releases.toml")


def test_a_name_that_is_none_is_refused(tree, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cut", "nobody"])
    assert cut.main() == 1
    assert "no service or library 'nobody': one of contracts, servicekit, webkit, info" in capsys.readouterr().err

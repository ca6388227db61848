"""One service released alone: refused with the reason and nothing left changed, or recorded, step by step."""

import subprocess
import sys
from functools import partial

import pytest

from deploy.releases import cut, record, release
from deploy.releases.record import Release

CHANGELOG = "# Changelog of dialog\n\n## 0.2.0 (not released)\n\n- Something.\n\n## 0.1.0 (2026-11-25)\n\n- The first.\n"

MANIFESTS = "deploy/k8s/base/dialog/kustomization.yaml"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A repository with one service; the steps that take minutes are noted, not taken."""
    service = tmp_path / "services" / "dialog"
    service.mkdir(parents=True)
    (tmp_path / "Makefile").write_text("lock:\n\t@echo locked > uv.lock\n")
    (tmp_path / "uv.lock").write_text("locked before\n")
    (tmp_path / "releases.toml").write_text('[[release]]\nname = "dialog"\nversion = "0.1.0"\ncommit = "0"\n')
    (service / "pyproject.toml").write_text('[project]\nname = "dialog"\nversion = "0.2.0.dev0"\n')
    (service / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / MANIFESTS).parent.mkdir(parents=True)
    (tmp_path / MANIFESTS).write_text("images:\n  - name: service\n    newTag: 0.2.0\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.name", "t")
    git(tmp_path, "config", "user.email", "t@example.no")
    commit(tmp_path)
    for module in (release, cut):
        monkeypatch.setattr(module, "ROOT", tmp_path)
        monkeypatch.setattr(module, "project", lambda name: record.project(name, tmp_path))
        monkeypatch.setattr(module, "version_of", lambda name: record.version_of(name, tmp_path))
        monkeypatch.setattr(module, "latest", lambda name: record.latest(name, record.releases(tmp_path / "releases.toml")))
    monkeypatch.setattr(cut, "RELEASES", tmp_path / "releases.toml")
    for slow in ("contracts", "beside the others", "tests"):
        monkeypatch.setitem(release.LOOKS, slow, lambda _going: None)
    monkeypatch.setitem(release.MAKES, "image", lambda _going: None)
    monkeypatch.setattr(sys, "argv", ["release", "dialog"])
    return tmp_path


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "x")


def test_the_commit_with_the_version_is_recorded_and_work_goes_on(tree, capsys):
    assert release.main() == 0
    recorded = record.releases(tree / "releases.toml")[-1]
    assert recorded == Release("dialog", "0.2.0", git(tree, "rev-parse", "HEAD~1"))
    assert 'version = "0.2.0"' in git(tree, "show", f"{recorded.commit}:services/dialog/pyproject.toml")
    assert "## 0.2.0 (20" in git(tree, "show", f"{recorded.commit}:services/dialog/CHANGELOG.md")
    assert "newTag: 0.2.0\n" in git(tree, "show", f"{recorded.commit}:{MANIFESTS}") + "\n"
    assert record.version_of("dialog", tree) == "0.2.1.dev0"
    assert "newTag: 0.2.1\n" in (tree / MANIFESTS).read_text()
    assert "## 0.2.1 (not released)\n\n## 0.2.0 (20" in (tree / "services/dialog/CHANGELOG.md").read_text()
    assert git(tree, "status", "--porcelain") == ""
    assert "dialog 0.2.0 is recorded" in capsys.readouterr().out
    assert release.main() == 1, "nothing new is said in the changelog"


@pytest.mark.parametrize("step", ["contracts", "beside the others", "tests", "image"])
def test_a_step_that_fails_leaves_nothing_changed(tree, monkeypatch, capsys, step):
    before = git(tree, "rev-parse", "HEAD")

    def fails(_going):
        raise release.RefusedError(f"{step} said no")

    monkeypatch.setitem(release.MAKES if step in release.MAKES else release.LOOKS, step, fails)
    assert release.main() == 1
    assert f"refused: {step} said no" in capsys.readouterr().err
    assert (git(tree, "rev-parse", "HEAD"), git(tree, "status", "--porcelain")) == (before, "")


def test_who_breaks_it_off_finds_everything_as_it_was(tree, monkeypatch):
    before = git(tree, "rev-parse", "HEAD")

    def broken_off(_going):
        raise KeyboardInterrupt

    monkeypatch.setitem(release.MAKES, "image", broken_off)
    with pytest.raises(KeyboardInterrupt):
        release.main()
    assert (git(tree, "rev-parse", "HEAD"), git(tree, "status", "--porcelain")) == (before, "")


@pytest.mark.parametrize("step", ["version and changelog", "record"])
def test_a_step_that_fails_half_way_leaves_nothing_changed(tree, monkeypatch, step):
    before = git(tree, "rev-parse", "HEAD")
    locks = iter([None] if step == "record" else [])

    def no_lock(otherwise, *_command):
        if next(locks, "fails") == "fails":
            raise release.RefusedError(otherwise)

    monkeypatch.setattr(release, "_run", no_lock)
    assert release.main() == 1
    assert (git(tree, "rev-parse", "HEAD"), git(tree, "status", "--porcelain")) == (before, "")


def while_it(monkeypatch, steps, name, work, *, fails=False):
    """Somebody works in the tree while a step is taken."""

    def step(_going):
        work()
        if fails:
            raise release.RefusedError(f"{name} said no")

    monkeypatch.setitem(steps, name, step)


@pytest.mark.parametrize("fails", [True, False])
def test_who_goes_on_working_while_it_is_tested_keeps_that_and_it_is_in_no_release(tree, monkeypatch, capsys, fails):
    """INVARIANT: what goes out is what was tested, and a refusal takes nobody's work away."""
    before, file = git(tree, "rev-parse", "HEAD"), tree / "services/dialog/CHANGELOG.md"
    while_it(monkeypatch, release.LOOKS, "tests", lambda: file.write_text(CHANGELOG + "\n- Unfinished.\n"), fails=fails)
    assert release.main() == 1
    assert ("tests said no" if fails else "aren't committed") in capsys.readouterr().err
    assert "Unfinished" in file.read_text()
    assert git(tree, "rev-parse", "HEAD") == before


def one_more_commit(tree):
    (tree / "more").write_text("more")
    commit(tree)


def test_a_commit_made_while_it_is_tested_is_no_part_of_the_release(tree, monkeypatch, capsys):
    while_it(monkeypatch, release.LOOKS, "tests", partial(one_more_commit, tree))
    assert release.main() == 1
    assert "somebody committed while it was tested" in capsys.readouterr().err
    assert (tree / "more").exists()


def test_who_goes_on_working_while_the_image_is_built_keeps_that(tree, monkeypatch, capsys):
    before = git(tree, "rev-parse", "HEAD")
    while_it(monkeypatch, release.MAKES, "image", lambda: (tree / "Makefile").write_text("lock:\n\t@true\n"), fails=True)
    assert release.main() == 1
    assert "refused: image said no" in capsys.readouterr().err
    assert (git(tree, "rev-parse", "HEAD"), git(tree, "status", "--porcelain")) == (before, "M Makefile")
    git(tree, "checkout", "Makefile")
    while_it(monkeypatch, release.MAKES, "image", lambda: (tree / "services/dialog/CHANGELOG.md").write_text("mine"), fails=True)
    assert release.main() == 1
    assert f"then `git reset --keep {before[:12]}`" in capsys.readouterr().err
    assert (tree / "services/dialog/CHANGELOG.md").read_text() == "mine"


def test_a_commit_made_while_the_image_is_built_is_neither_recorded_nor_lost(tree, monkeypatch, capsys):
    while_it(monkeypatch, release.MAKES, "image", partial(one_more_commit, tree))
    assert release.main() == 1
    assert "take that one out with `git rebase -i" in capsys.readouterr().err
    assert (tree / "more").exists()
    assert record.latest("dialog", record.releases(tree / "releases.toml")).version == "0.1.0"


def test_a_release_is_made_on_a_branch_that_has_what_others_pushed(tree, monkeypatch, capsys, tmp_path_factory):
    """INVARIANT: nobody records a commit that would have to be rebased before it can be pushed."""
    origin = tmp_path_factory.mktemp("origin") / "origin.git"
    git(tree, "clone", "-q", "--bare", ".", str(origin))
    git(tree, "remote", "add", "origin", str(origin))
    git(tree, "commit", "-qm", "of another agency", "--allow-empty")
    git(tree, "push", "-qu", "origin", "HEAD")
    git(tree, "reset", "-q", "--hard", "HEAD~1")
    assert release.main() == 1
    assert "others have pushed 1 commits that aren't in it: `git pull`" in capsys.readouterr().err
    git(tree, "commit", "-qm", "own", "--allow-empty")
    assert release.main() == 1, "ahead and behind"
    git(tree, "pull", "-q", "--rebase")
    git(tree, "checkout", "-q", "--detach")
    capsys.readouterr()
    assert release.main() == 1
    assert "HEAD is on no branch" in capsys.readouterr().err
    git(tree, "switch", "-q", "-")
    assert release.main() == 0


def test_changes_that_are_not_committed_are_refused_and_kept(tree, capsys):
    (tree / "half-done").write_text("work")
    assert release.main() == 1
    assert "aren't committed, in half-done: commit" in capsys.readouterr().err
    assert (tree / "half-done").read_text() == "work"
    (tree / "uv.lock").write_text("mine")
    assert release.main() == 1
    assert "aren't committed, in uv.lock and 1 more: commit" in capsys.readouterr().err


@pytest.mark.parametrize("said", ["# Changelog of dialog\n", "# Changelog of dialog\n\n## 0.2.0 (not released)\n\n## 0.1.0 (2026-11-25)\n"])
def test_a_changelog_that_says_nothing_is_refused(tree, capsys, said):
    (tree / "services/dialog/CHANGELOG.md").write_text(said)
    commit(tree)
    assert release.main() == 1
    assert "what is new" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "why"), [("0.1.0", "isn't newer than 0.1.0"), ("new", "is no version"), ("0.3.0.dev1", "not one to release")]
)
def test_a_version_that_cannot_follow_is_refused(tree, monkeypatch, capsys, version, why):
    monkeypatch.setattr(sys, "argv", ["release", "dialog", version])
    assert release.main() == 1
    assert why in capsys.readouterr().err


def test_a_version_of_ones_own_choice(tree, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["release", "dialog", "0.3.0"])
    assert release.main() == 0
    assert record.version_of("dialog", tree) == "0.3.1.dev0"


def test_without_an_image_where_that_is_asked_for(tree, monkeypatch, capsys):
    def builds(_going):
        raise AssertionError("built one")

    monkeypatch.setitem(release.MAKES, "image", builds)
    monkeypatch.setattr(sys, "argv", ["release", "dialog", "--no-image"])
    assert release.main() == 0
    assert "dialog 0.2.0: no image, as asked" in capsys.readouterr().out


def test_only_services_are_released(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["release", "servicekit"])
    assert release.main() == 2
    said = capsys.readouterr().err
    assert "SERVICE= one of" in said
    assert "a library by `python -m deploy.releases.cut NAME`" in said

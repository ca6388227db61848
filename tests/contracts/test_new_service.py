"""An agency joins by files alone: the scaffold, in a copy of this tree, builds, is tested, passes the checks and is in the catalogue."""

import json
import os
import shutil
import subprocess

import pytest

from deploy.checks import INDEX_SETTINGS
from deploy.releases.scaffold import ROOT, NameTakenError, check_agency, check_name

pytestmark = pytest.mark.timeout(600)
NAME = "lommebok"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """What is in this tree, tracked or not yet, in a repository with the same history."""
    folder = tmp_path_factory.mktemp("joined") / "stegvis"
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)], check=True)
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    for warm in (".tools", ".mypy_cache"):
        if (ROOT / warm).exists():
            shutil.copytree(ROOT / warm, folder / warm, symlinks=True)
    for fetched in ("libs/webkit/src/webkit/static/vendor", "deploy/k8s/node_modules"):
        shutil.copytree(ROOT / fetched, folder / fetched)
    made = make(folder, "new-service", f"NAME={NAME}", "AGENCY=Eksempel fylkeskommune")
    assert made.returncode == 0, made.stdout[-1500:] + made.stderr[-1500:]
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def make(folder, *arguments):
    """As somebody types it, also where these tests were begun by another make."""
    left_out = {*INDEX_SETTINGS, "VIRTUAL_ENV", "MAKELEVEL", "MAKEFLAGS", "MFLAGS"}
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=500)


def python(folder, code):
    done = subprocess.run([folder / ".venv/bin/python", "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_it_stands_in_the_catalogue_and_reads_and_writes(copy):
    code = f"import json; from contracts.catalogue import *; print(json.dumps([OWNERS[{NAME!r}].agency, topics_read_by({NAME!r})]))"
    assert python(copy, code) == ["Eksempel fylkeskommune", ["info.directory.v1"]]
    catalogue = copy / "libs/contracts/catalogue"
    assert f'id="{NAME}.thanks.given.v1"' in (catalogue / "index.html").read_text()
    operations = json.loads((catalogue / f"{NAME}.asyncapi.json").read_text())["operations"]
    assert set(operations) == {f"{NAME}.writes.{NAME}.thanks.v1", f"{NAME}.reads.info.directory.v1"}


def test_all_checks_pass_with_it(copy):
    done = make(copy, "check")
    assert done.returncode == 0, done.stdout[-3000:]


def test_it_builds(copy, tmp_path):
    command = [copy / ".tools/bin/uv", "build", "--package", NAME, "--wheel", "--out-dir", tmp_path, "--quiet"]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    assert [file.name for file in tmp_path.glob("*.whl")] == [f"{NAME}-0.1.0.dev0-py3-none-any.whl"]


def test_its_tests_pass_installed_alone(copy):
    uv = {"UV_PROJECT_ENVIRONMENT": str(copy / ".venvs" / NAME), "UV_PYTHON_DOWNLOADS": "never"}
    environment = {key: value for key, value in os.environ.items() if key not in {*INDEX_SETTINGS, "VIRTUAL_ENV"}} | uv
    command = [copy / ".tools/bin/uv", "sync", "--frozen", "--quiet", "--package", NAME, "--group", "test"]
    subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
    tests = [copy / ".venvs" / NAME / "bin/python", "-m", "pytest", "-q", f"services/{NAME}"]
    done = subprocess.run(tests, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_its_manifests_for_kubernetes_are_valid(copy):
    done = make(copy, "k8s")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert f"{NAME}: " in done.stdout
    assert kinds(copy, NAME) == kinds(copy, "info")
    assert f"name: {NAME}.thanks.v1" in (copy / ".local/k8s/kafka.yaml").read_text()


def test_what_holds_for_every_service_holds_for_it(copy):
    """INVARIANT: who joins leaves the main line green: its containers, its approvals, its pages."""
    files = ("deploy/tests/test_containers.py", "tests/contracts/test_owners.py", "tests/browser/test_page_list.py")
    tests = [copy / ".venv/bin/python", "-m", "pytest", "-q", *files]
    done = subprocess.run(tests, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def kinds(copy, name):
    """The kinds of objects that an agency's rendering has."""
    return {line for line in (copy / f".local/k8s/{name}.yaml").read_text().splitlines() if line.startswith("kind: ")}


def test_it_may_go_out_and_breaks_nobody(copy):
    done = make(copy, "can-i-deploy", f"SERVICE={NAME}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "its first release" in done.stdout


@pytest.mark.parametrize("name", ["two words", "", "-h", "Ny", "ny-tjeneste"])
def test_make_says_in_one_line_what_a_name_may_be(name):
    done = make(ROOT, "new-service", f"NAME={name}")
    said, *made = done.stderr.splitlines()
    assert done.returncode == 2
    assert said == f"new-service: {name!r} is no name for a service; write NAME=lommebok, say: 3 to 30 of a-z and 0-9, a letter first"
    assert [line for line in made if not line.startswith("make: ***")] == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("ZONE=closed", "new-service: ZONE: invalid choice: 'closed' (choose from 'open', 'anonymous', 'known')"),
        ('AGENCY=The \\"other\\" one', "new-service: 'The \"other\" one' is no name for an agency; write AGENCY='Oslo kommune', say"),
        ("AGENCY=*", "new-service: '*' is no name for an agency; write AGENCY='Oslo kommune', say"),
    ],
)
def test_make_says_in_one_line_what_else_it_cannot_take(asked, said):
    done = make(ROOT, "new-service", "NAME=lommebok", asked)
    assert done.returncode == 2
    assert [line.startswith(said) for line in done.stderr.splitlines() if not line.startswith("make: ***")] == [True]


@pytest.mark.parametrize("agency", ["Oslo kommune", "Helse- og omsorgsdepartementet", "Røde Kors' ungdom & co (Østfold)", "L'Abbé / NAV"])
def test_an_agency_has_the_name_that_it_has(agency):
    check_agency(agency)


@pytest.mark.parametrize("agency", ["", "a", 'x"y', "back\\slash", "two\nlines", "{{ jinja }}", "$HOME", "x" * 90])
def test_a_name_that_would_break_a_file_is_refused(agency):
    with pytest.raises(NameTakenError):
        check_agency(agency)


@pytest.mark.parametrize(
    "name", ["dialog", "contracts", "deploy", "json", "class", "sqlalchemy", "Ny", "ny-tjeneste", "two words", "x" * 40, ""]
)
def test_a_name_that_can_not_be_is_refused(name):
    with pytest.raises(NameTakenError):
        check_name(name)

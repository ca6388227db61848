"""Whether the migrations since a release only add, so that this release goes on working on the migrated database.

What a release no longer uses may go in the one after it: such a migration says `unused_since = "0.2.0"`, the release that no longer
used it, and then the way back leads to that one and no further.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.releases.record import ROOT

TAKES_AWAY = {"drop_table", "drop_column", "rename_table"}
SQL_TAKES_AWAY = re.compile(
    r"\bdrop\s+(?!(index|constraint|trigger|rule|policy|not\s+null|identity)\b)|\brename\b|\btruncate\b|\bset\s+not\s+null\b"
    r"|\balter\s+column\s+\S+\s+(set\s+data\s+)?type\b|\badd\s+column\b(?![^,;]*\bdefault\b)[^,;]*\bnot\s+null\b",
    re.IGNORECASE,
)
"""All that is dropped, except what only holds something back."""


def since(service: str, before: Path, here: Path = ROOT) -> list[Path]:
    """The migrations here that a release's tree doesn't have, in order."""
    folder = Path("services") / service / "src" / service / "migrations" / "versions"
    known = {file.name for file in (before / folder).glob("*.py")}
    return sorted(file for file in (here / folder).glob("*.py") if file.name not in known)


def unused_since(migration: Path) -> str | None:
    """The release that no longer used what a migration takes away, as it says itself; None: it says nothing."""
    for node in ast.parse(migration.read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="unused_since")], value=ast.Constant(value=str(version))):
                return version
    return None


def contracting(migration: Path) -> Iterator[str]:
    """What a migration's `upgrade`, and what it calls, takes away from whoever still runs the release before."""
    for function in _reached(ast.parse(migration.read_text())):
        yield from (f"{migration.name}: {said}" for call in ast.walk(function) if isinstance(call, ast.Call) for said in _said(call))


def _reached(module: ast.Module) -> Iterator[ast.FunctionDef]:
    """`upgrade` and the functions of the same file that it calls."""
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    waiting = ["upgrade"]
    while waiting:
        if function := functions.pop(waiting.pop(), None):
            yield function
            waiting += [node.id for node in ast.walk(function) if isinstance(node, ast.Name)]


def _said(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    named = {word.arg: word.value for word in call.keywords}
    if name in TAKES_AWAY:
        yield f"{name}({', '.join(str(each.value) for each in call.args if isinstance(each, ast.Constant))})"
    elif name == "alter_column" and ("new_column_name" in named or "type_" in named or _is_false(named.get("nullable"))):
        yield "alter_column renames, retypes or forbids null"
    elif name == "add_column" and any(_is_required(argument) for argument in call.args):
        yield "add_column without null or default: the release before doesn't fill it"
    elif name == "execute":
        text = " ".join(_texts(call))
        if SQL_TAKES_AWAY.search(text):
            yield f"execute({text.strip()[:60]!r})"


def _texts(call: ast.Call) -> list[str]:
    """The texts that are written in a call, also inside others (`sa.text`) and those with values put in."""
    inside = (node for argument in call.args for node in ast.walk(argument))
    return [node.value for node in inside if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_required(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    named = {word.arg: word.value for word in node.keywords}
    return _is_false(named.get("nullable")) and "server_default" not in named

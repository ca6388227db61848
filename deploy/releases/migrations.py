"""Whether the migrations since a release only add, so that this release goes on working on the migrated database."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.releases.record import ROOT

TAKES_AWAY = {"drop_table", "drop_column", "rename_table"}
SQL_TAKES_AWAY = re.compile(r"\b(drop\s+(table|column)|rename\s+(column|to)|truncate|set\s+not\s+null)\b", re.IGNORECASE)


def since(service: str, before: Path, here: Path = ROOT) -> list[Path]:
    """The migrations here that a release's tree doesn't have, in order."""
    folder = Path("services") / service / "src" / service / "migrations" / "versions"
    known = {file.name for file in (before / folder).glob("*.py")}
    return sorted(file for file in (here / folder).glob("*.py") if file.name not in known)


def contracting(migration: Path) -> Iterator[str]:
    """What a migration's `upgrade` takes away from whoever still runs the release before."""
    for node in ast.parse(migration.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade":
            yield from (f"{migration.name}: {said}" for call in ast.walk(node) if isinstance(call, ast.Call) for said in _said(call))


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
        for text in (each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)):
            if SQL_TAKES_AWAY.search(text):
                yield f"execute({text.strip()[:60]!r})"


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_required(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    named = {word.arg: word.value for word in node.keywords}
    return _is_false(named.get("nullable")) and "server_default" not in named

"""Whether a reader of one schema understands what a writer of another says, in both directions, and why not.

jsonsubschema answers for objects, numbers, lists and unions. What it can't see or can't do in time has own rules below: the facets of
a string (format, pattern, lengths), open code lists, and fields that a writer adds.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import jsonref
from jsonsubschema import isSubschema

Schema = dict[str, Any]

NOT_ABOUT_DATA = {"$schema", "$id", "$defs", "title", "description", "default", "examples", "discriminator"}
"""Keywords that allow and forbid nothing."""
CODES = "x-known-codes"
"""Of an open list: says which codes are known, forbids none, since a reader keeps codes that it doesn't know."""
FACETS = ("format", "pattern", "minLength", "maxLength")
"""Of strings. jsonsubschema doesn't see the first and turns the others into automata that may take minutes."""
JUDGED = {*FACETS, CODES, "type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems"} | {
    *("uniqueItems", "anyOf", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
}
"""Keywords that jsonsubschema or an own rule understands. A change of any other breaks."""
SAME = "says the same"
LONGEST_CODE = 40
"""Characters of a code of an open list, as its pattern says (`contracts.event.CODE_PATTERN`)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a change means for readers and writers that don't change at the same time."""

    backward: bool
    """The new reader understands what was written before."""
    forward: bool
    """The old reader understands what will be written."""
    why: str

    @property
    def compatible(self) -> bool:
        """Both directions hold, so each may be released on its own day."""
        return self.backward and self.forward

    @property
    def reason(self) -> str:
        """What changed, and who can't read what because of it."""
        broken = [] if self.backward else ["a new reader can't read what was written before"]
        broken += [] if self.forward else ["an old reader can't read what is written now"]
        return ": ".join([self.why, *(["; ".join(broken)] if broken else [])])

    def __str__(self) -> str:
        return f"{'compatible' if self.compatible else 'breaking'}: {self.reason}"


def verdict(old: Schema, new: Schema) -> Verdict:
    """Compare two JSON Schemas of one event type."""
    before, after = resolved(old), resolved(new)
    if before == after:
        return Verdict(True, True, SAME)
    said = differences(before, after) or ["one of several alternatives changed"]
    if changed := sorted(_unjudged(before) ^ _unjudged(after)):
        return Verdict(False, False, "; ".join([*said, f"what {', '.join({word for _, word, _ in changed})} says can't be judged"]))
    return Verdict(_understands(before, after), _understands(after, before), "; ".join(said))


def resolved(schema: Schema) -> Schema:
    """The schema without references and without what says nothing about data."""
    whole = copy.deepcopy(jsonref.replace_refs(schema, proxies=False))
    mapped: Schema = _mapped(whole, _plain)
    return mapped


def _plain(node: Schema) -> Schema:
    kept = {name: value for name, value in node.items() if name not in NOT_ABOUT_DATA}
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
    if "oneOf" in kept:  # sound since variants are told apart by a constant
        kept["anyOf"] = kept.pop("oneOf")
    return kept | {name: sorted(kept[name], key=repr) for name in ("required", "enum") if name in kept}


def _mapped(node: Any, change: Callable[[Schema], Schema]) -> Any:
    """Apply `change` to every schema inside, from the outside in. Names of properties aren't schemas."""
    if isinstance(node, list):
        return [_mapped(item, change) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: {field: _mapped(inner, change) for field, inner in value.items()}
        if name == "properties"
        else (_mapped(value, change) if name in {"items", "anyOf", "allOf", "prefixItems", "additionalProperties"} else value)
        for name, value in change(node).items()
    }


def _understands(written: Schema, read: Schema) -> bool:
    """Whether everything that one schema allows to write is valid for the reader of the other."""
    facets, limits = _strings(written), _strings(read)
    strings = all(_fit(facets[path], limits[path]) for path in facets.keys() & limits.keys())
    return strings and bool(isSubschema(_mapped(written, _closed), _mapped(read, _without_facets)))


def _closed(node: Schema) -> Schema:
    """A writer says only what it declares, so a field that it adds harms no reader that ignores what it doesn't know."""
    kept = _without_facets(node)
    return kept | {"additionalProperties": kept.get("additionalProperties", False)} if "properties" in kept else kept


def _without_facets(node: Schema) -> Schema:
    kept = {name: value for name, value in node.items() if name not in {*FACETS, CODES}}
    for open_bound, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if open_bound in kept:  # jsonsubschema reads them as JSON Schema draft 4 wrote them
            kept |= {bound: kept[open_bound], open_bound: True}
    if "prefixItems" in kept:  # and lists of which each place has a type of its own
        kept["items"] = kept.pop("prefixItems")
    return kept


def _strings(schema: Schema) -> dict[str, list[list[Schema]]]:
    """By place: the strings that may stand there, once for each alternative in which the place occurs."""
    found: dict[str, list[list[Schema]]] = {}
    for path, branches, _ in _places(schema):
        found.setdefault(path, []).append([branch for branch in branches if "string" in _types(branch)])
    return found


def _fit(written: list[list[Schema]], read: list[list[Schema]]) -> bool:
    """Whether each string that may be written may be read. Where the alternatives aren't as many as before, any may meet any."""
    pairs = zip(written, read, strict=True) if len(written) == len(read) else product(written, read)
    return all(not limits or all(any(_fits(one, limit) for limit in limits) for one in facets) for facets, limits in pairs)


def _unjudged(node: Any, path: str = "") -> set[tuple[str, str, str]]:
    """What a schema says in keywords that nothing here understands: place, keyword, value."""
    found: set[tuple[str, str, str]] = set()
    for place, branches, _ in _places(node, path):
        found |= {(place, word, repr(said)) for branch in branches for word, said in branch.items() if word not in JUDGED}
    return found


def _fits(written: Schema, read: Schema) -> bool:
    """Whether strings with the facets of one are strings with the facets of the other. Patterns are compared as texts."""
    if "enum" in written:
        return all(_allowed(value, read) for value in written["enum"] if isinstance(value, str))
    longest = written.get("maxLength", LONGEST_CODE if CODES in written else float("inf"))
    return (
        read.get("format") in {None, written.get("format")}
        and read.get("pattern") in {None, written.get("pattern")}
        and read.get("minLength", 0) <= written.get("minLength", 0)
        and read.get("maxLength", float("inf")) >= longest
    )


def _allowed(value: str, read: Schema) -> bool:
    """Whether one listed string passes. A format can't be known to hold, so it doesn't."""
    pattern = read.get("pattern")
    lengths = read.get("minLength", 0) <= len(value) <= read.get("maxLength", float("inf"))
    return "format" not in read and lengths and (pattern is None or re.search(pattern, value) is not None)


def _places(node: Schema, path: str = "", required: bool = True) -> Iterator[tuple[str, list[Schema], bool]]:
    """Every place in the data with its alternatives, and whether it must be there."""
    branches = [node, *node.get("anyOf", ())]
    yield path, branches, required
    for branch in branches:
        for name, inner in branch.get("properties", {}).items():
            yield from _places(inner, f"{path}.{name}".lstrip("."), name in branch.get("required", ()))
        inside = {"[]": branch.get("items"), ".*": branch.get("additionalProperties")}
        inside |= {f"[{number}]": inner for number, inner in enumerate(branch.get("prefixItems", ()))}
        for step, inner in inside.items():
            if isinstance(inner, Mapping):
                yield from _places(dict(inner), path + step)


def leaves(node: Schema) -> Iterator[tuple[str, Schema]]:
    """Every place in the data with what it may hold: types, facets, bounds; a null beside something else is one of its types."""
    for path, branches, required in _places(node):
        merged: Schema = {"type": sorted({kind for branch in branches for kind in _types(branch)}), "required": required}
        for branch in branches:
            merged |= {name: said for name, said in branch.items() if name not in _ELSEWHERE and not isinstance(said, Mapping)}
        yield path, merged


_ELSEWHERE = {"type", "required", "anyOf", "prefixItems"}
"""Keywords that the places inside, or types, already tell of."""


def _types(branch: Schema) -> list[str]:
    kinds = branch.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def differences(old: Schema, new: Schema) -> list[str]:
    """What changed, in words, place by place."""
    before, after = dict(leaves(old)), dict(leaves(new))
    said = [f"`{path}` is gone" for path in before if path not in after and _topmost(path, before, after)]
    for path, now in after.items():
        if path in before:
            said += [f"`{path or 'the event'}`: {change}" for change in _changes(before[path], now)]
        elif _topmost(path, after, before):
            said.append(f"`{path}` is new, {'required' if now['required'] else 'optional'}")
    return said


def _topmost(path: str, here: Mapping[str, Schema], there: Mapping[str, Schema]) -> bool:
    """Whether naming the place says it all: it isn't inside a place that is new or gone, or a list that is no list on one side."""
    return not path.endswith(("]", ".*")) and (path.rpartition(".")[0] in there or path.rpartition(".")[0] not in here)


def _changes(before: Schema, now: Schema) -> Iterator[str]:
    if before["required"] != now["required"]:
        yield "now required" if now["required"] else "no longer required"
    if before["type"] != now["type"]:
        yield f"{_named(before['type'])} became {_named(now['type'])}"
        return
    if (CODES in before) != (CODES in now):
        yield "now a code of an open list" if CODES in now else "no longer a code of an open list"
        return
    for name in sorted((before.keys() | now.keys()) - {"required", "type"}):
        if before.get(name) != now.get(name):
            yield _change(name, before.get(name), now.get(name))


def _named(kinds: list[str]) -> str:
    return " or ".join(kinds) or "anything"


def _change(name: str, old: Any, new: Any) -> str:
    if name == CODES:
        return ", ".join(
            [*(f"code {code} added" for code in new if code not in old), *(f"code {code} gone" for code in old if code not in new)]
        )
    if old is None:
        return f"{name} {json.dumps(new)} added"
    return f"{name} {json.dumps(old)} " + ("taken away" if new is None else f"became {json.dumps(new)}")

"""Edits that no released event could show yet: alternatives, places of a list, values under any name. Read for real, like the others."""

from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, Field, ValidationError, create_model

from deploy.releases.compatibility import Verdict, verdict


def variant(kind: str, **fields: Any) -> type[BaseModel]:
    return create_model(kind.upper(), kind=(Literal[kind], ...), **{name: (type_, ...) for name, type_ in fields.items()})


def event(type_: Any) -> type[BaseModel]:
    return create_model("E", x=(type_, ...))


def one_of(*variants: type[BaseModel]) -> Any:
    union: Any = variants[0]
    for other in variants[1:]:
        union = union | other
    return Annotated[union, Field(discriminator="kind")]


def a(value: object, kind: str = "a", **more: object) -> dict[str, object]:
    return {"kind": kind, "v": value} | more


ID, NUMBER, TEXT = str(uuid4()), 3, "many"
WITH_NUMBERS = one_of(variant("a", v=int), variant("b", v=int))

EDITS = {
    "a field of one alternative, where another has one of its name": (
        *(WITH_NUMBERS, one_of(variant("a", v=str), variant("b", v=int)), a(NUMBER), a(TEXT), False, False),
    ),
    "an id of one alternative, where another has a text of its name": (
        *(one_of(variant("a", v=UUID), variant("b", v=str)), one_of(variant("a", v=str), variant("b", v=str)), a(ID), a(TEXT), True, False),
    ),
    "an alternative more": (
        WITH_NUMBERS,
        one_of(variant("a", v=int), variant("b", v=int), variant("c", v=int)),
        a(1),
        a(1, "c"),
        True,
        False,
    ),
    "an alternative less": (WITH_NUMBERS, one_of(variant("a", v=int)), a(1, "b"), a(1), False, True),
    "a required field more in one alternative": (
        *(WITH_NUMBERS, one_of(variant("a", v=int, w=int), variant("b", v=int)), a(1), a(1, w=2), False, True),
    ),
    "a place of a list": (tuple[int, str], tuple[str, int], [NUMBER, TEXT], [TEXT, NUMBER], False, False),
    "an id in a place of a list": (tuple[UUID, int], tuple[str, int], [ID, 1], [TEXT, 1], True, False),
    "a place more": (tuple[int, str], tuple[int, str, int], [1, TEXT], [1, TEXT, 2], False, False),
    "numbers under any name become texts": (dict[str, int], dict[str, str], {"n": NUMBER}, {"n": TEXT}, False, False),
    "ids under any name become texts": (dict[str, UUID], dict[str, str], {"n": ID}, {"n": TEXT}, True, False),
    "texts under any name become ids": (dict[str, str], dict[str, UUID], {"n": TEXT}, {"n": ID}, False, True),
    "a list of ids, inside a list": (list[list[UUID]], list[list[str]], [[ID]], [[TEXT]], True, False),
    "a number or text becomes a number": (int | str, int, TEXT, NUMBER, False, True),
    "an id or number becomes a text or number": (UUID | int, str | int, ID, TEXT, True, False),
    "a listed text more": (Literal["x", "y"], Literal["x", "y", "z"], "x", "z", True, False),
    "a constant": (Literal["x"], Literal["y"], "x", "y", False, False),
    "listed texts in another order": (Literal["x", "y"], Literal["y", "x"], "x", "y", True, True),
}


def reads(type_: Any, document: object) -> bool:
    try:
        event(type_).model_validate({"x": document}, strict=False)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("what", EDITS)
def test_a_verdict_is_what_reading_says(what):
    """INVARIANT: no change is called compatible that a reader fails at, though the place has a twin in another alternative."""
    old, new, was, will_be, backward, forward = EDITS[what]
    assert reads(old, was)
    assert reads(new, will_be)
    assert (reads(new, was), reads(old, will_be)) == (backward, forward)
    said = verdict(event(old).model_json_schema(), event(new).model_json_schema())
    assert (said.backward, said.forward) == (backward, forward), said


def test_what_the_gate_does_not_understand_breaks():
    """INVARIANT: a change in words that neither jsonsubschema nor an own rule knows is never called compatible."""
    keyed = event(dict[Annotated[str, Field(pattern="^a")], int]).model_json_schema()
    said = verdict(keyed, event(dict[str, int]).model_json_schema())
    assert not said.compatible
    assert "what patternProperties says can't be judged" in said.why
    assert verdict(keyed, keyed) == Verdict(True, True, "says the same")

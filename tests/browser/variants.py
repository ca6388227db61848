"""In which languages, colours and widths a page is looked at."""

from dataclasses import dataclass
from itertools import product
from typing import Literal

Scheme = Literal["light", "dark"]

LOCALES = {"nb": "nb-NO", "nn": "nn-NO", "en": "en-GB"}
"""What the browser asks for."""
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = (390, 1280)
"""CSS pixels: a phone and a desk."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of looking."""

    language: str = "nb"
    scheme: Scheme = "light"
    width: int = 390

    def __str__(self) -> str:
        return f"{self.language}-{self.scheme}-{self.width}"


PLAIN = Variant()
ALL = tuple(Variant(*values) for values in product(LOCALES, SCHEMES, WIDTHS))

FOURS = (
    (Variant("nb", "light", 390), Variant("nn", "light", 1280), Variant("en", "dark", 390), Variant("nb", "dark", 1280)),
    (Variant("nb", "light", 390), Variant("nn", "dark", 390), Variant("en", "light", 1280), Variant("nb", "dark", 1280)),
)
"""Three languages in two colours are six pairs, so four variants can't hold them all: pages take these in turn. Each four holds all
languages and all pairs of colour and width; two neighbours in the list hold all other pairs too."""


def variants_for(number: int, *, many: bool) -> tuple[Variant, ...]:
    """Of the page with this number in the list: all twelve, or one of the fours."""
    return ALL if many else FOURS[number % len(FOURS)]


def pairs(variants: tuple[Variant, ...]) -> set[tuple[object, object]]:
    """Every two values that are looked at together."""
    return {pair for each in variants for pair in ((each.language, each.scheme), (each.language, each.width), (each.scheme, each.width))}

"""Texts that live in data files: one value per language, Bokmål and Nynorsk always."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, RootModel, TypeAdapter, model_validator

PLACES = Path(__file__).parent / "data" / "places.json"


class Text(RootModel[dict[str, str]]):
    """Language -> text."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _both_norwegian_forms(self) -> Self:
        if not (self.root.get("nb") and self.root.get("nn")):
            raise ValueError("a text needs both nb and nn")
        return self

    def of(self, language: str) -> str:
        """The text in `language`, else in Bokmål."""
        return self.root.get(language) or self.root["nb"]

    def language(self, language: str) -> str:
        """The language that `of` answers in."""
        return language if self.root.get(language) else "nb"

    def __str__(self) -> str:
        return self.root["nb"]


class Place(BaseModel):
    """How a service presents itself: its place in the journey, and who answers for it."""

    model_config = ConfigDict(frozen=True)

    name: Text
    work: Text | None = None
    """What it is called on pages for staff, where `name` is said to youths."""
    owner: Text
    valid_from: date

    def name_at(self, level: str) -> Text:
        """The name above a page of this level."""
        return self.work or self.name if level == "staff" else self.name


@cache
def places() -> Mapping[str, Place]:
    """Service name -> place."""
    return TypeAdapter(dict[str, Place]).validate_json(PLACES.read_bytes())

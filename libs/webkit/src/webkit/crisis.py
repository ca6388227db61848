"""The crisis numbers and the silent way to reach someone: one dated data file, shown on every page and by the gateway."""

from datetime import date
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from webkit.texts import Text

DATA = Path(__file__).parent / "data" / "crisis.json"


class Line(BaseModel):
    """A number to call, day and night."""

    model_config = ConfigDict(frozen=True)

    number: str = Field(description="As one reads it, e.g. 116 111")
    name: Text
    when: Text = Field(description="When to call")

    @property
    def href(self) -> str:
        """RFC 3966, as a local number."""
        return "tel:" + self.number.replace(" ", "")


class Silent(BaseModel):
    """A way for someone who can't speak aloud."""

    model_config = ConfigDict(frozen=True)

    url: str
    name: Text
    how: Text
    hours: Text


class Crisis(BaseModel):
    """What `data/crisis.json` holds."""

    model_config = ConfigDict(frozen=True)

    owner: str
    assured_on: date = Field(description="When the owner last checked every number")
    assure_again_by: date
    source: str
    unreviewed: tuple[str, ...] = Field(description="Languages that nobody who has them as her own has read yet")
    lines: tuple[Line, ...]
    silent: Silent


@cache
def crisis() -> Crisis:
    """The numbers, read once."""
    return Crisis.model_validate_json(DATA.read_bytes())

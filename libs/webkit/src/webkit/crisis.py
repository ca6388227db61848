"""The crisis numbers and the silent way to reach someone: one dated data file, shown on every page and by the gateway alone."""

from base64 import b64encode
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, Field

from webkit.texts import Text

DATA = Path(__file__).parent / "data" / "crisis.json"
STATIC_STYLE = Path(__file__).parent / "templates" / "webkit" / "static_crisis.css"


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
    lines: tuple[Line, ...]
    silent: Silent


@cache
def crisis() -> Crisis:
    """The numbers, read once."""
    return Crisis.model_validate_json(DATA.read_bytes())


def static_page(quick_exit_url: str = "https://www.yr.no/") -> str:
    """The page that the gateway shows for a host whose service is down: no other file, no script, all numbers."""
    environment = Environment(loader=PackageLoader("webkit"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.get_template("webkit/static_crisis.html")
    return template.render(crisis=crisis(), style=STATIC_STYLE.read_text(), quick_exit_url=quick_exit_url)


def static_policy() -> str:
    """The content security policy for `static_page`: nothing but its own style, named by its hash."""
    digest = b64encode(sha256(STATIC_STYLE.read_bytes()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
